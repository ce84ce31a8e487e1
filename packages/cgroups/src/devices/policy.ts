import { ConfigInvalid } from '@libcontainer/sys'
import type { CgroupWrite } from '../limits/write.js'
import { type AccessBits, accessBits, accessText, type DeviceRule, formatDeviceRule, parseDeviceRule } from './rule.js'

/** Devices that a policy's default does not hold for. */
interface Exception {
  readonly type: 'b' | 'c'
  readonly major: number | undefined
  readonly minor: number | undefined
  readonly bits: AccessBits
}

/**
 * What ordered rules come to: a default, and exceptions from it. It is what the v1 kernel keeps, and what a v2 program is made of.
 *
 * Exceptions can be named one by one or by wildcards, but a wildcard has no holes: rules that would need one are refused, since v1
 * would ignore them without a word.
 */
export class DevicePolicy {
  #allow = false
  readonly #exceptions = new Map<string, Exception>()

  /** The policy of these rules. Without any, nothing is allowed. */
  static of(rules: readonly DeviceRule[]): DevicePolicy {
    const policy = new DevicePolicy()
    rules.forEach((rule, i) => {
      policy.apply(rule, `devices[${i}]`)
    })
    return policy
  }

  /**
   * The policy that v1's `devices.list` shows. Of one that allows by default it shows no exceptions: whether there are any is not
   * to be known.
   */
  static parse(list: string): DevicePolicy {
    const policy = new DevicePolicy()
    for (const line of list.split('\n').filter(Boolean))
      policy.apply(parseDeviceRule(line, true, 'devices.list'), 'devices.list')
    return policy
  }

  /** Whether a device without an exception may be used. */
  get allowsByDefault(): boolean {
    return this.#allow
  }

  /** Whether every device may be used. */
  get isAllowAll(): boolean {
    return this.#allow && this.#exceptions.size === 0
  }

  /** The exceptions, as rules. */
  get exceptions(): readonly DeviceRule[] {
    return [...this.#exceptions.values()].map(({ type, major, minor, bits }) => ({
      allow: !this.#allow,
      type,
      major,
      minor,
      access: accessText(bits),
    }))
  }

  /** Adds a rule behind those before it. @throws {ConfigInvalid} for a hole in a wildcard */
  apply(rule: DeviceRule, field = 'rule'): void {
    const { allow, type = 'a', major, minor, access = 'rwm' } = rule
    if (type === 'a') {
      this.#allow = allow
      this.#exceptions.clear()
      return
    }
    const exception = { type, major, minor, bits: accessBits(access) }
    if (allow === this.#allow) this.#remove(exception, field)
    else this.#add(exception)
  }

  #add(exception: Exception): void {
    const key = keyOf(exception)
    const { type, major, minor } = exception
    const bits = exception.bits | (this.#exceptions.get(key)?.bits ?? 0)
    this.#exceptions.set(key, { type, major, minor, bits })
  }

  #remove(removed: Exception, field: string): void {
    for (const [key, exception] of this.#exceptions) {
      if (exception.type !== removed.type || (exception.bits & removed.bits) === 0) continue
      if (covers(removed, exception)) {
        const bits = exception.bits & ~removed.bits
        if (bits === 0) this.#exceptions.delete(key)
        else this.#exceptions.set(key, { ...exception, bits })
      } else if (overlaps(removed, exception)) {
        const text = formatDeviceRule({ allow: true, ...removed, access: accessText(removed.bits) })
        throw new ConfigInvalid(
          field,
          text,
          `would make a hole in the wildcard '${key.trim()}', which no kernel can keep`,
          {
            hint: 'name the devices one by one instead of the wildcard, or leave the wildcard out',
          },
        )
      }
    }
  }

  /**
   * The writes that bring a v1 cgroup to this policy. What is allowed before and after is allowed all the while, unless the default
   * changes.
   *
   * @param from - what `devices.list` says; `undefined` for a new cgroup, whose parent's policy it has
   */
  writes(from?: DevicePolicy): CgroupWrite[] {
    const lines = (file: string, exceptions: readonly Exception[]): CgroupWrite[] =>
      exceptions.length === 0 ? [] : [{ file, value: exceptions.map(line).join('\n') }]
    const own = [...this.#exceptions.values()]
    if (this.#allow) {
      // Exceptions that the list does not show go with 'a', which the kernel refuses where the cgroup has children.
      const allowed = from?.allowsByDefault ?? false
      const reset: CgroupWrite = { file: 'devices.allow', value: 'a', skip: allowed ? ['EINVAL'] : undefined }
      return [reset, ...lines('devices.deny', own)]
    }
    if (from === undefined || from.#allow) return [{ file: 'devices.deny', value: 'a' }, ...lines('devices.allow', own)]
    return [
      ...lines('devices.allow', without(own, from.#exceptions)),
      ...lines('devices.deny', without([...from.#exceptions.values()], this.#exceptions)),
    ]
  }

  /** Whether a v1 cgroup whose `devices.list` shows `other` has this policy, as far as the list shows it. */
  isShownBy(other: DevicePolicy): boolean {
    if (this.#allow !== other.#allow) return false
    if (this.#allow) return true
    const [mine, theirs] = [[...this.#exceptions.values()], [...other.#exceptions.values()]]
    return without(mine, other.#exceptions).length === 0 && without(theirs, this.#exceptions).length === 0
  }
}

const keyOf = ({ type, major, minor }: Exception): string => `${type} ${major ?? '*'}:${minor ?? '*'}`

const line = (exception: Exception): string => `${keyOf(exception)} ${accessText(exception.bits)}`

/** What of `some` is not in `others`: the same devices, with the access that is more. */
function without(some: readonly Exception[], others: ReadonlyMap<string, Exception>): Exception[] {
  return some.flatMap(exception => {
    const other = others.get(keyOf(exception))
    const bits = exception.bits & ~(other?.bits ?? 0)
    return bits === 0 ? [] : [{ ...exception, bits }]
  })
}

const covers = (wide: Exception, narrow: Exception): boolean =>
  (wide.major === undefined || wide.major === narrow.major) && (wide.minor === undefined || wide.minor === narrow.minor)

const overlaps = (a: Exception, b: Exception): boolean =>
  (a.major === undefined || b.major === undefined || a.major === b.major) &&
  (a.minor === undefined || b.minor === undefined || a.minor === b.minor)
