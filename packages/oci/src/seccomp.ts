import type { Profile } from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'
import type { SpecSeccomp } from './spec.js'

const NOTIFY = 'SCMP_ACT_NOTIFY'

/** What no flags mean; an empty list means none. Linux 4.17 has it. */
const DEFAULT_FLAGS = ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] as const

/**
 * `null`, no filter, for a profile that says nothing.
 *
 * @param receiver - the socket of an agent, for a profile that tells of calls and names none
 */
export function seccompOf(seccomp: SpecSeccomp | undefined, receiver?: string): Profile | null {
  if (seccomp === undefined) return null
  const { defaultAction, defaultErrnoRet, architectures, flags, listenerPath, listenerMetadata, syscalls } = seccomp
  if (!defaultAction && !syscalls?.length) return null
  if (listenerMetadata && !listenerPath)
    throw new ConfigInvalid('linux.seccomp.listenerMetadata', listenerMetadata, 'needs a listenerPath beside it')
  return {
    defaultAction,
    defaultErrnoRet,
    architectures,
    flags: flags ?? DEFAULT_FLAGS,
    syscalls,
    ...listenerOf(seccomp, receiver),
  } as Profile
}

/** The listener is of SCMP_ACT_NOTIFY alone, and ignored without it: config-linux.md, Seccomp. */
function listenerOf(
  { defaultAction, syscalls = [], listenerPath, listenerMetadata }: SpecSeccomp,
  receiver: string | undefined,
): Pick<Profile, 'listenerPath' | 'listenerMetadata'> {
  if (defaultAction === NOTIFY)
    throw new ConfigInvalid('linux.seccomp.defaultAction', defaultAction, 'cannot be the default: name the calls')
  const rule = (syscalls ?? []).findIndex(({ action }) => action === NOTIFY)
  if (rule < 0) return {}
  const path = listenerPath || receiver
  if (path === undefined)
    throw new ConfigInvalid('linux.seccomp.listenerPath', listenerPath, 'must name the socket of an agent', {
      hint: `linux.seccomp.syscalls[${rule}] asks it by ${NOTIFY}`,
    })
  return { listenerPath: path, ...(listenerMetadata ? { listenerMetadata } : {}) }
}
