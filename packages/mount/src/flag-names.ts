import { MS } from './flags.js'
import type { CheckedMount } from './mount.js'

const names = Object.entries(MS).map(([name, bit]) => [`MS_${name}`, bit] as const)

/** Most mounts of a container have the flags of another. */
const found = new Map<number, string>()

/** Flags of mount(2) by their names, `MS_RDONLY|MS_BIND`; bits without one in hexadecimal. */
export function flagNames(flags: number): string {
  const known = found.get(flags)
  if (known !== undefined) return known
  const text = namesOf(flags)
  found.set(flags, text)
  return text
}

function namesOf(flags: number): string {
  const known = names.filter(([, bit]) => flags & bit)
  const rest = known.reduce((left, [, bit]) => left & ~bit, flags) >>> 0
  const words: string[] = known.map(([name]) => name)
  if (rest !== 0) words.push(`0x${rest.toString(16)}`)
  return words.length === 0 ? '0' : words.join('|')
}

/** What an error tells of a mount beside its step: all that was asked of the kernel. */
export function mountDetail({ kind, type, source, options: { flags, data } }: CheckedMount): string {
  const what = kind === 'bind' ? 'path' : 'name'
  const detail = `source ${what} '${source || type}', flags ${flagNames(flags)}`
  return data.length === 0 ? detail : `${detail}, data '${data.join(',')}'`
}
