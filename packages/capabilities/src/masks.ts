import { capabilityName, capabilityNumber, HIGHEST, type NameStyle } from './names.js'

/** The five sets that a thread has, by the words of capabilities(7). */
export const SETS = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const

export type SetName = (typeof SETS)[number]

/** The five sets as the kernel holds them: bit n is capability n. */
export type CapabilityMasks = Readonly<Record<SetName, bigint>>

/** The five sets as lists of names. */
export type CapabilityNames = Readonly<Record<SetName, readonly string[]>>

/** The bit of a capability. */
export function bit(number: number): bigint {
  return 1n << BigInt(number)
}

/**
 * Names as a mask.
 *
 * @throws {ConfigInvalid} for an unknown name; {@link resolveCapabilities} is the lenient way
 */
export function toMask(names: Iterable<string>, field = 'capabilities'): bigint {
  let mask = 0n
  let i = 0
  for (const name of names) mask |= bit(capabilityNumber(name, `${field}[${i++}]`))
  return mask
}

/** The names in a mask, in the kernel's order. */
export function fromMask(mask: bigint, style: NameStyle = 'modern'): string[] {
  return numbersOf(mask).map(number => capabilityName(number, style))
}

/** The numbers in a mask, ascending. */
export function numbersOf(mask: bigint): number[] {
  const numbers: number[] = []
  if (mask === 0n) return numbers
  const words = [Number(mask & 0xffff_ffffn), Number((mask >> 32n) & 0xffff_ffffn)]
  for (let number = 0; number <= HIGHEST; number++)
    if ((words[number >> 5]! >>> (number & 31)) & 1) numbers.push(number)
  return numbers
}

/** The five sets of masks as names. */
export function namesOf(masks: CapabilityMasks, style: NameStyle = 'modern'): CapabilityNames {
  return mapSets(set => fromMask(masks[set], style))
}

/** Is the capability in that set? The effective one unless said otherwise: may the process do it now? */
export function hasCap(masks: CapabilityMasks, name: string, set: SetName = 'effective'): boolean {
  return (masks[set] & bit(capabilityNumber(name))) !== 0n
}

export interface SetDifference {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** What changed from `before` to `after`, set by set. */
export function diffCapabilities(before: CapabilityMasks, after: CapabilityMasks): Record<SetName, SetDifference> {
  return mapSets(set => ({
    added: fromMask(after[set] & ~before[set]),
    removed: fromMask(before[set] & ~after[set]),
  }))
}

/** A record of the five sets, each made by `make`. */
export function mapSets<T>(make: (set: SetName) => T): Record<SetName, T> {
  return {
    bounding: make('bounding'),
    effective: make('effective'),
    inheritable: make('inheritable'),
    permitted: make('permitted'),
    ambient: make('ambient'),
  }
}
