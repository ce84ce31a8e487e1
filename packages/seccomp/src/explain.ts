import { type Verdict, verdictOf } from './actions.js'
import { type Arch, architectureOf, ociArch } from './architectures.js'
import { compile } from './compile.js'
import type { Profile } from './profile.js'
import { type Outcome, outcomesOf } from './rules.js'
import { type Instruction, instructions } from './simulate.js'
import { syscallTable } from './syscalls.js'
import { type Condition, type ParseOptions, parseProfile, unknownNames } from './validate.js'

/** Calls that one verdict is for, whatever their arguments. */
export interface ExplainedCalls {
  readonly verdict: Verdict
  readonly names: readonly string[]
}

/** Calls whose arguments decide: by the first of the rules that holds, or else by the default. */
export interface ExplainedRules {
  readonly names: readonly string[]
  readonly rules: readonly {
    readonly verdict: Verdict
    /** All must hold: `args[0] & 0x7e020000 == 0x0`. */
    readonly conditions: readonly string[]
  }[]
}

/** What a profile says of the calls of one architecture. */
export interface ExplainedArch {
  readonly arch: Arch
  /** By verdict, that of most calls first. */
  readonly calls: readonly ExplainedCalls[]
  readonly conditional: readonly ExplainedRules[]
}

/** What a profile means as a whole, and what its filter costs. */
export interface Explanation {
  /** Of at most 4096. */
  readonly instructions: number
  /** How many instructions the kernel runs for a call at most. */
  readonly longestPath: number
  /** For a call that no rule matches. */
  readonly default: Verdict
  /** Of each architecture that the filter looks at; of all others every call kills. */
  readonly architectures: readonly ExplainedArch[]
  /** Whether calls wait for an agent. */
  readonly notify: boolean
  /** Names that no architecture has. */
  readonly unknown: readonly string[]
}

/**
 * What a profile says of every call that this package knows, and what its filter costs.
 *
 * @throws {ConfigInvalid} as `compile`
 */
export function explain(profile: Profile, { arch, ...options }: ParseOptions & { arch: Arch }): Explanation {
  const parsed = parseProfile(profile, options)
  const { filter, notify } = compile(profile, { arch, ...options })
  const program = instructions(filter)
  const archs = [...new Set([arch, ...parsed.architectures])]
  return {
    instructions: program.length,
    longestPath: longestPath(program),
    default: verdictOf(parsed.defaultValue),
    architectures: archs.map(one => {
      const { starts, outcomes } = outcomesOf(parsed, one)
      const { names, numbers } = syscallTable(one)
      let at = 0
      const found = names.map((name, i): [string, Outcome] => {
        while (at + 1 < starts.length && starts[at + 1]! <= numbers[i]!) at++
        return [name, outcomes[at]!]
      })
      return explained(one, found)
    }),
    notify,
    unknown: unknownNames(parsed),
  }
}

function explained(arch: Arch, found: readonly (readonly [string, Outcome])[]): ExplainedArch {
  const byOutcome = new Map<Outcome, string[]>()
  for (const [name, outcome] of found) {
    const names = byOutcome.get(outcome)
    if (names === undefined) byOutcome.set(outcome, [name])
    else names.push(name)
  }
  const calls: ExplainedCalls[] = []
  const conditional: ExplainedRules[] = []
  const { wide } = architectureOf(arch)
  for (const [outcome, names] of byOutcome) {
    if (typeof outcome === 'number') calls.push({ verdict: verdictOf(outcome), names: names.sort() })
    else {
      const rules = outcome.rules.map(({ value, conditions }) => ({
        verdict: verdictOf(value),
        conditions: conditions.map(condition => conditionText(condition, wide)),
      }))
      conditional.push({ names: names.sort(), rules })
    }
  }
  calls.sort((a, b) => b.names.length - a.names.length)
  return { arch, calls, conditional }
}

const SIGNS = {
  SCMP_CMP_NE: '!=',
  SCMP_CMP_LT: '<',
  SCMP_CMP_LE: '<=',
  SCMP_CMP_EQ: '==',
  SCMP_CMP_GE: '>=',
  SCMP_CMP_GT: '>',
  SCMP_CMP_MASKED_EQ: '==',
} as const

function conditionText({ index, op, hi, lo, maskHi, maskLo }: Condition, wide: boolean): string {
  const whole = (high: number, low: number): string =>
    `0x${((wide ? BigInt(high) << 32n : 0n) | BigInt(low)).toString(16)}`
  const mask = op === 'SCMP_CMP_MASKED_EQ' ? ` & ${whole(maskHi, maskLo)}` : ''
  return `args[${index}]${mask} ${SIGNS[op]} ${whole(hi, lo)}`
}

/** Jumps go forward only: from the end to the beginning each instruction's way is known when it is asked for. */
function longestPath(program: readonly Instruction[]): number {
  const longest: number[] = []
  for (let at = program.length - 1; at >= 0; at--) {
    const { code, jt, jf, k } = program[at]!
    const from = (target: number): number => longest[at + 1 + target] ?? 0
    if ((code & 7) === 6) longest[at] = 1
    else if (code === 0x05) longest[at] = 1 + from(k)
    else if ((code & 7) === 5) longest[at] = 1 + Math.max(from(jt), from(jf))
    else longest[at] = 1 + from(0)
  }
  return longest[0]!
}

/** An explanation as text, for people. */
export function explanationText(explanation: Explanation): string {
  const { instructions: count, longestPath: longest, architectures, unknown, notify } = explanation
  const say = ({ action, data }: Verdict): string => (data === undefined ? action : `${action} ${data}`)
  const lines = [
    `${count} instructions, at most ${longest} of them for a call; else ${say(explanation.default)}`,
    ...(notify ? ['calls wait for an agent'] : []),
    ...(unknown.length > 0 ? [`unknown: ${unknown.join(' ')}`] : []),
  ]
  for (const { arch, calls, conditional } of architectures) {
    lines.push('', ociArch(arch))
    for (const { verdict, names } of calls) lines.push(`  ${say(verdict)}: ${names.length} calls: ${names.join(' ')}`)
    for (const { names, rules } of conditional) {
      lines.push(`  ${names.join(' ')}:`)
      for (const { verdict, conditions } of rules) lines.push(`    ${conditions.join(' and ')}: ${say(verdict)}`)
    }
  }
  return `${lines.join('\n')}\n`
}
