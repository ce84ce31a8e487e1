import { type Access, accessUnion } from './access.js'
import { dangerOf } from './dangers.js'
import { driverName, type HostDrivers } from './drivers.js'
import { NAMED_DEVICES } from './named.js'
import { type DeviceRule, formatRule } from './rule.js'

/** Devices, and what may be done with them: of two entries that speak of one device the narrower holds. */
export interface AllowedDevices {
  readonly type: 'b' | 'c'
  /** `undefined` is every one. */
  readonly major?: number | undefined
  readonly minor?: number | undefined
  /** `''` where a wider entry allows what this one does not. */
  readonly access: Access
  /** What they are: `/dev/null`, `pseudo-terminals`, `every block device`. */
  readonly name: string
  /** What may be done with them, in words: `read, write`. */
  readonly allows: string
  /** How that leads out of a container, or harms its host. */
  readonly danger?: string | undefined
}

/** Some devices of one kind: a number, or all of them. */
export type Pattern = Pick<AllowedDevices, 'type' | 'major' | 'minor'>

/**
 * What rules let be done with a device, or with every one of some devices: for each of the letters r, w and m the last rule that speaks of it
 * decides, and without one nothing is allowed.
 */
export function allowedAccess(rules: readonly DeviceRule[], devices: Pattern): Access {
  let allowed = ''
  for (const rule of rules) {
    if (rule.type !== 'a' && !(rule.type === devices.type && covers(rule, devices))) continue
    const kept = [...allowed].filter(letter => !rule.access.includes(letter)).join('')
    allowed = rule.allow ? accessUnion(kept, rule.access) : kept
  }
  return allowed
}

/**
 * The list of what rules allow, in words, from wide to narrow: what a container may do with devices of the host.
 *
 * @param drivers - what {@link hostDrivers} tells, to name majors that are not the same everywhere. Default: the fixed ones alone
 */
export function explain(rules: readonly DeviceRule[], drivers?: HostDrivers): AllowedDevices[] {
  const patterns = patternsOf(rules)
  return patterns
    .filter(pattern => !isSaid(pattern, rules, patterns))
    .map(pattern => {
      const access = allowedAccess(rules, pattern)
      const danger = dangerOf(pattern, devices => allowedAccess(rules, devices))
      return {
        ...pattern,
        access,
        name: nameOf(pattern, drivers),
        allows: words(access),
        ...(danger !== undefined && { danger }),
      }
    })
}

/** An explanation as lines for people, with `!` before what is dangerous. */
export function formatExplanation(list: readonly AllowedDevices[]): string {
  return list
    .map(({ name, allows, danger, ...pattern }) => {
      const text = formatRule({ ...pattern, allow: true }).replace(/ \S*$/, '')
      const line = `${danger === undefined ? ' ' : '!'} ${name} (${text}): ${allows}\n`
      return danger === undefined ? line : `${line}    ${danger}\n`
    })
    .join('')
}

function covers(wide: Omit<Pattern, 'type'>, narrow: Omit<Pattern, 'type'>): boolean {
  return (
    (wide.major === undefined || wide.major === narrow.major) &&
    (wide.minor === undefined || wide.minor === narrow.minor)
  )
}

/** Whatever rules tell apart: their devices, and where those of two overlap. From wide to narrow. */
function patternsOf(rules: readonly DeviceRule[]): Pattern[] {
  const found = new Map<string, Pattern>()
  const add = (type: 'b' | 'c', major: number | undefined, minor: number | undefined): void => {
    found.set(`${type} ${major}:${minor}`, { type, major, minor })
  }
  for (const type of ['c', 'b'] as const) {
    const own = rules.filter(rule => rule.type === type)
    add(type, undefined, undefined)
    for (const { major, minor } of own) add(type, major, minor)
    // Only `5:*` and `*:2` overlap without one lying in the other.
    const majors = new Set(own.filter(({ minor }) => minor === undefined).map(({ major }) => major))
    const minors = new Set(own.filter(({ major }) => major === undefined).map(({ minor }) => minor))
    for (const major of majors) for (const minor of minors) add(type, major, minor)
  }
  const width = ({ major, minor }: Pattern): number => Number(major === undefined) * 2 + Number(minor === undefined)
  return [...found.values()].sort(
    (a, b) =>
      (a.type === b.type ? 0 : a.type === 'c' ? -1 : 1) ||
      width(b) - width(a) ||
      (a.major ?? 0) - (b.major ?? 0) ||
      (a.minor ?? 0) - (b.minor ?? 0),
  )
}

/** Whether wider entries say the same already: each of those that nothing lies between. */
function isSaid(pattern: Pattern, rules: readonly DeviceRule[], patterns: readonly Pattern[]): boolean {
  const access = allowedAccess(rules, pattern)
  const wider = patterns.filter(each => each !== pattern && each.type === pattern.type && covers(each, pattern))
  if (wider.length === 0) return access === ''
  const nearest = wider.filter(each => !wider.some(other => other !== each && covers(each, other)))
  return nearest.every(each => allowedAccess(rules, each) === access)
}

/** Majors that are the same everywhere: devices.txt of the kernel. */
const FIXED: Readonly<Record<string, string>> = {
  'c 1': 'memory devices',
  'c 4': 'virtual and serial terminals',
  'c 5': 'terminal multiplexers',
  'c 7': 'contents of virtual terminals',
  'c 10': 'small drivers (misc)',
  'c 13': 'input devices',
  'c 116': 'sound devices',
  'c 136': 'pseudo-terminals',
  'c 189': 'USB devices',
  'c 202': 'registers of the processors',
  'c 226': 'graphics devices',
  'b 7': 'loop devices',
  'b 8': 'SCSI disks',
  'b 259': 'partitions and NVMe disks',
}

function nameOf({ type, major, minor }: Pattern, drivers?: HostDrivers): string {
  const kind = type === 'c' ? 'character' : 'block'
  if (major === undefined)
    return minor === undefined ? `every ${kind} device` : `number ${minor} of every ${kind} driver`
  const known = Object.values(NAMED_DEVICES).find(
    each => each.type === type && each.major === major && each.minor === minor,
  )
  if (known !== undefined) return known.path
  const driver = drivers && driverName(drivers, { type, major, minor })
  const group = FIXED[`${type} ${major}`] ?? driver ?? `${kind} devices of driver ${major}`
  if (minor === undefined) return group
  return driver === undefined ? `number ${minor} of ${group}` : `number ${minor} of ${driver}`
}

function words(access: Access): string {
  const said = [
    ...(access.includes('r') ? ['read'] : []),
    ...(access.includes('w') ? ['write'] : []),
    ...(access.includes('m') ? ['make nodes'] : []),
  ]
  return said.join(', ') || 'nothing'
}
