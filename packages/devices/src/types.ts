import { ConfigInvalid } from '@libcontainer/sys'

/** Character device, block device, FIFO. */
export type NodeType = 'c' | 'b' | 'p'

/** What a rule is about: every device, or those of one kind. */
export type RuleType = 'a' | 'b' | 'c'

/** Is it a type of this package: `a`, `b`, `c`, `p`, or `u`, which is an unbuffered character device and so `c`? */
export function isValidType(type: unknown): boolean {
  return canMknod(type) || canCgroup(type)
}

/** Can a node of this type be made? */
export function canMknod(type: unknown): boolean {
  return ['b', 'c', 'p'].includes(letter(type) ?? '')
}

/** Can a rule be about this type? */
export function canCgroup(type: unknown): boolean {
  return ['a', 'b', 'c'].includes(letter(type) ?? '')
}

/** @throws {ConfigInvalid} for anything but `c`, `u`, `b` or `p`, or their code points */
export function nodeType(type: unknown, field = 'type'): NodeType {
  if (!canMknod(type)) throw new ConfigInvalid(field, type, 'must be "c", "u", "b" or "p"')
  return letter(type) as NodeType
}

/** @throws {ConfigInvalid} for anything but `a`, `b`, `c` or `u`, or their code points */
export function ruleType(type: unknown, field = 'type'): RuleType {
  if (!canCgroup(type)) throw new ConfigInvalid(field, type, 'must be "a", "b" or "c"')
  return letter(type) as RuleType
}

/** The letter; the configurations of 2014 and 2015 hold it as its code point, 99 for `c`. */
function letter(type: unknown): string | undefined {
  const text = typeof type === 'number' && type > 0 && type < 128 ? String.fromCharCode(type) : type
  return text === 'u' ? 'c' : typeof text === 'string' ? text : undefined
}
