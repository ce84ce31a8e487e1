/** The narrowest that a column is, and the blanks behind its widest cell: what those who read tables of runtimes by position expect. */
const LEAST = 12
const GAP = 3

/** Rows as a table: columns to the left, as wide as their widest cell asks for; nothing behind the last one. Pure. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (let i = 0; i < row.length; i++) widths[i] = Math.max(widths[i] ?? LEAST, row[i]!.length + GAP)
  let text = ''
  for (const row of rows) {
    const last = row.length - 1
    for (let i = 0; i < last; i++) text += row[i]!.padEnd(widths[i]!)
    text += `${row[last]}\n`
  }
  return text
}
