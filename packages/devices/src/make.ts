import type { OwnedFd } from '@libcontainer/sys'
import type { DeviceRequest } from './device.js'
import { native } from './native.js'
import { deviceSteps } from './steps.js'

/**
 * Makes device nodes in a directory tree, now and from here: below `root`, out of which no link leads, whatever mount namespace it is of.
 * The owner is by the ids of this process.
 *
 * @throws {ConfigInvalid} for a request that is none
 * @throws {SyscallError} `EPERM` without `CAP_MKNOD`, `EEXIST` for another file at that path
 */
export async function makeDevices(root: OwnedFd, devices: readonly DeviceRequest[]): Promise<void> {
  await native.apply(deviceSteps(root.fd, devices, { bind: 'never' }))
}
