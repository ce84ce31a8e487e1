import { ConfigInvalid, LibcontainerError } from '@libcontainer/sys'
import { ACTIONS, type Action, FLAGS, type Flag, NEW_LISTENER } from './actions.js'
import { type Arch, archOfAudit } from './architectures.js'
import { native } from './native.js'
import type { Profile } from './profile.js'

/** What the running kernel can do. */
export interface SeccompSupport {
  /** Whether seccomp(2) takes filters at all. */
  filters: boolean
  actions: readonly Action[]
  flags: readonly Flag[]
}

/** Asks the running kernel, without loading anything. */
export function seccompSupport(): SeccompSupport {
  const filters = native.sync.seccompFlagsAvailable(0) === 1
  const actionNames = Object.keys(ACTIONS) as Action[]
  const flagNames = Object.keys(FLAGS) as Flag[]
  return {
    filters,
    actions: filters ? actionNames.filter(name => native.sync.seccompActionAvailable(ACTIONS[name]) === 1) : [],
    flags: filters ? flagNames.filter(flagAvailable) : [],
  }
}

function flagAvailable(name: Flag): boolean {
  // It means something beside a listener alone: without one it is EINVAL on every kernel.
  const company = name === 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' ? NEW_LISTENER : 0
  return native.sync.seccompFlagsAvailable(FLAGS[name] | company) === 1
}

/**
 * Refuses a profile that asks for what the kernel cannot do.
 *
 * @throws {ConfigInvalid} that names the action or flag
 */
export function checkSupport(profile: Profile, support: SeccompSupport, field = 'seccomp'): void {
  if (!support.filters) {
    throw new LibcontainerError('ENOSYS', 'the kernel has no seccomp filters', {
      hint: 'a kernel with CONFIG_SECCOMP_FILTER, or no seccomp profile',
    })
  }
  const requireAction = (action: Action, path: string): void => {
    if (support.actions.includes(action)) return
    throw new ConfigInvalid(path, action, 'is an action that this kernel does not have')
  }
  requireAction(profile.defaultAction, `${field}.defaultAction`)
  profile.syscalls?.forEach((rule, i) => {
    requireAction(rule.action, `${field}.syscalls[${i}].action`)
  })
  profile.flags?.forEach((flag, i) => {
    if (support.flags.includes(flag)) return
    throw new ConfigInvalid(`${field}.flags[${i}]`, flag, 'is a flag that this kernel does not have')
  })
}

let running: Arch | undefined

/** The architecture that this process runs on. */
export function nativeArch(): Arch {
  running ??= archOfAudit(native.sync.seccompNativeArchitecture())
  if (running === undefined) throw new LibcontainerError('ENOSYS', 'the architecture of this machine is not known')
  return running
}
