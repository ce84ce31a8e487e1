/** The narrowest that a column is, and the blanks behind its widest cell: what those who read tables of runtimes by position expect. */
const LEAST = 12
const GAP = 3

/** Rows as a table: columns to the left, as wide as their widest cell asks for; nothing behind the last one. Pure. */
export function columns(rows: readonly (readonly string[])[]): string {
  const count = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(LEAST, ...rows.map(row => (row[column] ?? '').length + GAP)),
  )
  return rows
    .map(row => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('')}\n`)
    .join('')
}
