import { readText, type Waiting } from '@libcontainer/sys'
import type { CgroupHost } from '../host/host.js'
import { checkLimits, type Limits } from '../limits/limits.js'
import { deviceProperties, NUMBERS_SINCE } from './device-properties.js'
import { limitProperties, type PropertyContext, roundQuota } from './limit-properties.js'
import type { Systemd } from './manager.js'
import type { UnitProperty } from './property.js'

/**
 * What to tell a manager of limits, and the limits as they are then to be written.
 *
 * @throws {ConfigInvalid} for limits that no host could set, before anybody is asked
 */
export async function splitLimits(
  systemd: Systemd,
  limits: Limits,
  { host, when, signal }: { readonly host: CgroupHost; readonly when: PropertyContext['when'] } & Waiting,
): Promise<{ properties: readonly UnitProperty[]; rounded: Limits }> {
  checkLimits(limits)
  // An ordinary user may load no program: without mknod there are no devices but those that he is given.
  const { devices, ...rest } = limits
  const kept: Limits = systemd.user || devices === undefined ? rest : { ...rest, devices }
  const version = await systemd.version({ signal })
  const drivers = kept.devices !== undefined && version < NUMBERS_SINCE ? await readText('/proc/devices') : ''
  const properties = [
    ...limitProperties(kept, { version: host.mode === 'v2' ? 2 : 1, systemd: version, when }),
    ...(kept.devices === undefined ? [] : deviceProperties(kept.devices, version, drivers)),
  ]
  return { properties, rounded: roundQuota(kept) }
}
