import { ConfigInvalid } from '@libcontainer/sys'

/** A rule about devices. Rules are ordered: of two that speak of one access the later decides. */
export interface DeviceRule {
  readonly allow: boolean
  /** `a` for all devices and all access, `b` for block, `c` for character devices. Default: `a` */
  readonly type?: 'a' | 'b' | 'c' | undefined
  /** Default: every major number. */
  readonly major?: number | undefined
  /** Default: every minor number. */
  readonly minor?: number | undefined
  /** Any of `r` (read), `w` (write), `m` (mknod). Default for the type `a`: `rwm` */
  readonly access?: string | undefined
}

/** mknod 1, read 2, write 4: the bits that a cgroup-device program gets. */
export type AccessBits = number

export const ALL: AccessBits = 7

/** By their bits: none, m, r, rm, … */
const TEXTS = ['', 'm', 'r', 'rm', 'w', 'wm', 'rw', 'rwm'] as const

const LARGEST = 2 ** 32 - 1

export function accessBits(access: string): AccessBits {
  let bits = 0
  for (const letter of access) bits |= letter === 'm' ? 1 : letter === 'r' ? 2 : 4
  return bits
}

export const accessText = (bits: AccessBits): string => TEXTS[bits & ALL]!

/** Refuses what the kernel would misread: it takes any letters, and of `a` it ignores the numbers. */
export function checkDeviceRule(field: string, value: unknown): void {
  const rule = value as DeviceRule
  if (typeof rule !== 'object' || rule === null) throw new ConfigInvalid(field, value, 'must be a rule about devices')
  const { allow, type = 'a', major, minor, access = type === 'a' ? 'rwm' : undefined } = rule
  if (typeof allow !== 'boolean') throw new ConfigInvalid(`${field}.allow`, allow, 'must be true or false')
  if (type !== 'a' && type !== 'b' && type !== 'c') {
    throw new ConfigInvalid(`${field}.type`, type, "must be 'a' (all), 'b' (block) or 'c' (character)")
  }
  checkNumber(field, 'major', major, type)
  checkNumber(field, 'minor', minor, type)
  if (typeof access !== 'string' || !isAccess(access)) {
    throw new ConfigInvalid(`${field}.access`, access, 'must be one or more of r, w and m, each once')
  }
  if (type === 'a' && access.length !== 3) {
    throw new ConfigInvalid(`${field}.access`, access, "must be rwm with the type 'a', which means all access")
  }
}

/** One to three letters of r, w and m, each once. */
function isAccess(access: string): boolean {
  let seen = 0
  for (let i = 0; i < access.length; i++) {
    const bit = 'mrw'.indexOf(access[i]!)
    if (bit < 0 || seen & (1 << bit)) return false
    seen |= 1 << bit
  }
  return seen !== 0
}

function checkNumber(field: string, name: 'major' | 'minor', number: unknown, type: string): void {
  if (number === undefined) return
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > LARGEST) {
    throw new ConfigInvalid(`${field}.${name}`, number, 'must be a device number, or be left out for all of them')
  }
  if (type !== 'a') return
  throw new ConfigInvalid(`${field}.${name}`, number, "cannot be with the type 'a', which means all devices")
}

export function checkDeviceRules(field: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list of rules')
  value.forEach((rule, i) => {
    checkDeviceRule(`${field}[${i}]`, rule)
  })
}

/** A rule as the kernel's files have it, without its verdict: `c 1:3 rwm`, `b *:* m`, `a *:* rwm`. */
export function formatDeviceRule({ type = 'a', major, minor, access = 'rwm' }: DeviceRule): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}

/** Reads what {@link formatDeviceRule} writes, and `a` alone. */
export function parseDeviceRule(text: string, allow: boolean, field = 'rule'): DeviceRule {
  const match = /^\s*([abc])(?:\s+(\*|\d+):(\*|\d+)\s+([rwm]+))?\s*$/.exec(text)
  if (match === null || (match[1] !== 'a' && match[2] === undefined)) {
    throw new ConfigInvalid(field, text, 'must be as c 1:3 rwm')
  }
  const [, type, major, minor, access] = match
  const number = (digits: string | undefined): number | undefined =>
    digits === undefined || digits === '*' ? undefined : Number(digits)
  const rule: DeviceRule = { allow, type: type as 'a', major: number(major), minor: number(minor), access }
  checkDeviceRule(field, rule)
  return rule
}
