import { exists } from '@libcontainer/sys'
import type { Asked } from './ask.js'
import { requireFeatures } from './check-features.js'
import { CriuTooOld } from './errors.js'
import type { DumpOptions, RestoreOptions } from './options.js'
import { criuPath } from './place.js'
import { featuresOf, requirementsOf } from './requirements.js'
import { atLeast, version } from './version.js'

/**
 * Finds CRIU, and refuses one that lacks what these options take.
 *
 * @throws {SyscallError} `ENOENT`
 * @throws {CriuTooOld}
 * @throws {CriuMissingFeatures}
 */
export async function ready(options: Partial<DumpOptions & RestoreOptions>, criu: Asked = {}): Promise<void> {
  const { freezeCgroup } = options
  const found = await version(criu)
  const unified = freezeCgroup !== undefined && (await exists(`${freezeCgroup}/cgroup.freeze`))
  const lacking = requirementsOf(options, unified).find(({ version: needed }) => !atLeast(found, needed))
  if (lacking !== undefined)
    throw new CriuTooOld(criu.service ?? (await criuPath(criu)), found.text, lacking.version, lacking.option)
  const features = featuresOf(options)
  if (features.length > 0) await requireFeatures(features, criu)
}
