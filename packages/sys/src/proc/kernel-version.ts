import { ConfigInvalid } from '../errors/errors.js'
import { uname } from '../files/files.js'

/** The numbers at the start of a kernel's release. */
export interface KernelVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** The numbers of a release such as `5.10.0-28-amd64` or `6.12`; what follows them is the distribution's. */
export function parseKernelVersion(release: string): KernelVersion {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release)
  if (match === null) throw new ConfigInvalid('release', release, 'must start like 5.10')
  const [major, minor, patch] = match.slice(1).map(part => Number(part ?? 0)) as [number, number, number]
  return { major, minor, patch }
}

/** Whether the kernel is of `version` (`5.12`) or later. @param release - Default: of the running kernel */
export function kernelAtLeast(version: string, release = uname().release): boolean {
  const [wanted, found] = [parseKernelVersion(version), parseKernelVersion(release)]
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (found[part] !== wanted[part]) return found[part] > wanted[part]
  }
  return true
}
