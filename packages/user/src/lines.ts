import { decodeUtf8 } from '@libcontainer/sys'

/** What a file of users, groups or sub ids is given as. `undefined` is a file that is not there: it has no entries. */
export type Source = string | Uint8Array | undefined

/** What a source holds, as text. */
export const textOf = (source: Source): string => (typeof source === 'object' ? decodeUtf8(source) : (source ?? ''))

/**
 * The fields of each entry; blank lines and comments are left out.
 *
 * @param having - lines without this text are passed over: an image's file may have millions of them
 */
export function* entries(source: Source, having = ''): Generator<string[]> {
  const text = textOf(source)
  for (let at = text.indexOf(having); at >= 0 && at < text.length; ) {
    const start = text.lastIndexOf('\n', at - 1) + 1
    const end = text.indexOf('\n', at)
    const fields = entry(end < 0 ? text.slice(start) : text.slice(start, end))
    if (fields) yield fields
    at = end < 0 ? -1 : text.indexOf(having, end + 1)
  }
}

/** The same from a stream, which may break anywhere, also within a character. */
export async function* streamedEntries(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  const parts: string[] = []
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n')
    const rest = lines.pop() ?? ''
    if (lines.length > 0) {
      lines[0] = parts.splice(0).join('') + lines[0]
      for (const line of lines) {
        const fields = entry(line)
        if (fields) yield fields
      }
    }
    parts.push(rest)
  }
  const fields = entry(parts.join('') + decoder.decode())
  if (fields) yield fields
}

/** More than any of these files has. */
const MAX_FIELDS = 8

function entry(line: string): string[] | undefined {
  const trimmed = line.trim()
  // A NUL could not go on to the kernel, as HOME for one: such a line is no entry.
  if (trimmed === '' || trimmed.startsWith('#') || trimmed.includes('\0')) return undefined
  return trimmed.split(':', MAX_FIELDS)
}

/** The highest id of the kernel; the one above it, -1, means "no id" in its calls. */
const MAX_KERNEL_ID = 4294967294

/** A field as an id: decimal digits within the kernel's range, else `undefined`. */
export function idOf(field: string | undefined): number | undefined {
  if (field === undefined || !/^[0-9]+$/.test(field)) return undefined
  const value = Number(field)
  return value <= MAX_KERNEL_ID ? value : undefined
}
