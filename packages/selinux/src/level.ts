import { ConfigInvalid } from '@libcontainer/sys'

/** A run of categories: the first and the last. */
export type CategoryRun = readonly [first: number, last: number]

/** A level of MLS. */
export interface Level {
  readonly sensitivity: number
  /** Ascending, apart from each other. */
  readonly categories: readonly CategoryRun[]
}

/** What a context's last field tells: the level that something has, and the highest that it may have. */
export interface Range {
  readonly low: Level
  readonly high: Level
}

const NUMBER = /^(?:0|[1-9]\d{0,8})$/

/**
 * Reads a level, such as `s0`, `s0:c1,c2`, `s2:c0.c5,c9`. Pure.
 *
 * @throws {ConfigInvalid} for anything else, also for names that `mcstransd` has given to levels: the kernel does not know them
 */
export function parseLevel(text: string, field = 'level'): Level {
  const [sensitivity = '', categories, ...rest] = typeof text === 'string' ? text.split(':') : []
  const number = numberAfter('s', sensitivity)
  const runs = categories === undefined ? [] : categories.split(',').map(parseRun)
  if (number === undefined || rest.length > 0 || runs.includes(undefined))
    throw new ConfigInvalid(field, text, 'must be a level such as s0, s0:c1,c2 or s0:c0.c1023')
  return { sensitivity: number, categories: union(runs as CategoryRun[]) }
}

/** A level as the kernel writes it: `s0:c0,c1,c5.c9`. Pure. */
export function formatLevel({ sensitivity, categories }: Level): string {
  const runs = categories.map(([first, last]) => {
    if (first === last) return `c${first}`
    return `c${first}${last === first + 1 ? ',' : '.'}c${last}`
  })
  return [`s${sensitivity}`, ...(runs.length === 0 ? [] : [runs.join(',')])].join(':')
}

/**
 * Reads a range, such as `s0-s0:c0.c1023`; a level alone is both of its ends. Pure.
 *
 * @throws {ConfigInvalid} for what is none, and where the high level does not dominate the low one
 */
export function parseRange(text: string, field = 'level'): Range {
  const [low = '', high = low, ...rest] = typeof text === 'string' ? text.split('-') : []
  if (rest.length > 0 || low === '') throw new ConfigInvalid(field, text, 'must be a level, or two with - between')
  const range = { low: parseLevel(low, field), high: parseLevel(high, field) }
  if (!dominates(range.high, range.low))
    throw new ConfigInvalid(field, text, 'must have a high level that dominates the low one')
  return range
}

/** A range as the kernel writes it: one level where both are the same. Pure. */
export function formatRange({ low, high }: Range): string {
  const [from, to] = [formatLevel(low), formatLevel(high)]
  return from === to ? from : `${from}-${to}`
}

/** Whether level `a` dominates `b`: it is as sensitive, and has its categories. Pure. */
export function dominates(a: Level, b: Level): boolean {
  if (a.sensitivity < b.sensitivity) return false
  return b.categories.every(([first, last]) => a.categories.some(([from, to]) => from <= first && last <= to))
}

/** Whether a range holds a level. Pure. */
export const contains = ({ low, high }: Range, level: Level): boolean => dominates(high, level) && dominates(level, low)

/**
 * The part that two ranges share: the greatest lower bound and the least upper bound of their sensitivities, and the categories that both have. Pure.
 *
 * @returns `undefined` where their sensitivities do not meet
 */
export function glbLub(a: Range, b: Range): Range | undefined {
  const low = Math.max(a.low.sensitivity, b.low.sensitivity)
  const high = Math.min(a.high.sensitivity, b.high.sensitivity)
  if (low > high) return undefined
  return {
    low: { sensitivity: low, categories: intersection(a.low.categories, b.low.categories) },
    high: { sensitivity: high, categories: intersection(a.high.categories, b.high.categories) },
  }
}

/** How many categories runs have. Pure. */
export const countCategories = (runs: readonly CategoryRun[]): number =>
  runs.reduce((count, [first, last]) => count + last - first + 1, 0)

/** How many categories the policies of distributions have. */
export const CATEGORIES = 1024

/** Single categories as runs. Pure. */
export const runs = (categories: readonly number[]): CategoryRun[] => union(categories.map(one => [one, one]))

export const ALL_CATEGORIES: Level = { sensitivity: 0, categories: [[0, CATEGORIES - 1]] }

/** The last two, of what containers without labels write: no container gets them. */
export const PRIVILEGED: readonly CategoryRun[] = runs([CATEGORIES - 2, CATEGORIES - 1])

export const isPrivileged = (level: string): boolean => level.endsWith(`:c${CATEGORIES - 2},c${CATEGORIES - 1}`)

/**
 * The pair of categories of a number, each pair having one: 1 is `s0:c0,c1`, 523776 is `s0:c1022,c1023`. Pure.
 *
 * @param categories - how many there are. Default: 1024
 * @throws {ConfigInvalid} for a number that is none of a pair
 */
export function intToMcs(id: number, categories: number = CATEGORIES): string {
  const pairs = (categories * (categories - 1)) / 2
  if (!Number.isInteger(id) || id < 1 || id > pairs)
    throw new ConfigInvalid(
      'id',
      id,
      `must be a whole number from 1 to ${pairs}, the pairs of ${categories} categories`,
    )
  let first = 0
  let left = id
  for (let row = categories - 1; left > row; row--) {
    left -= row
    first++
  }
  return `s0:c${first},c${first + left}`
}

function parseRun(text: string): CategoryRun | undefined {
  const [from = '', to = from, ...rest] = text.split('.')
  const [first, last] = [numberAfter('c', from), numberAfter('c', to)]
  if (first === undefined || last === undefined || first > last || rest.length > 0) return undefined
  return [first, last]
}

function numberAfter(letter: string, text: string): number | undefined {
  return text.startsWith(letter) && NUMBER.test(text.slice(1)) ? Number(text.slice(1)) : undefined
}

/** Runs in order, those that touch being one. */
function union(runs: readonly CategoryRun[]): CategoryRun[] {
  const all: [number, number][] = []
  for (const [first, last] of [...runs].sort(([a], [b]) => a - b)) {
    const before = all.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else all.push([first, last])
  }
  return all
}

function intersection(a: readonly CategoryRun[], b: readonly CategoryRun[]): CategoryRun[] {
  const shared = a.flatMap(([first, last]) =>
    b.map(([from, to]): CategoryRun => [Math.max(first, from), Math.min(last, to)]),
  )
  return union(shared.filter(([first, last]) => first <= last))
}
