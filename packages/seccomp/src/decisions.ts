import { type Facts, infer, learned, usesOf } from './facts.js'
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

export interface DecisionGraph {
  readonly root: Decision
  /** Every test after those that it leads to; its place here is its id. */
  readonly tests: readonly Test[]
}

/** Rules are looked at together up to so many conditions: more would be too deep a recursion for a small stack. */
const TOGETHER = 64

/**
 * Turns the rules of a system call into a graph of tests. No path through it asks what is known already, and equal ends
 * are shared.
 *
 * @param rules - in the order in which they are tried
 * @param otherwise - the answer when none holds
 * @param wide - whether the upper halves of arguments count
 * @param thrifty - makes the least code, not the shortest paths: what is known is forgotten from condition to condition
 */
export function decide(rules: readonly ChainRule[], otherwise: number, wide: boolean, thrifty: boolean): DecisionGraph {
  const tests = new Map<string, Test>()
  let root: Decision = otherwise
  for (const part of partsOf(rules).reverse()) root = decidePart(part, root, wide, thrifty, tests)
  return { root, tests: [...tests.values()] }
}

function partsOf(rules: readonly ChainRule[]): ChainRule[][] {
  const parts: ChainRule[][] = []
  let conditions = TOGETHER
  for (const rule of rules) {
    conditions += rule.conditions.length
    if (conditions > TOGETHER) {
      parts.push([])
      conditions = rule.conditions.length
    }
    parts[parts.length - 1]!.push(rule)
  }
  return parts
}

type Next = (facts: Facts) => Decision

function decidePart(
  rules: readonly ChainRule[],
  otherwise: Decision,
  wide: boolean,
  thrifty: boolean,
  tests: Map<string, Test>,
): Decision {
  const uses = usesOf(rules, wide)
  const reached = new Map<string, Decision>()
  // Each way to a condition knows other facts, and so may get code of its own. That could be too much of it: after some
  // times the size of plain code, facts are forgotten here, too.
  const limit = thrifty ? -1 : uses.conditions * 4 + 64

  function walk(rule: number, condition: number, facts: Facts): Decision {
    const current = rules[rule]
    if (current === undefined) return otherwise
    const compared = current.conditions[condition]
    if (compared === undefined) return current.value
    const place = uses.first[rule]! + condition
    const useful = reached.size > limit ? [] : facts.filter(fact => uses.lastOf(fact) >= place)
    const key = `${place} ${useful.map(fact => `${fact.word} ${fact.mask} ${fact.code} ${fact.k} ${fact.holds}`)}`
    let decision = reached.get(key)
    if (decision === undefined) {
      const yes: Next = known => walk(rule, condition + 1, known)
      const no: Next = known => walk(rule + 1, 0, known)
      decision = compare(compared, useful, yes, no)
      reached.set(key, decision)
    }
    return decision
  }

  /** A comparison of 64 bits as comparisons of their halves. */
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
    const yes = then(learned(facts, { word, mask, code, k, holds: true }))
    const no = otherwise(learned(facts, { word, mask, code, k, holds: false }))
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

function name(decision: Decision): string {
  return typeof decision === 'number' ? `${decision}` : `#${decision.id}`
}
