import { ConfigInvalid } from '@libcontainer/sys'
import { MS } from './flags.js'
import type { Mount } from './mount.js'
import type { Propagation } from './propagation.js'

/** A mount of libcontainer's own configuration of 2015: flags as numbers of mount(2), data as one string. */
export interface ClassicMount {
  readonly source?: string | undefined
  readonly destination: string
  /** `bind`, `proc`, `sysfs`, `tmpfs`, `devpts`, `mqueue` or `cgroup`. */
  readonly device: string
  readonly flags?: number | undefined
  readonly propagationFlags?: readonly number[] | undefined
  readonly data?: string | undefined
}

const devices = new Set(['bind', 'proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup'])

const words: readonly (readonly [flag: number, word: string])[] = [
  [MS.RDONLY, 'ro'],
  [MS.NOSUID, 'nosuid'],
  [MS.NODEV, 'nodev'],
  [MS.NOEXEC, 'noexec'],
  [MS.SYNCHRONOUS, 'sync'],
  [MS.REMOUNT, 'remount'],
  [MS.MANDLOCK, 'mand'],
  [MS.DIRSYNC, 'dirsync'],
  [MS.NOSYMFOLLOW, 'nosymfollow'],
  [MS.NOATIME, 'noatime'],
  [MS.NODIRATIME, 'nodiratime'],
  [MS.SILENT, 'silent'],
  [MS.RELATIME, 'relatime'],
  [MS.I_VERSION, 'iversion'],
  [MS.STRICTATIME, 'strictatime'],
  [MS.LAZYTIME, 'lazytime'],
]

const propagations: readonly (readonly [flag: number, word: 'private' | 'slave' | 'shared' | 'unbindable'])[] = [
  [1 << 18, 'private'],
  [1 << 19, 'slave'],
  [1 << 20, 'shared'],
  [1 << 17, 'unbindable'],
]

/**
 * The same mount in words.
 *
 * @param field - its place in the configuration, for errors: `mounts[2]`
 * @throws {ConfigInvalid} for an unknown device or flag
 */
export function fromClassicMount(mount: ClassicMount, field: string): Mount {
  const { device, flags = 0, data = '' } = mount
  if (!devices.has(device)) throw new ConfigInvalid(`${field}.device`, device, 'unknown mount device')
  const options: string[] = []
  let left = flags
  const take = (flag: number, word: string): void => {
    if ((left & flag) === flag) options.push(word)
    left &= ~flag
  }
  if (left & MS.BIND) take(left & (MS.BIND | MS.REC), left & MS.REC ? 'rbind' : 'bind')
  for (const [flag, word] of words) if (left & flag) take(flag, word)
  if (left !== 0)
    throw new ConfigInvalid(`${field}.flags`, flags, `has bits that no mount takes: 0x${(left >>> 0).toString(16)}`)
  for (const flag of mount.propagationFlags ?? []) options.push(propagationWord(flag, `${field}.propagationFlags`))
  if (data !== '') options.push(data)
  return { destination: mount.destination, type: device, source: mount.source, options }
}

function propagationWord(flag: number, field: string): Propagation {
  const found = propagations.find(([bit]) => (flag & ~MS.REC) === bit)
  if (found === undefined)
    throw new ConfigInvalid(field, flag, 'must be one of the propagation flags of mount(2), with or without MS_REC')
  return flag & MS.REC ? `r${found[1]}` : found[1]
}
