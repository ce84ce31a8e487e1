import { type Column, jsonOf, renderTable } from './table.js'

/** Writes to standard output, and waits where the reader is slower than we are. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise<void>(resolve => process.stdout.once('drain', resolve))
}

/** Who reads no further, such as head(1), has what was wanted. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

/** All rows: a table, whose columns are as wide as they have to be, in lines that a terminal has room for; or a list of objects, each written as it comes. */
export async function show<T>(
  rows: AsyncIterable<T> | Iterable<T>,
  columns: readonly Column<T>[],
  json: boolean,
): Promise<void> {
  if (json) return await showJson(rows)
  const all: T[] = []
  for await (const row of rows) all.push(row)
  await write(renderTable(columns, all, process.stdout.columns))
}

/** So much is put together before it is written. */
const ENOUGH = 65_536

async function showJson(rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  let text = '['
  let separator = '\n'
  for await (const row of rows) {
    text += separator + jsonOf(row)
    separator = ',\n'
    if (text.length < ENOUGH) continue
    await write(text)
    text = ''
  }
  await write(separator === '\n' ? '[]\n' : `${text}\n]\n`)
}
