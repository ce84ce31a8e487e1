import { DEFAULT_SIMPLE_DEVICES, type DeviceRequest, type RuleRequest } from '@libcontainer/devices'
import { ConfigInvalid, cleanPath } from '@libcontainer/sys'
import type { SpecDevice, SpecDeviceRule } from './spec.js'

const PERMISSIONS = 0o7777

/**
 * The nodes: what every container has, and the config's own, which win over those of the same path. In the mounts of the host the root is the directory
 * as it stands, with the nodes that it has.
 */
export function devicesOf(devices: readonly SpecDevice[] = [], ownMounts = true): DeviceRequest[] {
  const own = devices.map(deviceOf)
  if (!ownMounts) return own
  const taken = new Set(own.map(({ path }) => cleanPath(path)))
  return [...own, ...DEFAULT_SIMPLE_DEVICES.filter(({ path }) => !taken.has(path))]
}

function deviceOf({ type, path, major, minor, fileMode, uid, gid }: SpecDevice, i: number): DeviceRequest {
  const at = `linux.devices[${i}]`
  if (type !== 'p') {
    for (const [name, value] of Object.entries({ major, minor }))
      if (value === undefined)
        throw new ConfigInvalid(`${at}.${name}`, value, `must be given for a device of type ${type}`)
  }
  return {
    path,
    type: type as 'c',
    ...(major === undefined ? {} : { major: Number(major) }),
    ...(minor === undefined ? {} : { minor: Number(minor) }),
    // Engines that copy a node of the host write its st_mode, with the bits of its type.
    ...(fileMode === undefined ? {} : { mode: fileMode & PERMISSIONS }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  }
}

/** The rules, in order; what every container may use is allowed after them. */
export function deviceRules(rules: readonly SpecDeviceRule[] | undefined): RuleRequest[] | undefined {
  return rules?.map(({ allow, type, major, minor, access }, i) => {
    const at = `linux.resources.devices[${i}]`
    if (!access) throw new ConfigInvalid(`${at}.access`, access, 'must be some of the letters r, w and m')
    if (type && !['a', 'b', 'c'].includes(type))
      throw new ConfigInvalid(`${at}.type`, type, 'must be a (all), b (block) or c (character)')
    return {
      allow,
      type: (type || 'a') as 'a',
      access,
      ...(major === undefined ? {} : { major: Number(major) }),
      ...(minor === undefined ? {} : { minor: Number(minor) }),
    }
  })
}
