import type { Operator } from './actions.js'
import type { Condition } from './validate.js'

/** A rule on one system call: the answer, when all conditions hold. */
export interface ChainRule {
  readonly value: number
  readonly conditions: readonly Condition[]
}

/** Equality before less before greater, as libseccomp has it. */
const PRECEDENCE: Readonly<Record<Operator, number>> = {
  SCMP_CMP_EQ: 3,
  SCMP_CMP_NE: 3,
  SCMP_CMP_MASKED_EQ: 3,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 2,
  SCMP_CMP_GT: 1,
  SCMP_CMP_GE: 1,
}

/** One word of a comparison, with what decides its place: a higher argument, operator or value comes first. */
interface Word {
  readonly key: string
  readonly argument: number
  readonly precedence: number
  readonly value: number
}

/**
 * The order in which the conditional rules of one system call are tried: the first whose conditions hold decides.
 *
 * It matters only where rules of different actions overlap, for which OCI has no rule; libseccomp's answer, which
 * does not depend on the profile's order, is what every profile in use was tried with.
 */
export function ranked(rules: readonly ChainRule[], wide: boolean): readonly ChainRule[] {
  if (rules.every(rule => rule.value === rules[0]!.value)) return rules
  return order(
    rules.map(rule => ({ rule, words: rule.conditions.flatMap(condition => wordsOf(condition, wide)) })),
    0,
  )
}

interface Entry {
  readonly rule: ChainRule
  readonly words: readonly Word[]
}

/** Rules that begin alike stay together: first the shorter, then by the word in which they part. */
function order(entries: readonly Entry[], depth: number): ChainRule[] {
  const ended = entries.filter(({ words }) => words.length === depth).map(({ rule }) => rule)
  const groups = new Map<string, { word: Word; entries: Entry[] }>()
  for (const entry of entries) {
    const word = entry.words[depth]
    if (word === undefined) continue
    const group = groups.get(word.key)
    if (group) group.entries.push(entry)
    else groups.set(word.key, { word, entries: [entry] })
  }
  const sorted = [...groups.values()].sort((a, b) => compare(b.word, a.word))
  return [...ended, ...sorted.flatMap(group => order(group.entries, depth + 1))]
}

function compare(a: Word, b: Word): number {
  return a.argument - b.argument || a.precedence - b.precedence || a.value - b.value
}

function wordsOf({ index, op, hi, lo, maskHi, maskLo }: Condition, wide: boolean): Word[] {
  const precedence = PRECEDENCE[op]
  // Of two upper limits the smaller one is the narrower.
  const sign = precedence === 2 ? -1 : 1
  const word = (argument: number, value: number, mask: number): Word => {
    return { key: `${argument} ${op} ${value} ${mask}`, argument, precedence, value: sign * value }
  }
  const low = word(index * 2, lo, maskLo)
  return wide ? [word(index * 2 + 1, hi, maskHi), low] : [low]
}
