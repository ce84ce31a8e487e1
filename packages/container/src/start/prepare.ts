import { ENGINE_CAPABILITIES, OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { defaultMounts, lateReadonlySteps } from '@libcontainer/mount'
import { seccompOf } from '../plan/seccomp.js'

/**
 * Does ahead what the first container would else wait for: compiles the default seccomp profile for the usual capabilities, and looks at the
 * default mounts. Touches nothing outside this process.
 *
 * The static executable does it when it is built.
 */
export function prepare(): void {
  for (const capabilities of [OCI_CAPABILITIES, ENGINE_CAPABILITIES]) seccompOf({ capabilities })
  lateReadonlySteps(defaultMounts)
}
