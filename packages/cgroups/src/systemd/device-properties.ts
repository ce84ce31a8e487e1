import { parseDrivers } from '@libcontainer/sys'
import { DevicePolicy } from '../devices/policy.js'
import type { DeviceRule } from '../devices/rule.js'
import type { UnitProperty } from './property.js'

/** The first systemd that takes a driver of devices by its number: `char-136`. */
export const NUMBERS_SINCE = 240

/**
 * Device rules in systemd's words, which writes them again at each daemon-reload. Pure.
 *
 * systemd knows lists of what is allowed only. All but some devices become none here, and so does what allows a minor number of every driver: the
 * cgroup's own rules are written afterwards and say what holds, and what systemd may write later allows less, never more.
 *
 * @param drivers - the text of /proc/devices, by which systemd before 240 names the drivers
 */
export function deviceProperties(rules: readonly DeviceRule[], systemd: number, drivers = ''): UnitProperty[] {
  const policy = DevicePolicy.of(rules)
  const allowed = policy.allowsByDefault ? [] : policy.exceptions.flatMap(rule => allowance(rule, systemd, drivers))
  const list = (value: UnitProperty['value']): UnitProperty => ({ name: 'DeviceAllow', type: 'a(ss)', value })
  return [
    { name: 'DevicePolicy', type: 's', value: policy.isAllowAll ? 'auto' : 'strict' },
    // Without it the list would be added to the one before.
    list([]),
    ...(allowed.length === 0 ? [] : [list(allowed)]),
  ]
}

function allowance(
  { type, major, minor, access = 'rwm' }: DeviceRule,
  systemd: number,
  drivers: string,
): [string, string][] {
  const block = type === 'b'
  const group = block ? 'block' : 'char'
  if (major === undefined) return minor === undefined ? [[`${group}-*`, access]] : []
  if (minor !== undefined) return [[`/dev/${group}/${major}:${minor}`, access]]
  if (systemd >= NUMBERS_SINCE) return [[`${group}-${major}`, access]]
  const name = parseDrivers(drivers)[block ? 'block' : 'character'].get(major)?.at(-1)
  return name === undefined ? [] : [[`${group}-${name}`, access]]
}
