import { ACTIONS, ENOSYS } from './actions.js'
import { type Arch, type Architecture, architectureOf } from './architectures.js'
import { carrierOf } from './multiplexed.js'
import { type ChainRule, ranked } from './rank.js'
import { type SyscallTable, syscallTable } from './syscalls.js'
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
  const architecture = architectureOf(arch)
  const table = syscallTable(arch)
  const found = new Array<number | ChainRule[] | undefined>(table.names.length).fill(undefined)
  const highest = collect(profile, architecture, table, found)
  const chains = new Map<string, Chain>()
  const ids = new Map<ChainRule, number>()
  const ranges = new Ranges(architecture.base, profile.defaultValue)
  const tails = hidesNewCalls(profile.defaultValue) ? highest : []

  // On s390 a number that the kernel does not know reaches the filter as 0 (arch/s390/kernel/syscall.c).
  if (tails[0] !== undefined && (arch === 's390' || arch === 's390x')) ranges.add(0, 1, ENOSYS_VALUE)
  const { split = Number.POSITIVE_INFINITY } = architecture
  for (let at = 0, family = 0; at <= found.length; at++) {
    const number = table.numbers[at] ?? Number.POSITIVE_INFINITY
    if (number >= split && family === 0) {
      if (tails[0] !== undefined) ranges.add(tails[0] + 1, split, ENOSYS_VALUE)
      family = 1
    }
    const entry = found[at]
    if (typeof entry === 'number') ranges.add(number, number + 1, entry)
    else if (entry !== undefined) ranges.add(number, number + 1, shared(entry, architecture.wide, chains, ids))
  }
  const tail = split === Number.POSITIVE_INFINITY ? tails[0] : tails[1]
  if (tail !== undefined) ranges.add(tail + 1, Number.POSITIVE_INFINITY, ENOSYS_VALUE)
  return ranges
}

/** Ranges of numbers with one outcome, added in ascending order; what is not added has the default. */
class Ranges implements Outcomes {
  readonly starts: number[]
  readonly outcomes: Outcome[]
  readonly #default: Outcome

  constructor(base: number, defaultOutcome: Outcome) {
    this.starts = [base]
    this.outcomes = [defaultOutcome]
    this.#default = defaultOutcome
  }

  add(start: number, end: number, outcome: Outcome): void {
    this.#from(start, outcome)
    if (end !== Number.POSITIVE_INFINITY) this.#from(end, this.#default)
  }

  #from(start: number, outcome: Outcome): void {
    const { starts, outcomes } = this
    const last = starts.length - 1
    if (outcomes[last] === outcome) return
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
}

/**
 * Fills in the outcome of each call in the table that a rule is about; a rule without conditions wins over those with.
 * Answers the highest number that the profile mentions in each of the architecture's families of numbers.
 */
function collect(
  { rules, defaultValue }: ParsedProfile,
  { wide, split = Number.POSITIVE_INFINITY }: Architecture,
  { numbers, positions }: SyscallTable,
  found: (number | ChainRule[] | undefined)[],
): (number | undefined)[] {
  const multiplexed = positions.has('socketcall') || positions.has('ipc')
  let first: number | undefined
  let second: number | undefined

  const add = (at: number | undefined, value: number, alternatives: readonly ChainRule[] | undefined): void => {
    if (at === undefined) return
    const present = found[at]
    if (typeof present === 'number') return
    if (alternatives === undefined) found[at] = value
    else if (present === undefined) found[at] = [...alternatives]
    else present.push(...alternatives)
  }

  for (const { names, value, alternatives } of rules) {
    const skipped = value === defaultValue
    const chain = skipped ? undefined : chainRules(value, alternatives, wide)
    for (const name of names) {
      const at = positions.get(name)
      if (at !== undefined) {
        const number = numbers[at]!
        if (number >= split) second = second === undefined || number > second ? number : second
        else if (first === undefined || number > first) first = number
      }
      if (skipped) continue
      add(at, value, chain)
      const carrier = multiplexed ? carrierOf(name) : undefined
      if (carrier) add(positions.get(carrier.via), value, carried(value, chain, carrier.call))
    }
  }
  return [first, second]
}

/** The rules for `alternatives`, or undefined where one of them holds always. */
function chainRules(
  value: number,
  alternatives: readonly (readonly Condition[])[],
  wide: boolean,
): ChainRule[] | undefined {
  if (alternatives.length === 0) return undefined
  const chain = alternatives.map(conditions => ({
    value,
    conditions: conditions.filter(({ maskHi, maskLo }) => maskLo !== 0 || (wide && maskHi !== 0)),
  }))
  return chain.some(rule => rule.conditions.length === 0) ? undefined : chain
}

/** The same rules for the multiplexer: its first argument is the call, so what a rule says of it cannot be compared. */
function carried(value: number, alternatives: readonly ChainRule[] | undefined, call: number): ChainRule[] {
  const isCall = { index: 0, op: 'SCMP_CMP_EQ', hi: 0, lo: call, maskHi: 0xffffffff, maskLo: 0xffffffff } as const
  if (alternatives === undefined) return [{ value, conditions: [isCall] }]
  return alternatives.map(({ conditions }) => {
    return { value, conditions: [isCall, ...conditions.filter(({ index }) => index !== 0)] }
  })
}

/** One chain object for all calls with the same rules, so that they share ranges and code. */
function shared(
  rules: readonly ChainRule[],
  wide: boolean,
  chains: Map<string, Chain>,
  ids: Map<ChainRule, number>,
): Chain {
  let key = ''
  for (const rule of rules) {
    const id = ids.get(rule) ?? ids.size
    ids.set(rule, id)
    key += `${id},`
  }
  let chain = chains.get(key)
  if (chain === undefined) {
    chain = { rules: ranked(rules, wide) }
    chains.set(key, chain)
  }
  return chain
}

/**
 * Whether a call that is newer than the profile is told apart from one that it refuses: a libc that gets ENOSYS uses the
 * older call, but one that gets EPERM gives up. A default that lets calls through lets these through, too.
 */
export function hidesNewCalls(defaultValue: number): boolean {
  const kind = (defaultValue & 0x7fff0000) >>> 0
  return kind !== ACTIONS.SCMP_ACT_ALLOW && kind !== ACTIONS.SCMP_ACT_LOG && kind !== ACTIONS.SCMP_ACT_TRACE
}
