import { type Drivers, parseDrivers, readText } from '@libcontainer/sys'
import { MISC_MAJOR } from './named.js'
import type { RuleType } from './types.js'

/** The drivers of this host, by /proc/devices, and the names of those that share the major number 10, by /proc/misc. */
export interface HostDrivers extends Drivers {
  readonly misc: ReadonlyMap<number, string>
}

/** The drivers that this kernel has loaded. A module that is loaded on demand is absent until then. */
export async function hostDrivers(): Promise<HostDrivers> {
  const [devices, misc] = await Promise.all([readText('/proc/devices'), readText('/proc/misc')])
  return { ...parseDrivers(devices), misc: parseMisc(misc) }
}

/** The text of /proc/misc: a minor number and a name in each line. */
export function parseMisc(text: string): Map<number, string> {
  return new Map(Array.from(text.matchAll(/^[ \t]*(\d+)[ \t]+(\S+)$/gm), ([, minor, name]) => [Number(minor), name!]))
}

/**
 * The name of a device's driver: `tty`, `loop`; with a minor number, of those that share a major one, its own: `fuse`.
 *
 * @returns `undefined` where no driver has the number
 */
export function driverName(
  drivers: Drivers & Partial<HostDrivers>,
  { type, major, minor }: { type: Exclude<RuleType, 'a'>; major: number; minor?: number | undefined },
): string | undefined {
  const misc = type === 'c' && major === MISC_MAJOR && minor !== undefined ? drivers.misc?.get(minor) : undefined
  return misc ?? drivers[type === 'c' ? 'character' : 'block'].get(major)?.[0]
}
