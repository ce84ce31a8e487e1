import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/* What the values of a file must be, as functions that are put together in the shape of the file. */

/** @throws {ConfigInvalid} naming the place and the value */
export type Check = (value: unknown, at: string) => void

export function refuse(at: string, value: unknown, problem: string): never {
  throw new ConfigInvalid(at, value, problem)
}

/** An object of these fields and no others. */
export function object(
  required: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): Check {
  const fields = new Map(Object.entries({ ...required, ...optional }))
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(at, value, 'must be an object')
    const given = value as Record<string, unknown>
    for (const name of Object.keys(required))
      if (!Object.hasOwn(given, name)) refuse(inside(at, name), undefined, 'must be given')
    for (const [name, each] of Object.entries(given)) {
      const check = fields.get(name)
      if (check === undefined) refuse(inside(at, name), each, `must be one of ${[...fields.keys()].join(', ')}`)
      // What Go writes for an absent pointer.
      if (each !== null || Object.hasOwn(required, name)) check(each, inside(at, name))
    }
  }
}

export const list =
  (each: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) refuse(at, value, 'must be a list')
    for (const [i, item] of value.entries()) each(item, `${at}[${i}]`)
  }

export const texts: Check = (value, at) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(at, value, 'must be an object of texts')
  for (const [name, text] of Object.entries(value)) string(text, inside(at, name))
}

/** Of a file, so without NUL. */
export const string: Check = (value, at) => void kernelString(value as string, at)

export const matching =
  (pattern: RegExp, problem: string): Check =>
  (value, at) => {
    if (typeof value !== 'string' || !pattern.test(value)) refuse(at, value, problem)
  }

export const path: Check = (value, at) => {
  string(value, at)
  if (!(value as string).startsWith('/')) refuse(at, value, 'must be an absolute path')
}

/** `NAME=value`. */
export const variable: Check = (value, at) => {
  string(value, at)
  if ((value as string).indexOf('=') < 1) refuse(at, value, 'must be NAME=value')
}

export const integer =
  (low: number, high: number): Check =>
  (value, at) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
      refuse(at, value, `must be an integer from ${low} to ${high}`)
  }

export const boolean: Check = (value, at) => {
  if (typeof value !== 'boolean') refuse(at, value, 'must be true or false')
}

const inside = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)
