import { JEQ, JGT, type Jump } from './program.js'
import type { ChainRule } from './rank.js'

/** What an earlier comparison of a word has shown. */
export interface Fact {
  readonly word: number
  readonly mask: number
  readonly code: Jump
  readonly k: number
  readonly holds: boolean
}

export type Facts = readonly Fact[]

/** The facts with one more, without those that it makes needless. */
export function learned(facts: Facts, fact: Fact): Facts {
  const { word, mask, code, holds } = fact
  const settles = code === JEQ && holds
  const needless = (old: Fact): boolean =>
    old.word === word &&
    old.mask === mask &&
    // A new limit on one side is closer than an old one there, or the old one would have answered.
    (settles || (code !== JEQ && old.code !== JEQ && old.holds === holds))
  return [...facts.filter(old => !needless(old)), fact]
}

/** Whether a comparison holds, as far as the facts tell. */
export function infer(word: number, mask: number, code: Jump, k: number, facts: Facts): boolean | undefined {
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

/** Where in the order of all conditions a fact can still answer something. */
export interface Uses {
  /** How many conditions there are. */
  readonly conditions: number
  /** The place of each rule's first condition. */
  readonly first: readonly number[]
  lastOf(fact: Fact): number
}

export function usesOf(rules: readonly ChainRule[], wide: boolean): Uses {
  const words = new Map<number, number>()
  const values = new Map<string, number>()
  const first: number[] = []
  let place = 0
  for (const { conditions } of rules) {
    first.push(place)
    for (const { index, hi, lo, maskHi, maskLo } of conditions) {
      words.set(index * 2, place)
      values.set(`${index * 2} ${maskLo} ${lo}`, place)
      if (wide) {
        words.set(index * 2 + 1, place)
        values.set(`${index * 2 + 1} ${maskHi} ${hi}`, place)
      }
      place++
    }
  }
  return {
    conditions: place,
    first,
    lastOf({ word, mask, code, k, holds }) {
      // That a word is not one value tells nothing of the others.
      const last = code === JEQ && !holds ? values.get(`${word} ${mask} ${k}`) : words.get(word)
      return last ?? -1
    },
  }
}
