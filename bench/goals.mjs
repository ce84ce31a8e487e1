// What the project wants to reach, and where this run stands.
const wanted = [
  { measurement: 'run', ours: 'API, Node.js', theirs: 'crun', most: 0.4 },
  { measurement: 'run', ours: 'API, Node.js', theirs: 'libcontainer, Go', most: 0.2 },
  { measurement: 'run-seccomp', ours: 'API, Node.js', theirs: 'crun', most: 0.4 },
  { measurement: 'run-seccomp', ours: 'API, Node.js', theirs: 'libcontainer, Go', most: 0.2 },
  { measurement: 'run', ours: 'nsinit', theirs: 'crun', most: 0.7 },
  { measurement: 'run', ours: 'lcrun', theirs: 'crun', most: 0.7 },
  { measurement: 'run', ours: 'lcrun', theirs: 'runc', most: 0.35 },
  { measurement: 'run-engine', ours: 'lcrun', theirs: 'crun', most: 0.7 },
  { measurement: 'run-engine', ours: 'lcrun', theirs: 'runc', most: 0.35 },
  { measurement: 'run-binds', ours: 'lcrun', theirs: 'crun', most: 1 },
  { measurement: 'run-binds', ours: 'lcrun', theirs: 'runc', most: 0.5 },
  ...['lifecycle', 'exec', 'state', 'kill'].flatMap(measurement => [
    { measurement, ours: 'lcrun', theirs: 'crun', most: 1 },
    { measurement, ours: 'lcrun', theirs: 'runc', most: 0.5 },
  ]),
  { measurement: 'crowd', ours: /^lcrun, \d+ alive$/, theirs: 'lcrun, none alive', most: 1.1 },
  { measurement: 'crowd-list', ours: 'lcrun', theirs: 'crun', most: 0.5 },
  { measurement: 'crowd-delete', ours: 'lcrun', theirs: 'crun', most: 0.5 },
  { measurement: 'memory-command', ours: 'lcrun', theirs: 'crun', most: 1 },
]

/** What may be held, in kB. */
const held = [
  { measurement: 'memory', ours: 'lcrun', most: 128 },
  { measurement: 'memory-waiting', ours: 'lcrun', most: 1024 },
]

/** A line that tells whether a goal is met. */
export const goal = (what, value, most) =>
  `goal ${value <= most ? 'met   ' : 'missed'}  ${what}: ${shown(value)}, wanted at most ${shown(most)}`

const shown = value => (Number.isInteger(value) ? value : value.toFixed(2))

const amount = (value, unit) => (unit === 'kB' ? `${Math.round(value)} kB` : `${(value / 1e6).toFixed(1)} ms`)

/** What of lcrun was measured, beside what is wanted of it: a table in Markdown, as docs/performance.md has it. */
export function markdown(summaries) {
  const rows = summaries.flatMap(({ name, title, unit, contenders, ratios }) =>
    Object.keys(ratios)
      .filter(who => who.startsWith('lcrun') && who !== 'lcrun, none alive')
      .map(who => {
        const cell = theirs => {
          const found = ratios[who][theirs]
          const goal = wanted.find(
            ({ measurement, ours, theirs: other }) => measurement === name && fits(ours, who) && other === theirs,
          )
          const most = goal === undefined ? '' : `, wanted ${goal.most}`
          return found === undefined ? '' : `${found.median.toFixed(2)} (${found.min.toFixed(2)})${most}`
        }
        const { median, min } = contenders[who]
        const ours = `${amount(median, unit)} (${amount(min, unit)})`
        const beside = who === 'lcrun' ? cell('crun') : `${cell('lcrun, none alive')} of none alive`
        return [who === 'lcrun' ? title : `${title}: ${who}`, ours, beside, cell('runc')]
      }),
  )
  const head = ['median (least)', 'lcrun', '/ crun', '/ runc']
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

const fits = (pattern, name) => (typeof pattern === 'string' ? pattern === name : pattern.test(name))

/** A line for each goal whose contenders took part. */
export function goals(summaries) {
  const named = name => summaries.find(summary => summary.name === name)
  const ratios = wanted.flatMap(({ measurement, ours, theirs, most }) => {
    const all = named(measurement)?.ratios ?? {}
    const who = Object.keys(all).find(name => fits(ours, name))
    const found = all[who]?.[theirs]
    if (found === undefined) return []
    return [goal(`${who} / ${theirs}, ${measurement}`, found.median, most)]
  })
  const sizes = held.flatMap(({ measurement, ours, most }) => {
    const found = named(measurement)?.contenders[ours]
    if (found === undefined) return []
    return [goal(`${ours}, ${measurement}, kB`, Math.round(found.median), most)]
  })
  return [...ratios, ...sizes]
}
