import { ConfigInvalid } from '@libcontainer/sys'
import { ACTIONS, ENOSYS, type Operator, type Verdict, verdictOf } from './actions.js'
import { type Arch, architectureOf, X32_BIT } from './architectures.js'
import { carrierOf } from './multiplexed.js'
import type { Profile } from './profile.js'
import { type ChainRule, ranked } from './rank.js'
import { hidesNewCalls } from './rules.js'
import { syscallNumber } from './syscalls.js'
import { type Condition, type ParsedProfile, type ParsedRule, type ParseOptions, parseProfile } from './validate.js'

export interface EvaluateOptions extends ParseOptions {
  /** The kernel's own architecture, which a filter always looks at. Default: the one that is asked about. */
  native?: Arch | undefined
}

/**
 * What a profile means for one system call, read off its rules and not off the compiled filter: the two are each other's
 * proof.
 *
 * @param syscall - a name, or a number as the kernel gives it
 * @param args - up to six; those not given are 0
 */
export function evaluate(
  profile: Profile,
  arch: Arch,
  syscall: string | number,
  args: readonly (number | bigint)[] = [],
  { native = arch, ...options }: EvaluateOptions = {},
): Verdict {
  const parsed = parseProfile(profile, options)
  const number = typeof syscall === 'number' ? syscall >>> 0 : syscallNumber(arch, syscall)
  if (number === undefined) throw new ConfigInvalid('syscall', syscall, `is no system call of ${arch}`)
  return verdictOf(evaluateParsed(parsed, native, arch, number, args.map(toUnsigned64)))
}

/** The filter's 32-bit answer. */
export function evaluateParsed(
  profile: ParsedProfile,
  native: Arch,
  arch: Arch,
  number: number,
  args: readonly bigint[],
): number {
  const looksAt = (other: Arch): boolean => other === native || profile.architectures.includes(other)
  if (arch === 'x86_64' || arch === 'x32') {
    const ofX32 = number >= X32_BIT
    if (ofX32 && number === 0xffffffff && !looksAt('x32') && looksAt('x86_64')) return profile.defaultValue
    arch = ofX32 ? 'x32' : 'x86_64'
  }
  if (!looksAt(arch)) return ACTIONS.SCMP_ACT_KILL_THREAD
  if (isNewer(profile, arch, number)) return ACTIONS.SCMP_ACT_ERRNO + ENOSYS

  const { wide } = architectureOf(arch)
  const rules = profile.rules.filter(rule => rule.value !== profile.defaultValue)
  const onCall = rules.flatMap(rule => rulesOn(rule, arch, number, wide))
  const unconditional = onCall.find(rule => rule.conditions.length === 0)
  if (unconditional) return unconditional.value
  const matching = ranked(onCall, wide).find(({ conditions }) => conditions.every(one => holds(one, args, wide)))
  return matching?.value ?? profile.defaultValue
}

/** What a rule says of one number: directly, and where the number is that of the call that carries one of its names. */
function rulesOn({ names, value, alternatives }: ParsedRule, arch: Arch, number: number, wide: boolean): ChainRule[] {
  const found: ChainRule[] = []
  const meaningful = ({ maskHi, maskLo }: Condition): boolean => (wide ? maskHi | maskLo : maskLo) !== 0
  const conjunctions = alternatives.length === 0 ? [[]] : alternatives.map(conditions => conditions.filter(meaningful))
  const always = conjunctions.some(conditions => conditions.length === 0)
  const kept = always ? [[]] : conjunctions
  for (const name of names) {
    if (syscallNumber(arch, name) === number) found.push(...kept.map(conditions => ({ value, conditions })))
    const carrier = carrierOf(name)
    if (carrier === undefined || syscallNumber(arch, carrier.via) !== number) continue
    const first = {
      index: 0,
      op: 'SCMP_CMP_EQ',
      hi: 0,
      lo: carrier.call,
      maskHi: 0xffffffff,
      maskLo: 0xffffffff,
    } as const
    found.push(
      ...kept.map(conditions => ({ value, conditions: [first, ...conditions.filter(({ index }) => index > 0)] })),
    )
  }
  return found
}

const OPERATIONS: Readonly<Record<Operator, (argument: bigint, value: bigint, mask: bigint) => boolean>> = {
  SCMP_CMP_NE: (argument, value) => argument !== value,
  SCMP_CMP_LT: (argument, value) => argument < value,
  SCMP_CMP_LE: (argument, value) => argument <= value,
  SCMP_CMP_EQ: (argument, value) => argument === value,
  SCMP_CMP_GE: (argument, value) => argument >= value,
  SCMP_CMP_GT: (argument, value) => argument > value,
  SCMP_CMP_MASKED_EQ: (argument, value, mask) => (argument & mask) === value,
}

function holds({ index, op, hi, lo, maskHi, maskLo }: Condition, args: readonly bigint[], wide: boolean): boolean {
  const whole = (upper: number, lower: number): bigint => (wide ? BigInt(upper) << 32n : 0n) | BigInt(lower)
  const argument = BigInt.asUintN(wide ? 64 : 32, args[index] ?? 0n)
  return OPERATIONS[op](argument, whole(hi, lo), whole(maskHi, maskLo))
}

/** Whether a number is above all that the profile mentions: a call that came to the kernel after the profile. */
function isNewer({ rules, defaultValue }: ParsedProfile, arch: Arch, number: number): boolean {
  if (!hidesNewCalls(defaultValue)) return false
  const { split } = architectureOf(arch)
  const family = (other: number): boolean => split === undefined || other >= split === number >= split
  let highest = -1
  for (const { names } of rules) {
    for (const name of names) {
      const mentioned = syscallNumber(arch, name)
      if (mentioned !== undefined && family(mentioned) && mentioned > highest) highest = mentioned
    }
  }
  if (highest < 0) return false
  return number > highest || (number === 0 && (arch === 's390' || arch === 's390x'))
}

export function toUnsigned64(value: number | bigint): bigint {
  return BigInt.asUintN(64, BigInt(value))
}
