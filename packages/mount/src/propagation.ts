import { ConfigInvalid } from '@libcontainer/sys'

/**
 * How mounts made below one mount reach its peers; with `r` before it, for every mount below it too.
 *
 * @see mount_namespaces(7)
 */
export type Propagation =
  | 'private'
  | 'slave'
  | 'shared'
  | 'unbindable'
  | 'rprivate'
  | 'rslave'
  | 'rshared'
  | 'runbindable'

/** Each with its number in a plan: four bits, the highest for recursion. */
const numbers = new Map<string, number>([
  ['private', 1],
  ['slave', 2],
  ['shared', 3],
  ['unbindable', 4],
  ['rprivate', 9],
  ['rslave', 10],
  ['rshared', 11],
  ['runbindable', 12],
])

export const propagationWords: readonly string[] = [...numbers.keys()]

export function isPropagation(word: string): word is Propagation {
  return numbers.has(word)
}

/** Refuses what is no propagation, naming the field. */
export function checkPropagation(word: string, field: string): Propagation {
  if (isPropagation(word)) return word
  throw new ConfigInvalid(field, word, `must be one of ${propagationWords.join(', ')}`)
}

/** Several, to be set in this order, as the one integer that the ops take. */
export function packPropagation(words: readonly Propagation[]): bigint {
  return words.reduce((packed, word, i) => packed | (BigInt(numbers.get(word)!) << BigInt(4 * i)), 0n)
}

/** The same as the bits of mount(2), for mount_setattr(2): a kind without `r`. */
export function propagationFlag(word: Propagation): number {
  return [0, 1 << 18, 1 << 19, 1 << 20, 1 << 17][numbers.get(word)! & 7]!
}
