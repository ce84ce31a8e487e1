import { ConfigInvalid } from '@libcontainer/sys'

/** TC_H_ROOT, TC_H_INGRESS and TC_H_CLSACT (which has the number of ingress) of linux/pkt_sched.h. */
export const TC_H_ROOT = 0xffff_ffff
export const TC_H_INGRESS = 0xffff_fff1

const WORDS: Readonly<Record<string, number>> = {
  root: TC_H_ROOT,
  ingress: TC_H_INGRESS,
  clsact: TC_H_INGRESS,
  none: 0,
}

/**
 * The number of a queueing discipline or class.
 *
 * @param text - as tc(8) writes it: `1:` for a discipline, `1:10` for a class, both halves hexadecimal; or `root`, `ingress`, `clsact`
 * @throws {ConfigInvalid} that names `field`
 */
export function parseHandle(text: string, field = 'handle'): number {
  const word = Object.hasOwn(WORDS, text) ? WORDS[text] : undefined
  if (word !== undefined) return word
  const parts = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})?$/i.exec(text)
  if (parts === null)
    throw new ConfigInvalid(field, text, 'must be root, ingress, clsact or hexadecimal numbers such as 1: or 1:10')
  return ((Number.parseInt(parts[1]!, 16) << 16) | Number.parseInt(parts[2] ?? '0', 16)) >>> 0
}

/** {@link parseHandle}, of a discipline itself, whose minor number is 0. */
export function parseQdiscHandle(text: string, field = 'handle'): number {
  const handle = parseHandle(text, field)
  if ((handle & 0xffff) !== 0 || handle === 0)
    throw new ConfigInvalid(field, text, 'must be the number of a queueing discipline: nothing behind the colon, as 1:')
  return handle
}

/** {@link parseHandle}, of a class: its minor number is not 0. */
export function parseClassId(text: string, field = 'classid'): number {
  const handle = parseHandle(text, field)
  if ((handle & 0xffff) === 0 || handle >= TC_H_INGRESS)
    throw new ConfigInvalid(field, text, 'must be the number of a class: its discipline and its own, as 1:10')
  return handle
}

/** A number as text: `1:`, `1:10`, `root`, `ingress` (also for clsact); 0 is `none`. */
export function formatHandle(handle: number): string {
  if (handle === TC_H_ROOT) return 'root'
  if (handle === TC_H_INGRESS) return 'ingress'
  if (handle === 0) return 'none'
  const minor = handle & 0xffff
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}
