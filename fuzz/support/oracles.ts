import { LibcontainerError } from '@libcontainer/sys'

/** What the oracles of targets say is wrong. */
export class Wrong extends Error {
  override readonly name = 'Wrong'
}

export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Wrong(what)
}

/** Two values are alike as plain data; bigints, maps and `undefined` too. */
export function same(one: unknown, other: unknown, what: string): void {
  const [a, b] = [plain(one), plain(other)]
  if (a !== b) throw new Wrong(`${what}: ${a.slice(0, 2000)} and ${b.slice(0, 2000)}`)
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    if (item instanceof Map) return { map: [...item] }
    if (item instanceof Uint8Array) return { bytes: [...item] }
    if (typeof item === 'number') return Number.isFinite(item) ? item : String(item)
    // The order of fields says nothing.
    return isFields(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item
  }) ?? 'undefined'

const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The answer of a call; `undefined` where it refused with an error of this project's that says where the input is wrong. Any other error is a finding.
 *
 * @param codes - of errors that have no field
 */
export function answer<T>(call: () => T, ...codes: string[]): T | undefined {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    const { field } = error as { field?: unknown }
    if (error.code === 'ConfigInvalid') hold(typeof field === 'string' && field !== '', `no field in: ${error.message}`)
    else if (!codes.includes(error.code)) throw error
    hold(error.message.length < 4000 + (typeof field === 'string' ? field.length : 0), 'a message without end')
    return undefined
  }
}

/** Text of the input; what is no UTF-8 stays as it comes from the kernel. */
export const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)

/** Choices out of an input's bytes: 0 when they are used up. */
export class Choices {
  readonly #data: Uint8Array
  #at = 0

  constructor(data: Uint8Array) {
    this.#data = data
  }

  get over(): boolean {
    return this.#at >= this.#data.length
  }

  byte(): number {
    return this.#data[this.#at++] ?? 0
  }

  /** Of up to 8 bytes. */
  number(size: number): bigint {
    let value = 0n
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.byte())
    return value
  }

  of<T>(list: readonly T[]): T {
    return list[(list.length > 256 ? Number(this.number(2)) : this.byte()) % list.length]!
  }

  /** Up to 15 of something, fewer when the input ends. */
  some<T>(make: () => T): T[] {
    return Array.from({ length: this.over ? 0 : this.byte() & 15 }, make)
  }

  rest(): Uint8Array {
    const rest = this.#data.subarray(this.#at)
    this.#at = this.#data.length
    return rest
  }
}
