import { Cgroup } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import type { CgroupDriver } from './drivers.js'
import { hostFacts } from './facts.js'
import { rootlessCgroups } from './rootless-cgroups.js'

/** Who makes the cgroups: `cgroupfs`, the file systems themselves, or a driver of one's own. */
export type CgroupOption = 'cgroupfs' | 'systemd' | CgroupDriver

/**
 * @param rootless - makes cgroups as for somebody to whom they are lent, or not. Default: what this process is
 * @throws {ConfigInvalid} for a driver that is none, or not there
 */
export async function cgroupDriver(option: CgroupOption = 'cgroupfs', rootless?: boolean): Promise<CgroupDriver> {
  if (option === 'cgroupfs') return (rootless ?? (await hostFacts()).lentCgroups) ? rootlessCgroups : Cgroup
  if (option === 'systemd') {
    throw new ConfigInvalid('cgroupDriver', option, 'is not there: this version has no driver for systemd', {
      hint: "leave it out, or say 'cgroupfs'; below 'systemd-run --scope -p Delegate=yes' a relative cgroups.path lies in a unit of systemd",
    })
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
      `must be 'cgroupfs', or a driver with the functions ${methods.join(', ')}`,
    )
  }
  return option
}
