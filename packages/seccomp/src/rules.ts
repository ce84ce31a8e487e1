import { ACTIONS, ENOSYS } from './actions.js'
import { type Arch, architectureOf } from './architectures.js'
import { type Carrier, carriedBy, isCarrier } from './multiplexed.js'
import { type ChainRule, ranked } from './rank.js'
import { syscallTable } from './syscalls.js'
import type { Condition, ParsedProfile } from './validate.js'

/** Rules that look at arguments, in the order in which they are tried; the profile's default follows. */
export interface Chain {
  readonly rules: readonly ChainRule[]
}

/** What happens to a system call: the filter's answer, or the rules that find it. */
export type Outcome = number | Chain

/** The outcomes of all numbers of an architecture: each holds from its start to the next one's. */
export interface Outcomes {
  readonly starts: readonly number[]
  readonly outcomes: readonly Outcome[]
}

const ENOSYS_VALUE = ACTIONS.SCMP_ACT_ERRNO + ENOSYS

/** What a profile says about every number of `arch`. */
export function outcomesOf(profile: ParsedProfile, arch: Arch): Outcomes {
  const { defaultValue } = profile
  const { base, split = Number.POSITIVE_INFINITY, wide } = architectureOf(arch)
  const { names, numbers, aliases } = syscallTable(arch)
  const find = outcomeFinder(profile, wide, aliases)
  const ranges = new Ranges(base, defaultValue)
  const tail = hidesNewCalls(defaultValue) ? ENOSYS_VALUE : defaultValue
  let highest = -1
  let next = base
  for (let i = 0; i < names.length; i++) {
    const number = numbers[i]!
    const outcome = find(names[i]!)
    if (number !== next) {
      ranges.from(next, defaultValue)
      if (number >= split && next < split) {
        if (highest >= 0) ranges.from(highest + 1, tail)
        ranges.from(split, defaultValue)
        highest = -1
      }
    }
    next = number + 1
    ranges.from(number, outcome ?? defaultValue)
    if (outcome !== undefined) highest = number
  }
  ranges.from(next, defaultValue)
  if (highest >= 0) {
    ranges.from(highest + 1, tail)
    // On s390 a number that the kernel does not know reaches the filter as 0 (arch/s390/kernel/syscall.c).
    if (arch === 's390' || arch === 's390x') ranges.zero(tail)
  }
  return ranges
}

class Ranges implements Outcomes {
  readonly starts: number[]
  readonly outcomes: Outcome[]
  #current: Outcome

  constructor(base: number, outcome: Outcome) {
    this.starts = [base]
    this.outcomes = [outcome]
    this.#current = outcome
  }

  /** From `start` on, which is not before any other, `outcome` holds. */
  from(start: number, outcome: Outcome): void {
    if (outcome === this.#current) return
    this.#current = outcome
    const { starts, outcomes } = this
    const last = starts.length - 1
    if (starts[last] !== start) {
      starts.push(start)
      outcomes.push(outcome)
    } else if (last > 0 && outcomes[last - 1] === outcome) {
      starts.pop()
      outcomes.pop()
    } else {
      outcomes[last] = outcome
    }
  }

  /** Gives the number 0, which no table has, an outcome of its own. */
  zero(outcome: Outcome): void {
    if (this.starts[1] === 1) this.outcomes[0] = outcome
    else {
      this.starts.splice(1, 0, 1)
      this.outcomes.unshift(outcome)
    }
  }
}

type Finder = (name: string) => Outcome | undefined

/**
 * What happens to a call by its name on a 64-bit or a 32-bit architecture; undefined for one that the profile does not
 * mention. Calls with the same rules have the same chain object, and so share ranges and code.
 */
function outcomeFinder(profile: ParsedProfile, wide: boolean, aliases: ReadonlyMap<string, string>): Finder {
  const { mentions, defaultValue } = profile
  // What each rule says of a call by itself, and what several together do.
  const chains: (readonly ChainRule[] | undefined)[] = []
  const single: (Outcome | undefined)[] = []
  const several = new Map<string, Outcome>()

  const chainOf = (rule: number): readonly ChainRule[] => {
    const { value, alternatives } = profile.rules[rule]!
    chains[rule] ??= value === defaultValue ? [] : chainRules(value, alternatives, wide)
    return chains[rule]
  }
  const combined = (rules: readonly number[]): Outcome => {
    const key = rules.join()
    let outcome = several.get(key)
    if (outcome === undefined) {
      outcome = outcomeOf(rules.flatMap(chainOf), defaultValue, wide)
      several.set(key, outcome)
    }
    return outcome
  }
  /** For a call that carries others: what is said of itself and of them, in the profile's order. */
  const carrying = (name: Carrier): Outcome | undefined => {
    const own = list(mentions.get(name)).map(rule => ({ rule, chain: chainOf(rule) }))
    const others = [...carriedBy(name)].flatMap(([other, call]) =>
      list(mentions.get(other)).map(rule => ({ rule, chain: asCarried(chainOf(rule), call) })),
    )
    const all = [...own, ...others].sort((a, b) => a.rule - b.rule)
    if (all.length === 0) return undefined
    return outcomeOf(
      all.flatMap(({ chain }) => chain),
      defaultValue,
      wide,
    )
  }

  return name => {
    if (isCarrier(name)) return carrying(name)
    let rules = mentions.get(name)
    if (aliases.size > 0 && aliases.has(name)) rules = joined(rules, mentions.get(aliases.get(name)!))
    if (rules === undefined) return undefined
    if (typeof rules !== 'number') return combined(rules)
    single[rules] ??= outcomeOf(chainOf(rules), defaultValue, wide)
    return single[rules]
  }
}

function list(rules: number | readonly number[] | undefined): readonly number[] {
  if (rules === undefined) return []
  return typeof rules === 'number' ? [rules] : rules
}

function joined(
  one: number | readonly number[] | undefined,
  other: number | readonly number[] | undefined,
): readonly number[] | undefined {
  if (one === undefined && other === undefined) return undefined
  return [...list(one), ...list(other)].sort((a, b) => a - b)
}

/** A rule without conditions wins over those with; of two the first. */
function outcomeOf(rules: readonly ChainRule[], defaultValue: number, wide: boolean): Outcome {
  if (rules.length === 0) return defaultValue
  const unconditional = rules.find(rule => rule.conditions.length === 0)
  return unconditional ? unconditional.value : { rules: ranked(rules, wide) }
}

/** A rule's alternatives as rules of their own: one without conditions where one of them holds always. */
export function chainRules(
  value: number,
  alternatives: readonly (readonly Condition[])[],
  wide: boolean,
): readonly ChainRule[] {
  const chain = alternatives.map(conditions => ({
    value,
    conditions: conditions.filter(({ maskHi, maskLo }) => maskLo !== 0 || (wide && maskHi !== 0)),
  }))
  const always = chain.length === 0 || chain.some(rule => rule.conditions.length === 0)
  return always ? [{ value, conditions: [] }] : chain
}

/** The same rules for the multiplexer: its first argument is the call, so what a rule says of it cannot be compared. */
export function asCarried(rules: readonly ChainRule[], call: number): readonly ChainRule[] {
  const isCall = { index: 0, op: 'SCMP_CMP_EQ', hi: 0, lo: call, maskHi: 0xffffffff, maskLo: 0xffffffff } as const
  return rules.map(({ value, conditions }) => {
    return { value, conditions: [isCall, ...conditions.filter(({ index }) => index !== 0)] }
  })
}

/**
 * Whether a call that is newer than the profile is told apart from one that it refuses: a libc that gets ENOSYS uses the
 * older call, but one that gets EPERM gives up. A default that lets calls through lets these through, too.
 */
export function hidesNewCalls(defaultValue: number): boolean {
  const kind = (defaultValue & 0x7fff0000) >>> 0
  return kind !== ACTIONS.SCMP_ACT_ALLOW && kind !== ACTIONS.SCMP_ACT_LOG && kind !== ACTIONS.SCMP_ACT_TRACE
}
