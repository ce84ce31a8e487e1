import { ConfigInvalid, type Step } from '@libcontainer/sys'
import type { Arch } from './architectures.js'
import { compile } from './compile.js'
import type { Profile } from './profile.js'
import { instructions } from './simulate.js'
import { nativeArch } from './support.js'
import type { ParseOptions } from './validate.js'

export interface SeccompStepOptions extends ParseOptions {
  /** The architecture of the kernel. Default: this machine's. */
  arch?: Arch | undefined
  /** The slot for the listener, from a caller that hands it on: without one a profile that notifies is refused. */
  listener?: string | undefined
}

/**
 * The steps that load a profile into the process that applies them: `init`, right before exec.
 *
 * Loading needs no_new_privs or CAP_SYS_ADMIN, and cannot be undone.
 *
 * @throws {ConfigInvalid} as {@link compile}, and for `SCMP_ACT_NOTIFY` without a listener
 */
export function seccompSteps(
  profile: Profile,
  { arch = nativeArch(), listener, ...options }: SeccompStepOptions = {},
): Step[] {
  const compiled = compile(profile, { arch, ...options })
  if (compiled.notify && listener === undefined) {
    const problem = 'must name the socket of an agent that answers for SCMP_ACT_NOTIFY'
    throw new ConfigInvalid(`${options.field ?? 'seccomp'}.listenerPath`, profile.listenerPath, problem)
  }
  return filterSteps({
    filter: compiled.filter,
    flags: compiled.flags,
    listener: compiled.notify ? listener : undefined,
  })
}

/** A filter that is compiled already. */
export interface RawFilter {
  /** An array of `struct sock_filter`. */
  filter: Uint8Array
  /** The flags of seccomp(2). Default: 0. */
  flags?: number | undefined
  /** The slot for the descriptor that `SECCOMP_FILTER_FLAG_NEW_LISTENER` answers. */
  listener?: string | undefined
}

/** The steps that load a compiled filter. */
export function filterSteps({ filter, flags = 0, listener }: RawFilter): Step[] {
  const count = instructions(filter).length
  return [
    {
      op: 'setSeccompFilter',
      args: [flags, filter],
      about: `load the seccomp filter of ${count} instructions`,
      into: listener,
      hints: {
        EACCES: 'loading a filter needs no_new_privs or CAP_SYS_ADMIN',
        EINVAL: 'the kernel does not know a flag or an instruction of the filter; probe() tells what it knows',
        ENOMEM: 'the filters of one process hold at most 32768 instructions',
        EBUSY: 'the process has a listener already, and can have one only',
      },
    },
  ]
}
