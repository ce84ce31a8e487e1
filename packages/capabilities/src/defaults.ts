import type { CapabilityName } from './names.js'
import type { CapabilitySets } from './sets.js'

/** What libcontainer's SPEC.md of 2015 gave a container. */
export const SPEC_CAPABILITIES: readonly CapabilityName[] = [
  'CAP_NET_RAW',
  'CAP_NET_BIND_SERVICE',
  'CAP_AUDIT_READ',
  'CAP_AUDIT_WRITE',
  'CAP_DAC_OVERRIDE',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_MKNOD',
  'CAP_CHOWN',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SYS_CHROOT',
]

/** What an OCI runtime's example configuration gives: the smallest of the three. */
export const OCI_CAPABILITIES: readonly CapabilityName[] = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

/** What the common container engines give unless told otherwise. */
export const ENGINE_CAPABILITIES: readonly CapabilityName[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

/**
 * One list as the five sets: bounding, effective and permitted.
 *
 * Nothing becomes inheritable or ambient: with inheritable capabilities a program of the image with file capabilities
 * would get them back after a change of user (CVE-2022-29162 and its kin).
 */
export function capabilitySets(keep: readonly string[]): CapabilitySets {
  return { bounding: [...keep], effective: [...keep], permitted: [...keep], inheritable: [], ambient: [] }
}
