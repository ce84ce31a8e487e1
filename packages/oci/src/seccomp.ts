import type { Profile } from '@libcontainer/seccomp'
import { ConfigInvalid, notYet } from '@libcontainer/sys'
import type { SpecSeccomp } from './spec.js'

const NOTIFY = 'SCMP_ACT_NOTIFY'

/** What no flags mean; an empty list means none. Linux 4.17 has it. */
const DEFAULT_FLAGS = ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] as const

/** `null`, no filter, for a profile that says nothing. */
export function seccompOf(seccomp: SpecSeccomp | undefined): Profile | null {
  if (seccomp === undefined) return null
  const { defaultAction, defaultErrnoRet, architectures, flags, listenerPath, listenerMetadata, syscalls } = seccomp
  if (!defaultAction && !syscalls?.length) return null
  const notified = [defaultAction, ...(syscalls ?? []).map(({ action }) => action)].indexOf(NOTIFY)
  if (notified >= 0) {
    const field = notified === 0 ? 'linux.seccomp.defaultAction' : `linux.seccomp.syscalls[${notified - 1}].action`
    throw notYet(field, '@libcontainer/seccomp', {
      value: NOTIFY,
      hint: 'use SCMP_ACT_ERRNO or SCMP_ACT_ALLOW for these system calls',
    })
  }
  if (listenerMetadata && !listenerPath)
    throw new ConfigInvalid('linux.seccomp.listenerMetadata', listenerMetadata, 'needs a listenerPath beside it')
  // The listener is of SCMP_ACT_NOTIFY alone, and ignored without it: config-linux.md, Seccomp.
  return {
    defaultAction,
    defaultErrnoRet,
    architectures,
    flags: flags ?? DEFAULT_FLAGS,
    syscalls,
  } as Profile
}
