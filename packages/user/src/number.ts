import { IdOutOfRange, MAX_ID } from './errors.js'

/**
 * The id that `text` says, or `undefined` where it is a name.
 *
 * What is made of digits is a number and never a name, however long: an image could otherwise map a user `1000`, or a
 * number that overflows, to root in its own passwd file (CVE-2016-3697, CVE-2026-46680).
 *
 * @throws {IdOutOfRange} for a number beyond the range, or with a sign
 */
export function numericId(text: string, field: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  if (!/^[0-9]/.test(text) || value > MAX_ID) throw new IdOutOfRange(field, text)
  return value
}

/** A number that must be an id. */
export function checkedId(id: number, field: string): number {
  if (!Number.isInteger(id) || id < 0 || id > MAX_ID) throw new IdOutOfRange(field, id)
  return id
}

/** The id of a matched entry, which must be there and in the range. */
export function entryId(id: number | undefined, field: string, entry: string): number {
  if (id === undefined || id > MAX_ID) throw new IdOutOfRange(`${field} (entry '${entry}')`, id ?? 'no number')
  return id
}
