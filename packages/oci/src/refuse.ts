import { notYet } from '@libcontainer/sys'

/** Whether more than an empty value was written: encoders of engines write `{}`, `[]`, `""` and `false` for what nobody asked for. */
export function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** Refuses, by name, what is of the specification and not done yet, if it was asked for. @param owner - the package that will do it */
export function refuseLater(field: string, value: unknown, owner: string, hint?: string): void {
  if (!isGiven(value)) return
  throw notYet(field, owner, { value, hint: hint ?? `leave ${field} out of config.json` })
}
