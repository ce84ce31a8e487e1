import { ConfigInvalid } from '@libcontainer/sys'
import { bit, type CapabilityMasks, fromMask } from './masks.js'
import { CAPABILITIES, findCapability } from './names.js'

/** The three sets that cap_from_text(3) speaks of. */
export type TextMasks = Pick<CapabilityMasks, 'effective' | 'inheritable' | 'permitted'>

/** In the order in which cap_to_text(3) writes them. */
const FLAGS = [
  ['e', 'effective'],
  ['i', 'inheritable'],
  ['p', 'permitted'],
] as const

const KNOWN = bit(CAPABILITIES.length) - 1n

/**
 * The masks of a text such as `cap_chown,cap_kill=ep`, `=ep cap_sys_admin-ep` or `all=p cap_chown+e`: cap_from_text(3).
 *
 * @param all - the capabilities that `all`, or an empty list before `=`, stands for. Default: the known ones
 * @throws {ConfigInvalid} naming the clause that cannot be read
 */
export function parseText(text: string, all: bigint = KNOWN): TextMasks {
  const masks = { effective: 0n, inheritable: 0n, permitted: 0n }
  const clauses = text.split(/[ \t\n\r]+/).filter(clause => clause !== '')
  if (clauses.length === 0) throw new ConfigInvalid('text', text, 'must hold a clause; "=" is the empty set')
  for (const clause of clauses) {
    const parts = /^([A-Za-z0-9_,]*)((?:[=+-][eip]*)+)$/.exec(clause)
    if (!parts) throw new ConfigInvalid('text', clause, 'must be names, then "=", "+" or "-" and the flags e, i, p')
    const [, list = '', actions = ''] = parts
    if (list === '' && !actions.startsWith('=')) {
      throw new ConfigInvalid('text', clause, 'only "=" may stand without names; write all+… or all-…')
    }
    const mask = listMask(list, clause, all)
    for (const [action = ''] of actions.matchAll(/[=+-][eip]*/g)) apply(masks, mask, action, clause)
  }
  return masks
}

function listMask(list: string, clause: string, all: bigint): bigint {
  if (list === '' || list.toLowerCase() === 'all') return all
  let mask = 0n
  for (const name of list.split(',')) {
    const number = findCapability(name)
    if (number === undefined) throw new ConfigInvalid('text', clause, `unknown capability '${name}'`)
    mask |= bit(number)
  }
  return mask
}

function apply(masks: Record<keyof TextMasks, bigint>, mask: bigint, action: string, clause: string): void {
  const [operator] = action
  if (operator !== '=' && action.length === 1) throw new ConfigInvalid('text', clause, `"${operator}" needs a flag`)
  for (const [letter, set] of FLAGS) {
    if (operator === '=') masks[set] &= ~mask
    if (!action.includes(letter)) continue
    if (operator === '-') masks[set] &= ~mask
    else masks[set] |= mask
  }
}

/**
 * Masks as text, letter for letter as cap_to_text(3) shortens it: the flags that most capabilities have come first, for
 * all of them, and what differs from that follows: `=ep cap_sys_resource-ep`.
 *
 * @param all - the capabilities among which "most" is found. Default: the known ones
 */
export function formatText(masks: TextMasks, all: bigint = KNOWN): string {
  const base = mostOf(masks, all)
  const clauses = base === '' ? [] : [`=${base}`]
  for (const flags of COMBINATIONS) {
    const members = having(masks, flags)
    // What lies outside `all` has no base to differ from.
    for (const [part, from] of [
      [members & all, base],
      [members & ~all, ''],
    ] as const) {
      const names = fromMask(part).join(',').toLowerCase()
      const added = without(flags, from)
      const removed = without(from, flags)
      if (names === '' || added + removed === '') continue
      const sign = clauses.length === 0 ? '=' : '+'
      clauses.push(`${names}${added && sign + added}${removed && `-${removed}`}`)
    }
  }
  return clauses.length > 0 ? clauses.join(' ') : '='
}

/** Every set of flags, in the order of cap_to_text(3). */
const COMBINATIONS = ['eip', 'ip', 'ei', 'i', 'ep', 'p', 'e', '']

/** The capabilities that have exactly these flags. */
function having(masks: TextMasks, flags: string): bigint {
  return FLAGS.reduce((left, [letter, set]) => left & (flags.includes(letter) ? masks[set] : ~masks[set]), ~0n)
}

/** The flags that most capabilities have. */
function mostOf(masks: TextMasks, all: bigint): string {
  const size = (flags: string): number => fromMask(having(masks, flags) & all).length
  return COMBINATIONS.reduce((most, flags) => (size(flags) > size(most) ? flags : most))
}

/** The letters of `a` that are not in `b`. */
function without(a: string, b: string): string {
  return [...a].filter(letter => !b.includes(letter)).join('')
}
