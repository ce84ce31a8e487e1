import { Cgroup } from '@libcontainer/cgroups'
import type { UnitProperty } from '@libcontainer/cgroups/systemd'
import { ConfigInvalid } from '@libcontainer/sys'
import { hostFacts } from '../plan/facts.js'
import type { CgroupDriver } from './drivers.js'
import { rootlessCgroups } from './rootless.js'

/** Who makes the cgroups: `cgroupfs`, the file systems themselves; `systemd`, as units of its own; or a driver of one's own. */
export type CgroupOption = 'cgroupfs' | 'systemd' | CgroupDriver

interface CgroupRequest {
  readonly rootless?: boolean | undefined
  readonly unitProperties?: readonly UnitProperty[] | undefined
}

/**
 * @param request.rootless - makes cgroups as for somebody to whom they are lent, or not. Default: what this process is
 * @param request.unitProperties - further ones of each unit, for systemd alone
 * @throws {ConfigInvalid} for a driver that is none, and for systemd where it does not run
 */
export async function cgroupDriver(
  option: CgroupOption = 'cgroupfs',
  { rootless, unitProperties: properties = [] }: CgroupRequest = {},
): Promise<CgroupDriver> {
  if (properties.length > 0 && option !== 'systemd')
    throw new ConfigInvalid('unitProperties', properties, "are for the cgroupDriver 'systemd', and there is another")
  if (option === 'cgroupfs') return (rootless ?? (await hostFacts()).lentCgroups) ? rootlessCgroups : Cgroup
  if (option === 'systemd') {
    const { SystemdDriver } = await import('@libcontainer/cgroups/systemd')
    return await SystemdDriver.open({ user: rootless ?? (await hostFacts()).lentCgroups, properties })
  }
  const methods = ['at', 'open', 'create'] as const
  const given = option as unknown
  const isDriver =
    (typeof given === 'object' || typeof given === 'function') &&
    given !== null &&
    methods.every(name => typeof (given as CgroupDriver)[name] === 'function')
  if (!isDriver) {
    throw new ConfigInvalid(
      'cgroupDriver',
      option,
      `must be 'cgroupfs', 'systemd', or a driver with the functions ${methods.join(', ')}`,
    )
  }
  return option
}
