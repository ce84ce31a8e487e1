import { median, ratio } from './statistics.mjs'

const show = {
  ms: value => `${(value / 1e6).toFixed(2)} ms`,
  kB: value => `${Math.round(value)} kB`,
}

/** What was measured, as data: for each contender its runs, and how it stands to each of the others. */
export function summarize({ name, title, unit, results }) {
  const contenders = Object.fromEntries(
    [...results].map(([who, runs]) => [who, { median: median(runs), min: Math.min(...runs), runs }]),
  )
  const ratios = {}
  for (const [ours, runs] of results) {
    ratios[ours] = Object.fromEntries(
      [...results].filter(([theirs]) => theirs !== ours).map(([theirs, others]) => [theirs, ratio(runs, others)]),
    )
  }
  return { name, title, unit, contenders, ratios }
}

/** One measurement as a table: a row for each contender, a column for each one that it is compared with. */
export function table({ title, unit, contenders, ratios }, against) {
  const columns = against.filter(name => name in contenders)
  const head = ['', 'median', 'min', ...columns.map(name => `/ ${name}`)]
  const rows = Object.entries(contenders).map(([who, { median, min }]) => [
    who,
    show[unit](median),
    show[unit](min),
    ...columns.map(name => {
      const found = ratios[who][name]
      return found === undefined ? '' : `${found.median.toFixed(2)} (${found.min.toFixed(2)})`
    }),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map(row => row[i].length)))
  const line = row =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('   ')
      .trimEnd()
  return [title, ...[head, ...rows].map(row => `  ${line(row)}`)].join('\n')
}
