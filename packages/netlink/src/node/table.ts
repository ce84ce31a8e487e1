import { visibleLine } from '@libcontainer/sys'

/** What stands in a column: nothing is shown as `-`. */
export type Cell = string | number | bigint | undefined

export interface Column<T> {
  readonly heading: string
  readonly of: (row: T) => Cell
  /** Numbers are. Default: to the left */
  readonly right?: boolean
  /** It is left out where no row has something there. */
  readonly optional?: boolean
}

/** A table for people: nothing in it is obeyed by a terminal. Pure. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const shown = columns.map(column => ({ ...column, cells: rows.map(row => textOf(column.of(row))) }))
  const kept = shown.filter(({ optional, cells }) => !optional || cells.some(cell => cell !== NOTHING))
  const widths = kept.map(({ heading, cells }) =>
    cells.reduce((most, { length }) => Math.max(most, length), heading.length),
  )
  const line = (cellOf: (column: (typeof kept)[number]) => string): string => {
    const cells = kept.map((column, i) => {
      const cell = cellOf(column)
      return column.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    })
    return `${cells.join('  ').trimEnd()}\n`
  }
  return line(({ heading }) => heading) + rows.map((_, i) => line(({ cells }) => cells[i]!)).join('')
}

const NOTHING = '-'

function textOf(cell: Cell): string {
  if (cell === undefined || cell === '') return NOTHING
  return typeof cell === 'string' ? visibleLine(cell) : String(cell)
}

/** An object for programs, in a line. Numbers beyond 2^53 are strings, bytes hexadecimal. Pure. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return Number.isSafeInteger(Number(each)) ? Number(each) : String(each)
    if (each instanceof Uint8Array) return Array.from(each, byte => byte.toString(16).padStart(2, '0')).join('')
    return each
  })
}
