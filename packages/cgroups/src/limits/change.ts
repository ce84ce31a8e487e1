import { ConfigInvalid, isErrno, SyscallError } from '@libcontainer/sys'
import { DevicePolicy } from '../devices/policy.js'
import { type CgroupPlaces, placeOf } from '../host/place.js'
import { readFileOf } from '../read.js'
import { checkLimits, type Limits } from './limits.js'
import { planLimits } from './plan.js'
import { writeOrRestore } from './restore.js'

export interface SetOptions {
  /** Refuses a `memory.max` that is not above what is in use, instead of reclaiming and killing. Default: `false` */
  readonly refuseBelowUse?: boolean | undefined
}

/** Changes the limits of a cgroup; when one is refused, those before it are put back. */
export async function changeLimits(
  group: CgroupPlaces,
  limits: Limits,
  { refuseBelowUse = false }: SetOptions = {},
): Promise<void> {
  checkLimits(limits)
  if (refuseBelowUse) await confirmAboveUse(group, limits)
  const devices = limits.devices === undefined ? undefined : await shownDevices(group)
  const { host, places } = group
  try {
    await writeOrRestore(planLimits(limits, { host, places, when: 'set', devices }))
  } catch (error) {
    throw isErrno(error, 'EBUSY') ? await withUse(group, error) : error
  }
  if (devices !== undefined) await confirmDevices(group, limits.devices!)
}

/** A parent of v1 that allows less lets what is below ask for more, and gives it less. */
async function confirmDevices(group: CgroupPlaces, devices: NonNullable<Limits['devices']>): Promise<void> {
  const now = await shownDevices(group)
  if (now === undefined || DevicePolicy.of(devices).isShownBy(now)) return
  throw new ConfigInvalid('devices', devices, 'is not what the kernel made of it: the parent cgroup allows less', {
    hint: `see devices.list in ${placeOf(group, 'devices')?.directory}`,
  })
}

/** What `devices.list` of v1 says; `undefined` where a program decides. */
async function shownDevices(group: CgroupPlaces): Promise<DevicePolicy | undefined> {
  const place = placeOf(group, 'devices')
  if (place?.hierarchy.version !== 1) return undefined
  const list = await readFileOf(place, 'devices.list')
  return list === undefined ? undefined : DevicePolicy.parse(list)
}

async function memoryUse(group: CgroupPlaces): Promise<{ current: number; peak: number | undefined } | undefined> {
  const { statsOf } = await import('../stats/stats.js')
  const [stats] = await statsOf([group], ['memory'])
  return stats?.memory && { current: stats.memory.current, peak: stats.memory.peak }
}

async function confirmAboveUse(group: CgroupPlaces, { memory }: Limits): Promise<void> {
  const max = memory?.max
  if (max === undefined || max === 'max') return
  const use = await memoryUse(group)
  if (use !== undefined && max <= use.current) {
    throw new ConfigInvalid('memory.max', max, `is not above the ${use.current} bytes in use`)
  }
}

/** A memory limit that is refused tells how much is used. */
async function withUse(group: CgroupPlaces, error: SyscallError): Promise<SyscallError> {
  const use = error.path?.includes('/memory.') ? await memoryUse(group) : undefined
  if (use === undefined) return error
  const { errno, syscall, path, step, hint } = error
  const detail = `in use: ${use.current} bytes${use.peak === undefined ? '' : `, at most so far: ${use.peak}`}`
  return new SyscallError(errno, syscall, { path, step, hint, detail, cause: error })
}
