import { ENGINE_CAPABILITIES, OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { seccompOf } from './seccomp.js'

/**
 * Does ahead what the first container would else wait for: compiles the default seccomp profile for the usual capabilities. Touches nothing
 * outside this process.
 *
 * The static executable does it when it is built.
 */
export function prepare(): void {
  for (const capabilities of [OCI_CAPABILITIES, ENGINE_CAPABILITIES]) seccompOf({ capabilities })
}
