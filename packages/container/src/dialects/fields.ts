import { ConfigInvalid, fieldName, kernelString, notYet } from '@libcontainer/sys'

/**
 * An object of a file, taken apart field by field. A field is typed when it is taken, and what nobody took is refused by name, so that a file
 * never says more than what is done.
 *
 * As in Go, whose encoder wrote these files, `null`, `''` and `0` are what stands in a field that is not given.
 */
export class Fields {
  readonly at: string
  readonly #value: Readonly<Record<string, unknown>>
  readonly #taken = new Set<string>()

  /** @throws {ConfigInvalid} for anything but an object */
  constructor(value: unknown, at: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ConfigInvalid(at === '' ? 'config' : at, value, 'must be an object')
    this.at = at
    this.#value = value as Record<string, unknown>
  }

  /** The value of a field as it stands; `undefined` for `null` too. */
  take(name: string): unknown {
    this.#taken.add(name)
    return Object.hasOwn(this.#value, name) ? (this.#value[name] ?? undefined) : undefined
  }

  /** Whether the field is `null`, which some files mean by it. */
  isNull(name: string): boolean {
    return Object.hasOwn(this.#value, name) && this.#value[name] === null
  }

  field(name: string): string {
    return fieldName(name, this.at)
  }

  /** `undefined` for the empty string. */
  text(name: string): string | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    return kernelString(value as string, this.field(name)) || undefined
  }

  flag(name: string): boolean | undefined {
    const value = this.take(name)
    if (value === undefined || typeof value === 'boolean') return value
    throw new ConfigInvalid(this.field(name), value, 'must be true or false')
  }

  /** A whole number of at most 32 bits. */
  number(name: string, low = -0x80000000, high = 0xffffffff): number | undefined {
    const value = this.integer(name, low, high)
    return value === undefined ? undefined : Number(value)
  }

  /** A whole number; a bigint where no number is exact. */
  integer(name: string, low: Integer = -(2n ** 63n), high: Integer = 2n ** 63n - 1n): Integer | undefined {
    const value = this.take(name)
    return value === undefined ? undefined : integer(value, this.field(name), low, high)
  }

  list<T>(name: string, part: (value: unknown, at: string) => T): T[] | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw new ConfigInvalid(this.field(name), value, 'must be a list')
    return value.map((each: unknown, i) => part(each, `${this.field(name)}[${i}]`))
  }

  texts(name: string): string[] | undefined {
    return this.list(name, (value, at) => kernelString(value as string, at))
  }

  object(name: string): Fields | undefined {
    const value = this.take(name)
    return value === undefined ? undefined : new Fields(value, this.field(name))
  }

  /** The entries of a map of strings, whose keys are data. */
  map(name: string): [string, string][] | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    new Fields(value, this.field(name))
    return Object.entries(value as Record<string, unknown>).map(([key, text]) => [
      key,
      kernelString(text as string, fieldName(key, this.field(name))),
    ])
  }

  /** The keys of a map, which are data. */
  keys(name: string): string[] {
    const value = this.take(name)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
  }

  /** Refuses what cannot be done yet, if it is given. @param owner - the package that will do it */
  refuse(name: string, owner: string): void {
    const value = this.take(name)
    if (isGiven(value)) throw notYet(this.field(name), owner, { value })
  }

  /** Refuses what nobody took. @param what - what the object is: `a config of 2015` */
  end(what: string): void {
    for (const name of Object.keys(this.#value)) {
      if (this.#taken.has(name)) continue
      const known = [...this.#taken].join(', ')
      throw new ConfigInvalid(this.field(name), this.#value[name], `is no field of ${what}; there are ${known}`)
    }
  }
}

export type Integer = number | bigint

/** A whole number in a range, as the smallest type that holds it. */
export function integer(value: unknown, at: string, low: Integer, high: Integer): Integer {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!whole || value < low || value > high)
    throw new ConfigInvalid(at, value, `must be a whole number from ${low} to ${high}`)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** Whether Go would have written more than a field's empty value. */
export function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0 || value === 0n)
    return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** An object without the fields that are `undefined`, and without the objects that are empty for it. */
export function pruned<T extends object>(value: T): T {
  const entries = Object.entries(value)
    .map(([key, each]) => [key, isPlain(each) ? emptyAsAbsent(pruned(each)) : each] as const)
    .filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries) as T
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const emptyAsAbsent = (value: object): object | undefined => (Object.keys(value).length === 0 ? undefined : value)
