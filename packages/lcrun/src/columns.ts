import { visibleLine, visibleText } from '@libcontainer/sys'

/** The narrowest that a column is, and the blanks behind its widest cell: what those who read tables of runtimes by position expect. */
const LEAST = 12
const GAP = 3

/** Rows as a table: columns to the left, as wide as their widest cell asks for; nothing behind the last one. Pure. */
export function columns(rows: readonly (readonly string[])[]): string {
  const text = laidOut(rows)
  // One look at all of it, in place of one at each cell: hardly ever is there anything to hide.
  const plain = visibleText(text) === text && !text.includes('\t') && text.split('\n').length === rows.length + 1
  return plain ? text : laidOut(rows.map(row => row.map(visibleLine)))
}

function laidOut(rows: readonly (readonly string[])[]): string {
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
