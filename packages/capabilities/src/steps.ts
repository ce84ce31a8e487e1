import type { Step } from '@libcontainer/sys'
import { bit, type CapabilityMasks, fromMask, toMask } from './masks.js'
import { capabilityNumber } from './names.js'
import { parseSecureBits } from './secure-bits.js'
import { type CapabilitySets, type ResolveOptions, resolveCapabilities } from './sets.js'

const SYS_ADMIN = bit(capabilityNumber('CAP_SYS_ADMIN'))
const SETPCAP = bit(capabilityNumber('CAP_SETPCAP'))

/*
 * Steps for `init`: they change the one thread that runs them. In a process with several threads (Node.js) the others
 * would keep what they had, so the ops refuse it there.
 */

export interface CapabilityStepOptions extends ResolveOptions {
  /**
   * Keeps CAP_SYS_ADMIN effective and permitted for the steps that follow, until exec drops it: a seccomp filter
   * needs it where no_new_privs is off. It does not enter the bounding, inheritable or ambient set, from which alone
   * exec computes what the program gets. Default: `false`.
   */
  keepSysAdmin?: boolean | undefined
  /** Secure bits to set, such as `['NOROOT', 'NOROOT_LOCKED']`. Default: they stay as they are. */
  secureBits?: readonly string[] | undefined
  /** The slot that receives the mask of the ambient capabilities that the kernel refused. */
  refusedInto?: string | undefined
}

export interface CapabilitySteps {
  /** For before the change of user and groups, with all capabilities still there. */
  readonly beforeUserSwitch: Step[]
  /** For after it. */
  readonly afterUserSwitch: Step[]
  /** What was left out, as {@link resolveCapabilities} tells it. */
  readonly warnings: readonly string[]
}

/**
 * The steps that bring a process to `sets`, in the two halves around the change of user.
 *
 * @param sets - `null` leaves every set to the kernel's own rules
 * @throws {ConfigInvalid} as {@link resolveCapabilities}
 */
export function capabilitySteps(sets: CapabilitySets | null, options: CapabilityStepOptions = {}): CapabilitySteps {
  if (sets === null) return { ...untouched(options), warnings: [] }
  const { masks, warnings } = resolveCapabilities(sets, options)
  return {
    beforeUserSwitch: [dropBounding(masks.bounding), setKeepCaps(true)],
    afterUserSwitch: [setKeepCaps(false), ...setMasks(masks, options)],
    warnings,
  }
}

/** capset, ambient and secure bits, in the order that lets each succeed. */
function setMasks(
  masks: CapabilityMasks,
  { keepSysAdmin, secureBits, strict, refusedInto }: CapabilityStepOptions,
): Step[] {
  const { permitted, inheritable, ambient } = masks
  const kept = keepSysAdmin ? SYS_ADMIN : 0n
  const effective = masks.effective | kept
  const ambientStep = setAmbient(ambient, { strict, into: refusedInto })
  if (secureBits === undefined) return [setCapabilities(effective, permitted | kept, inheritable), ambientStep]
  // NO_CAP_AMBIENT_RAISE forbids what comes after it, and setting bits needs CAP_SETPCAP: ambient first, then the
  // bits, then CAP_SETPCAP goes unless it was asked for.
  const steps = [
    setCapabilities(effective | SETPCAP, permitted | kept | SETPCAP, inheritable),
    ambientStep,
    setSecureBits(parseSecureBits(secureBits)),
  ]
  if (!(effective & SETPCAP)) steps.push(setCapabilities(effective, permitted | kept, inheritable))
  return steps
}

/** No sets given: only what else was asked for. */
function untouched({ keepSysAdmin, secureBits }: CapabilityStepOptions): Omit<CapabilitySteps, 'warnings'> {
  const bits = secureBits === undefined ? [] : [setSecureBits(parseSecureBits(secureBits))]
  if (!keepSysAdmin) return { beforeUserSwitch: bits, afterUserSwitch: [] }
  // A change from root to another user empties the effective set even with keep-caps, so it is raised again.
  return {
    beforeUserSwitch: [...bits, setKeepCaps(true)],
    afterUserSwitch: [setKeepCaps(false), raiseEffective(SYS_ADMIN)],
  }
}

/** Removes everything but `keep` from the bounding set, so that no later exec can gain it. Needs CAP_SETPCAP. */
export function dropBounding(keep: bigint): Step {
  return {
    op: 'dropBounding',
    args: [keep],
    about: `limit the bounding set to ${named(keep)}`,
    hints: { EPERM: 'dropping from the bounding set needs CAP_SETPCAP' },
  }
}

/** Lets the permitted set survive a change from uid 0 to another, or ends that. */
export function setKeepCaps(on: boolean): Step {
  return {
    op: 'setKeepCaps',
    args: [on ? 1 : 0],
    about: on ? 'keep capabilities across the change of user' : 'stop keeping capabilities across changes of user',
    hints: { EPERM: 'the secure bit KEEP_CAPS is locked' },
  }
}

/** capset(2): the effective, permitted and inheritable sets at once. */
export function setCapabilities(effective: bigint, permitted: bigint, inheritable: bigint): Step {
  return {
    op: 'setCapabilities',
    args: [effective, permitted, inheritable],
    about: `set the permitted capabilities to ${named(permitted)}`,
    hints: { EPERM: 'a process can only give what is in its own permitted and bounding sets' },
  }
}

/** Makes what is permitted and in `mask` effective too. */
export function raiseEffective(mask: bigint): Step {
  return { op: 'raiseEffective', args: [mask], about: `make ${named(mask)} effective` }
}

/**
 * Empties the ambient and inheritable sets and leaves the others alone.
 *
 * The first step of a container with a user namespace of its own: its capabilities were made ambient to survive the
 * exec of `init`, which came before its ids were mapped.
 */
export function clearInherited(): Step {
  return { op: 'clearInherited', args: [], about: 'clear the ambient and inheritable capabilities' }
}

/** Empties the ambient set and raises each of `mask`. A refused one is an error if `strict`, else part of the answer. */
export function setAmbient(
  mask: bigint,
  { strict = false, into }: { strict?: boolean | undefined; into?: string | undefined } = {},
): Step {
  return {
    op: 'setAmbient',
    args: [mask, strict ? 1 : 0],
    about: `set the ambient capabilities to ${named(mask)}`,
    into,
    hints: { EPERM: 'an ambient capability must be permitted and inheritable, and NO_CAP_AMBIENT_RAISE not set' },
  }
}

/** prctl(PR_SET_SECUREBITS). Needs CAP_SETPCAP. */
export function setSecureBits(bits: number): Step {
  return {
    op: 'setSecureBits',
    args: [bits],
    about: `set the secure bits to 0x${bits.toString(16)}`,
    hints: {
      EPERM: 'secure bits need CAP_SETPCAP, and a locked one stays',
      EINVAL: 'the kernel does not know one of the secure bits',
    },
  }
}

/** The classic way: bounding, effective, permitted and inheritable become exactly `keep`. */
export function dropCapabilities(keep: readonly string[]): Step[] {
  const mask = toMask(keep, 'keep')
  return [dropBounding(mask), setCapabilities(mask, mask, mask)]
}

function named(mask: bigint): string {
  return fromMask(mask).join(', ') || 'none'
}
