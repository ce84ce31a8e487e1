import { ConfigInvalid } from '@libcontainer/sys'
import { type Access, normalAccess } from './access.js'
import type { Device } from './device.js'
import { checkNumber } from './numbers.js'
import { type RuleType, ruleType } from './types.js'

/** What processes of a cgroup may do with some devices. Of two rules that speak of one device the later decides. */
export interface DeviceRule {
  readonly type: RuleType
  /** `undefined` is every one. */
  readonly major?: number | undefined
  readonly minor?: number | undefined
  readonly access: Access
  readonly allow: boolean
}

/** A rule as a configuration says it. */
export interface RuleRequest {
  /** Default: `a`, all devices. Configurations of 2015 hold the letter's code point. */
  type?: RuleType | 'u' | number | undefined
  /** Default: every one, which `*` and -1 mean too. */
  major?: number | '*' | undefined
  minor?: number | '*' | undefined
  /** Some of the letters r, w and m. */
  access: string
  allow: boolean
}

const FIELDS = ['type', 'major', 'minor', 'access', 'allow']

/** In a rule the kernel takes any number of 32 bits. */
const MAX_NUMBER = 0xffffffff

/**
 * A request as a rule, with its defaults.
 *
 * @throws {ConfigInvalid} for empty or unknown access, or an unknown type
 */
export function deviceRule(request: RuleRequest, field = 'rule'): DeviceRule {
  if (typeof request !== 'object' || request === null) throw new ConfigInvalid(field, request, 'must be an object')
  for (const key of Object.keys(request)) {
    if (!FIELDS.includes(key)) throw new ConfigInvalid(`${field}.${key}`, key, `must be one of ${FIELDS.join(', ')}`)
  }
  const type = ruleType(request.type ?? 'a', `${field}.type`)
  const major = ruleNumber(request.major, `${field}.major`)
  const minor = ruleNumber(request.minor, `${field}.minor`)
  const access = normalAccess(request.access, `${field}.access`)
  if (type === 'a' && (major !== undefined || minor !== undefined || access !== 'rwm')) {
    // The kernel would read such a rule as one for all devices and all access, whatever it says besides.
    throw new ConfigInvalid(
      `${field}.type`,
      'a',
      'a rule with numbers or less access than rwm must be of type "c" or "b"',
    )
  }
  if (typeof request.allow !== 'boolean')
    throw new ConfigInvalid(`${field}.allow`, request.allow, 'must be true or false')
  return { type, major, minor, access, allow: request.allow }
}

/** The rule that allows, or denies, what a device's `access` says. A FIFO is governed by no rule. @throws {ConfigInvalid} for one */
export function ruleOf({ type, major, minor, access }: Device, allow = true): DeviceRule {
  return deviceRule({ type: ruleType(type, 'device.type'), major, minor, access, allow }, 'device')
}

/**
 * A rule of text: `c 1:3 rwm`, `b *:* m`, or `a` for everything.
 *
 * @param allow - what the rule does; the text, which v1's files `devices.allow` and `devices.deny` take, does not say it
 */
export function parseRule(text: string, allow = true, field = 'rule'): DeviceRule {
  const parts = /^([abc])(?:[ \t]+([0-9]+|\*):([0-9]+|\*)[ \t]+([rwm]+))?$/.exec(text.trim())
  if (!parts || (parts[1] !== 'a' && parts[2] === undefined)) {
    throw new ConfigInvalid(field, text, 'must read like "c 1:3 rwm"')
  }
  const [, type, major = '*', minor = '*', access = 'rwm'] = parts
  const number = (digits: string): number | '*' => (digits === '*' ? '*' : Number(digits))
  return deviceRule({ type: type as RuleType, major: number(major), minor: number(minor), access, allow }, field)
}

/** The rules of a `devices.list`: what is allowed, one line each. */
export function parseRules(text: string): DeviceRule[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map((line, i) => parseRule(line, true, `line ${i + 1}`))
}

/** A rule as text, without whether it allows: `c 1:3 rwm`. */
export function formatRule({ type, major, minor, access }: DeviceRule): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}

function ruleNumber(value: number | '*' | undefined, field: string): number | undefined {
  return value === undefined || value === '*' || value === -1 ? undefined : checkNumber(value, MAX_NUMBER, field)
}
