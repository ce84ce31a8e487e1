import { ConfigInvalid, shown } from '@libcontainer/sys'
import { bit, type CapabilityMasks, fromMask, mapSets, SETS, type SetName } from './masks.js'
import { CAPABILITIES, capabilityName, findCapability, HIGHEST } from './names.js'

/** The five sets as a configuration says them. A list that is absent is empty. */
export interface CapabilitySets {
  bounding?: readonly string[] | undefined
  effective?: readonly string[] | undefined
  inheritable?: readonly string[] | undefined
  permitted?: readonly string[] | undefined
  ambient?: readonly string[] | undefined
}

export interface ResolveOptions {
  /** The highest capability of the running kernel, from {@link lastCap}. Default: the highest known. */
  lastCap?: number | undefined
  /** What the process that starts the container can hand on: a mask. Default: everything. */
  available?: bigint | undefined
  /** Makes an error of what would be left out with a warning. Default: `false`, as OCI wants it. */
  strict?: boolean | undefined
  /** Where the sets stand in the request, for errors. Default: `capabilities`. */
  field?: string | undefined
}

export interface ResolvedCapabilities {
  readonly masks: CapabilityMasks
  /** What was left out and why, one sentence each. */
  readonly warnings: readonly string[]
}

/**
 * The masks that the kernel will accept for `sets`, and what had to be left out.
 *
 * Left out are names that are unknown or unavailable, and what the kernel would refuse: an effective capability that
 * is not permitted, an inheritable one that is not in the bounding set, an ambient one that is not both permitted
 * and inheritable.
 *
 * @throws {ConfigInvalid} for anything but lists of strings; with `strict`, for whatever would be left out
 */
export function resolveCapabilities(sets: CapabilitySets, options: ResolveOptions = {}): ResolvedCapabilities {
  const { strict = false, field = 'capabilities' } = options
  const ignored = new Set<string>()
  checkShape(sets, field)
  const asked = mapSets(set => maskOf(sets[set] ?? [], `${field}.${set}`, options, strict, ignored))

  const warnings: string[] = []
  if (ignored.size > 0)
    warnings.push(`unknown or unavailable capabilities are ignored: ${[...ignored].sort().join(', ')}`)
  const granted = (set: SetName, limit: bigint, rule: string): bigint => {
    const refused = fromMask(asked[set] & ~limit)
    if (refused.length === 0) return asked[set]
    if (strict) throw new ConfigInvalid(`${field}.${set}`, refused[0], rule)
    warnings.push(`${set} capabilities are ignored: ${refused.join(', ')}: ${rule}`)
    return asked[set] & limit
  }
  const { bounding, permitted } = asked
  const effective = granted('effective', permitted, 'an effective capability must be permitted too')
  const inheritable = granted('inheritable', bounding, 'an inheritable capability must be in the bounding set too')
  const ambient = granted(
    'ambient',
    permitted & inheritable,
    'an ambient capability must be permitted and inheritable too',
  )
  return { masks: { bounding, effective, inheritable, permitted, ambient }, warnings }
}

function checkShape(sets: CapabilitySets, field: string): void {
  if (typeof sets !== 'object' || sets === null || Array.isArray(sets)) {
    throw new ConfigInvalid(field, sets, `must be an object with the lists ${SETS.join(', ')}`)
  }
  for (const key of Object.keys(sets)) {
    if (!SETS.includes(key as SetName))
      throw new ConfigInvalid(`${field}.${key}`, key, `must be one of ${SETS.join(', ')}`)
  }
}

function maskOf(
  names: readonly string[],
  field: string,
  { lastCap = CAPABILITIES.length - 1, available }: ResolveOptions,
  strict: boolean,
  ignored: Set<string>,
): bigint {
  if (!Array.isArray(names)) throw new ConfigInvalid(field, names, 'must be a list of names')
  let mask = 0n
  names.forEach((name, i) => {
    if (typeof name !== 'string') throw new ConfigInvalid(`${field}[${i}]`, name, 'must be a name')
    const number = findCapability(name)
    if (number === undefined) {
      if (strict) throw new ConfigInvalid(`${field}[${i}]`, name, 'unknown capability')
      ignored.add(/^\w+$/.test(name) ? name : shown(name))
    } else if (number > Math.min(lastCap, HIGHEST) || (available !== undefined && !(available & bit(number)))) {
      if (strict)
        throw new ConfigInvalid(`${field}[${i}]`, name, 'the kernel or the calling process has no such capability')
      ignored.add(capabilityName(number))
    } else {
      mask |= bit(number)
    }
  })
  return mask
}
