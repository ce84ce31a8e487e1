import { ConfigInvalid } from '@libcontainer/sys'
import { ACTIONS, ENOSYS, type Operator, type Verdict, verdictOf } from './actions.js'
import { type Arch, architectureOf, X32_BIT } from './architectures.js'
import { carriedBy, carriers } from './multiplexed.js'
import type { Profile } from './profile.js'
import { type ChainRule, ranked } from './rank.js'
import { asCarried, chainRules, hidesNewCalls } from './rules.js'
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
  const meaning = new Meaning(parseProfile(profile, options), native)
  const number = typeof syscall === 'number' ? syscall >>> 0 : syscallNumber(arch, syscall)
  if (number === undefined) throw new ConfigInvalid('syscall', syscall, `is no system call of ${arch}`)
  return verdictOf(meaning.of(arch, number, args.map(toUnsigned64)))
}

/** What a profile means, on a kernel of one architecture. */
export class Meaning {
  readonly #profile: ParsedProfile
  readonly #archs: ReadonlySet<Arch>
  readonly #highest = new Map<Arch, readonly number[]>()

  constructor(profile: ParsedProfile, native: Arch) {
    this.#profile = profile
    this.#archs = new Set([native, ...profile.architectures])
  }

  /** The filter's 32-bit answer. */
  of(asked: Arch, number: number, args: readonly bigint[]): number {
    const { rules, defaultValue } = this.#profile
    const arch = this.#archOf(asked, number)
    if (arch === undefined) return defaultValue
    if (!this.#archs.has(arch)) return ACTIONS.SCMP_ACT_KILL_THREAD
    if (this.#isNewer(arch, number)) return ACTIONS.SCMP_ACT_ERRNO + ENOSYS

    const { wide } = architectureOf(arch)
    const onCall = rules.flatMap(rule => (rule.value === defaultValue ? [] : rulesOn(rule, arch, number, wide)))
    const unconditional = onCall.find(rule => rule.conditions.length === 0)
    if (unconditional) return unconditional.value
    const matching = ranked(onCall, wide).find(({ conditions }) => conditions.every(one => holds(one, args, wide)))
    return matching?.value ?? defaultValue
  }

  /** x86_64 and x32 are one to the kernel, and told apart by the number; -1 is what a tracer makes of a cancelled call. */
  #archOf(arch: Arch, number: number): Arch | undefined {
    if (arch !== 'x86_64' && arch !== 'x32') return arch
    if (number < X32_BIT) return 'x86_64'
    return number === 0xffffffff && !this.#archs.has('x32') && this.#archs.has('x86_64') ? undefined : 'x32'
  }

  /** Whether a number is above all that the profile mentions: a call that came to the kernel after the profile. */
  #isNewer(arch: Arch, number: number): boolean {
    if (!hidesNewCalls(this.#profile.defaultValue)) return false
    const { split = Number.POSITIVE_INFINITY } = architectureOf(arch)
    let highest = this.#highest.get(arch)
    if (highest === undefined) {
      const mentioned = numbersMentioned(this.#profile, arch)
      highest = [mentioned.filter(one => one < split), mentioned.filter(one => one >= split)].map(family =>
        family.reduce((most, one) => Math.max(most, one), -1),
      )
      this.#highest.set(arch, highest)
    }
    const last = highest[number < split ? 0 : 1]!
    return last >= 0 && (number > last || (number === 0 && (arch === 's390' || arch === 's390x')))
  }
}

/** The numbers of all names, and of the calls that carry them. */
function numbersMentioned({ rules }: ParsedProfile, arch: Arch): number[] {
  const names = rules.flatMap(rule => rule.names)
  const carrying = carriers.filter(carrier => names.some(name => carriedBy(carrier).has(name)))
  return [...names, ...carrying].flatMap(name => syscallNumber(arch, name) ?? [])
}

/** What a rule says of one number: directly, and where the number is that of the call that carries one of its names. */
function rulesOn({ names, value, alternatives }: ParsedRule, arch: Arch, number: number, wide: boolean): ChainRule[] {
  const carrier = carriers.find(carrier => syscallNumber(arch, carrier) === number)
  return names.flatMap(name => {
    const direct = syscallNumber(arch, name) === number
    const call = carrier === undefined ? undefined : carriedBy(carrier).get(name)
    if (!direct && call === undefined) return []
    const rules = chainRules(value, alternatives, wide)
    return [...(direct ? rules : []), ...(call === undefined ? [] : asCarried(rules, call))]
  })
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

export function toUnsigned64(value: number | bigint): bigint {
  return BigInt.asUintN(64, BigInt(value))
}
