import { ConfigInvalid } from '@libcontainer/sys'

/* A set of processors or memory nodes as a config of 2026 has it: the words of a mask of bits. */

const WORD = 64

export function maskWord(value: unknown, at: string): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return BigInt.asUintN(WORD, BigInt(value as number))
  throw new ConfigInvalid(at, value, 'must be a word of a mask: an integer')
}

/** The numbers of the bits that are set. @param most - how many bits count */
export const maskNumbers = (words: readonly bigint[], most: number): number[] =>
  Array.from({ length: Math.min(words.length * WORD, most) }, (_, i) => i).filter(
    i => (words[Math.floor(i / WORD)]! >> BigInt(i % WORD)) & 1n,
  )

/** @param size - how many bits there are */
export function maskWords(numbers: readonly number[], size: number): bigint[] {
  const words = Array.from({ length: size / WORD }, () => 0n)
  for (const i of numbers) words[Math.floor(i / WORD)]! |= 1n << BigInt(i % WORD)
  return words
}
