import { ConfigInvalid } from '@libcontainer/sys'

/** A whole number, 0 or more. Past 2^53 a bigint is exact. */
export type Amount = number | bigint

/** An amount, or the kernel's word for no limit. */
export type Limit = Amount | 'max'

/** Numbers are compared with numbers: a comparison with a bigint is ten times as dear. */
function isAmount(value: unknown, least: number, most: number): value is Amount {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= least && value <= most
  return typeof value === 'bigint' && value >= least && (most === NO_BOUND ? value < LARGEST : value <= most)
}

const NO_BOUND = Number.POSITIVE_INFINITY
const LARGEST = 2n ** 63n

/** Refuses what is no {@link Amount} between `least` and `most`. */
export function checkAmount(field: string, value: unknown, least = 0, most = NO_BOUND): void {
  if (isAmount(value, least, most)) return
  const range = most === NO_BOUND ? `of ${least} or more` : `from ${least} to ${most}`
  throw new ConfigInvalid(field, value, `must be a whole number ${range}`)
}

/** Refuses a number that is no whole one, under the name that it has where it comes from; its range is looked at later. */
export function checkWhole(field: string, value: Amount): void {
  if (typeof value === 'number' && !Number.isInteger(value))
    throw new ConfigInvalid(field, value, 'must be a whole number')
}

export function checkLimit(field: string, value: unknown): void {
  if (value === 'max' || isAmount(value, 0, NO_BOUND)) return
  throw new ConfigInvalid(field, value, `must be a whole number of 0 or more, or 'max' for no limit`)
}

export function checkFlag(field: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
}

/** What a check does for each field that may be given; any other field is refused by name. */
export type Checks<T> = { readonly [K in keyof Required<T>]: (field: string, value: unknown) => void }

/** Checks an object of limits, field by field. `undefined` is not given. */
export function checkFields<T extends object>(at: string, limits: T, checks: Checks<T>): void {
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw new ConfigInvalid(at, limits, 'must be an object')
  }
  for (const key of Object.keys(limits)) {
    const value = limits[key as keyof T]
    const field = at === '' ? key : `${at}.${key}`
    if (!Object.hasOwn(checks, key)) {
      throw new ConfigInvalid(field, value, `is no limit; there are ${Object.keys(checks).join(', ')}`)
    }
    if (value !== undefined) checks[key as keyof T](field, value)
  }
}
