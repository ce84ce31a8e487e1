import { ConfigInvalid } from '@libcontainer/sys'

/** Every capability of Linux 6.x; the index is the kernel's number (linux/capability.h). */
export const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const

export type CapabilityName = (typeof CAPABILITIES)[number]

/** How a name is written: `CAP_KILL` (modern) or `KILL` (classic, as the configurations of 2014 and 2015). */
export type NameStyle = 'modern' | 'classic'

/** The highest number that a mask of 64 bits can hold. */
export const HIGHEST = 63

const NUMBERS: ReadonlyMap<string, number> = new Map(CAPABILITIES.map((name, number) => [name, number]))

/** Every capability that this package has a name for, in the kernel's order. */
export function known(): CapabilityName[] {
  return [...CAPABILITIES]
}

/**
 * The number of a capability, or `undefined` for a name that means none.
 *
 * With or without `CAP_`, in any case. A capability newer than {@link CAPABILITIES} goes by its number: `CAP_41`.
 */
export function findCapability(name: string): number | undefined {
  const known = NUMBERS.get(name)
  if (known !== undefined) return known
  // ASCII alone, since toUpperCase() makes an I of U+0131 and an S of U+017F.
  if (!/^[A-Za-z0-9_]+$/.test(name)) return undefined
  const upper = name.toUpperCase()
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  const number = NUMBERS.get(full)
  if (number !== undefined) return number
  const later = /^CAP_([1-9][0-9])$/.exec(full)
  const value = Number(later?.[1])
  return value >= CAPABILITIES.length && value <= HIGHEST ? value : undefined
}

/**
 * The number of a capability, such as 21 for `CAP_SYS_ADMIN`, `sys_admin` or `SYS_ADMIN`.
 *
 * @throws {ConfigInvalid} for an unknown name
 */
export function capabilityNumber(name: string, field = 'capability'): number {
  const number = typeof name === 'string' ? findCapability(name) : undefined
  if (number === undefined) throw new ConfigInvalid(field, name, 'unknown capability')
  return number
}

/** The name of a capability's number: `CAP_SYS_ADMIN`, or `SYS_ADMIN` in the classic style. */
export function capabilityName(number: number, style: NameStyle = 'modern'): string {
  if (!Number.isInteger(number) || number < 0 || number > HIGHEST) {
    throw new ConfigInvalid('number', number, `must be an integer from 0 to ${HIGHEST}`)
  }
  const name = CAPABILITIES[number] ?? `CAP_${number}`
  return style === 'classic' ? name.slice('CAP_'.length) : name
}

/** A capability as libcontainer listed it in 2014: the bare name and the kernel's number. */
export interface Capability {
  readonly key: string
  readonly value: number
}

/** Every known capability under its classic name. */
export function getAllCapabilities(): Capability[] {
  return CAPABILITIES.map((_, value) => ({ key: capabilityName(value, 'classic'), value }))
}

/** The capability of that name, or `undefined`. */
export function getCapability(key: string): Capability | undefined {
  const value = findCapability(key)
  return value === undefined ? undefined : { key: capabilityName(value, 'classic'), value }
}
