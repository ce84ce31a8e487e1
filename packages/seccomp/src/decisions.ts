import { JEQ, JGE, JGT, type Jump } from './program.js'
import type { ChainRule } from './rank.js'
import type { Condition } from './validate.js'

/** One comparison of a 32-bit word of an argument, and what follows from it. */
export interface Test {
  readonly id: number
  /** Twice the argument's index, and one more for its upper half. */
  readonly word: number
  readonly mask: number
  readonly code: Jump
  readonly k: number
  readonly yes: Decision
  readonly no: Decision
}

/** The filter's answer, or a test that leads to it. */
export type Decision = number | Test

/** What earlier tests have shown of a word. */
interface Fact {
  readonly word: number
  readonly mask: number
  readonly code: Jump
  readonly k: number
  readonly holds: boolean
}

type Facts = readonly Fact[]
type Next = (facts: Facts) => Decision

/**
 * Turns the rules of a system call into a graph of tests: no path through it asks what is known already, and equal ends
 * are shared.
 *
 * @param rules - in the order in which they are tried
 * @param otherwise - the answer when none holds
 * @param wide - whether the upper halves of arguments count
 */
export function decide(rules: readonly ChainRule[], otherwise: number, wide: boolean): Decision {
  // Each way to a rule knows other facts, and so may get code of its own. With many rules that would be too much of it:
  // after a few times the size of plain code facts are forgotten from one condition to the next.
  const plain = rules.reduce((sum, rule) => sum + rule.conditions.length * 3, 0)
  const limit = plain * 2 + 16
  const wordsBehind = wordsFrom(rules, wide)
  const reached = new Map<string, Decision>()
  const tests = new Map<string, Test>()

  function walk(rule: number, condition: number, facts: Facts): Decision {
    const current = rules[rule]
    if (current === undefined) return otherwise
    const compared = current.conditions[condition]
    if (compared === undefined) return current.value
    const words = wordsBehind[rule]![condition]!
    const useful = tests.size > limit ? [] : facts.filter(fact => words & (1 << fact.word))
    const key = `${rule} ${condition} ${useful.map(fact => `${fact.word} ${fact.mask} ${fact.code} ${fact.k} ${fact.holds}`)}`
    let decision = reached.get(key)
    if (decision === undefined) {
      const yes: Next = known => walk(rule, condition + 1, known)
      const no: Next = known => walk(rule + 1, 0, known)
      decision = compare(compared, useful, yes, no)
      reached.set(key, decision)
    }
    return decision
  }

  function compare({ index, op, hi, lo, maskHi, maskLo }: Condition, facts: Facts, yes: Next, no: Next): Decision {
    const low = index * 2
    const high = low + 1
    const equal = (known: Facts, then: Next, otherwise: Next): Decision => {
      const lower: Next = more => test(low, maskLo, JEQ, lo, more, then, otherwise)
      return wide ? test(high, maskHi, JEQ, hi, known, lower, otherwise) : lower(known)
    }
    const above = (code: Jump, known: Facts, then: Next, otherwise: Next): Decision => {
      const lower: Next = more => test(low, maskLo, code, lo, more, then, otherwise)
      if (!wide) return lower(known)
      return test(high, maskHi, JGT, hi, known, then, notAbove =>
        test(high, maskHi, JEQ, hi, notAbove, lower, otherwise),
      )
    }
    if (op === 'SCMP_CMP_GT') return above(JGT, facts, yes, no)
    if (op === 'SCMP_CMP_GE') return above(JGE, facts, yes, no)
    if (op === 'SCMP_CMP_LE') return above(JGT, facts, no, yes)
    if (op === 'SCMP_CMP_LT') return above(JGE, facts, no, yes)
    if (op === 'SCMP_CMP_NE') return equal(facts, no, yes)
    return equal(facts, yes, no)
  }

  function test(
    word: number,
    mask: number,
    code: Jump,
    k: number,
    facts: Facts,
    then: Next,
    otherwise: Next,
  ): Decision {
    const known = mask === 0 ? k === 0 : infer(word, mask, code, k, facts)
    if (known !== undefined) return known ? then(facts) : otherwise(facts)
    const yes = then([...facts, { word, mask, code, k, holds: true }])
    const no = otherwise([...facts, { word, mask, code, k, holds: false }])
    if (yes === no) return yes
    const key = `${word} ${mask} ${code} ${k} ${name(yes)} ${name(no)}`
    let made = tests.get(key)
    if (made === undefined) {
      made = { id: tests.size, word, mask, code, k, yes, no }
      tests.set(key, made)
    }
    return made
  }

  return walk(0, 0, [])
}

/** For each condition, a bit for every word that it and what comes after it looks at. */
function wordsFrom(rules: readonly ChainRule[], wide: boolean): number[][] {
  const words: number[][] = []
  let behind = 0
  for (let rule = rules.length - 1; rule >= 0; rule--) {
    const { conditions } = rules[rule]!
    const own: number[] = new Array(conditions.length)
    for (let i = conditions.length - 1; i >= 0; i--) {
      behind |= (wide ? 3 : 1) << (conditions[i]!.index * 2)
      own[i] = behind
    }
    words[rule] = own
  }
  return words
}

/** Whether a comparison holds, as far as the facts tell. */
function infer(word: number, mask: number, code: Jump, k: number, facts: Facts): boolean | undefined {
  let least = 0
  let most = mask
  for (const fact of facts) {
    if (fact.word !== word || fact.mask !== mask) continue
    if (fact.code === code && fact.k === k) return fact.holds
    if (fact.code === JEQ) {
      if (fact.holds) least = most = fact.k
    } else if (fact.holds) {
      least = Math.max(least, fact.code === JGT ? fact.k + 1 : fact.k)
    } else {
      most = Math.min(most, fact.code === JGT ? fact.k : fact.k - 1)
    }
  }
  if (code === JEQ) return k < least || k > most ? false : least === most ? true : undefined
  if (code === JGT) return least > k ? true : most <= k ? false : undefined
  return least >= k ? true : most < k ? false : undefined
}

function name(decision: Decision): string {
  return typeof decision === 'number' ? `${decision}` : `#${decision.id}`
}
