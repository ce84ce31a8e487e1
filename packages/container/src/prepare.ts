import { OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { seccompOf } from './seccomp.js'

/**
 * Does ahead what the first container would else wait for: compiles the default seccomp profile. Touches nothing outside this process.
 *
 * The static executable does it when it is built.
 */
export function prepare(): void {
  seccompOf({ capabilities: OCI_CAPABILITIES })
}
