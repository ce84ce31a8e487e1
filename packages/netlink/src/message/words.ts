import { ConfigInvalid } from '@libcontainer/sys'

/** A whole number within bounds, which are those of the kernel's field. @throws {ConfigInvalid} that names `field` */
export function checkInteger(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new ConfigInvalid(field, value, `must be a whole number from ${least} to ${most}`)
  return value
}

/** USER_HZ: a second in the unit in which the kernel tells times. */
export const TICKS_PER_SECOND = 100

export const MAX_U8 = 0xff
export const MAX_U16 = 0xffff
export const MAX_U32 = 0xffff_ffff

/** What a word stands for. @throws {ConfigInvalid} that names `field` and the words that there are */
export function wordIn<T>(table: Readonly<Record<string, T>>, word: string, field: string): T {
  if (!Object.hasOwn(table, word))
    throw new ConfigInvalid(field, word, `must be one of ${Object.keys(table).join(', ')}`)
  return table[word]!
}

/** The words that people have for the values of one of the kernel's fields. A value without a word stays a number, in both directions. */
export class Words<W extends string> {
  readonly #numbers: ReadonlyMap<string, number>
  readonly #words: W[] = []
  readonly #most: number

  /** @param most - the highest value that the field holds */
  constructor(numbers: Readonly<Record<W, number>>, most: number = MAX_U8) {
    const entries = Object.entries<number>(numbers) as [W, number][]
    this.#numbers = new Map(entries)
    for (const [word, number] of entries) this.#words[number] = word
    this.#most = most
  }

  /** Of nothing it is nothing. @throws {ConfigInvalid} that names `field` and the words that there are */
  number(word: W | number, field: string): number
  number(word: W | number | undefined, field: string): number | undefined
  number(word: W | number | undefined, field: string): number | undefined {
    if (word === undefined) return undefined
    if (typeof word === 'number') return checkInteger(word, field, 0, this.#most)
    const number = this.#numbers.get(word)
    if (number === undefined)
      throw new ConfigInvalid(field, word, `must be a number or one of ${[...this.#numbers.keys()].join(', ')}`)
    return number
  }

  word(number: number): W | number {
    return this.#words[number] ?? number
  }
}

/** The words of a mask, each of a bit. */
export class FlagWords<F extends string> {
  readonly #bits: readonly (readonly [F, number])[]

  constructor(bits: Readonly<Record<F, number>>) {
    this.#bits = Object.entries<number>(bits) as [F, number][]
  }

  /** @throws {ConfigInvalid} that names `field` and the words that there are */
  mask(flags: readonly F[] | undefined, field: string): number {
    let mask = 0
    for (const [index, flag] of (flags ?? []).entries()) {
      const bit = this.#bits.find(([word]) => word === flag)?.[1]
      if (bit === undefined)
        throw new ConfigInvalid(
          `${field}[${index}]`,
          flag,
          `must be one of ${this.#bits.map(([word]) => word).join(', ')}`,
        )
      mask |= bit
    }
    return mask >>> 0
  }

  /** Those whose bits are set, in the kernel's order. Bits without a word are left out. */
  words(mask: number): F[] {
    const words: F[] = []
    for (const [word, bit] of this.#bits) if ((mask & bit) !== 0) words.push(word)
    return words
  }
}

export type WordOf<T> = T extends Words<infer W> ? W : never
export type FlagOf<T> = T extends FlagWords<infer F> ? F : never
