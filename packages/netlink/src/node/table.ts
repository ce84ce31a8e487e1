import { visibleJson, visibleLine } from '@libcontainer/sys'

/** What stands in a column: nothing is shown as `-`. */
export type Cell = string | number | bigint | undefined

export interface Column<T> {
  readonly heading: string
  readonly of: (row: T) => Cell
  /** Numbers are. Default: to the left */
  readonly right?: boolean
  /** It is left out where no row has something there. */
  readonly optional?: boolean
  /** What goes without saying: it is left out where all rows have this. */
  readonly usual?: string
}

/**
 * A table for people: nothing in it is obeyed by a terminal. Pure.
 *
 * @param width - of the terminal: what has no room in a line goes on in the next, the headings likewise. Default: there is room
 */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[], width = Infinity): string {
  const shown = columns.map(column => ({ ...column, cells: rows.map(row => textOf(column.of(row))) }))
  const kept = shown.filter(({ optional, usual, cells }) => {
    if (optional && cells.every(cell => cell === NOTHING)) return false
    return usual === undefined || cells.some(cell => cell !== usual)
  })
  const widths = kept.map(({ heading, cells }) =>
    cells.reduce((most, { length }) => Math.max(most, length), heading.length),
  )
  const first = firstOfLines(widths, width)
  const line = (cellOf: (column: (typeof kept)[number]) => string): string => {
    let text = ''
    for (const [i, column] of kept.entries()) {
      const cell = cellOf(column)
      const before = i === 0 ? '' : first.has(i) ? `\n${INDENT}` : GAP
      text = `${before.startsWith('\n') ? text.trimEnd() : text}${before}`
      text += column.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    }
    return `${text.trimEnd()}\n`
  }
  return line(({ heading }) => heading) + rows.map((_, i) => line(({ cells }) => cells[i]!)).join('')
}

const GAP = '  '
const INDENT = '        '

/** The columns that a line begins with, but for the first line. */
function firstOfLines(widths: readonly number[], width: number): ReadonlySet<number> {
  const first = new Set<number>()
  let end = 0
  for (const [i, own] of widths.entries()) {
    end += (i === 0 ? 0 : GAP.length) + own
    if (i === 0 || end <= width) continue
    first.add(i)
    end = INDENT.length + own
  }
  return first
}

const NOTHING = '-'

function textOf(cell: Cell): string {
  if (cell === undefined || cell === '') return NOTHING
  return typeof cell === 'string' ? visibleLine(cell) : String(cell)
}

/** An object for programs, in a line. Numbers beyond 2^53 are strings, bytes hexadecimal. Pure. */
export function jsonOf(value: unknown): string {
  const json = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return Number.isSafeInteger(Number(each)) ? Number(each) : String(each)
    if (each instanceof Uint8Array) return Array.from(each, byte => byte.toString(16).padStart(2, '0')).join('')
    return each
  })
  // Whoever has a link gives it its name.
  return visibleJson(json)
}
