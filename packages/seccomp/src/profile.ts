import type { Action, Flag, Operator } from './actions.js'
import type { Arch } from './architectures.js'

/** One comparison of an argument, which the kernel sees as an unsigned 64-bit number. */
export interface SyscallArg {
  /** 0 to 5. */
  index: number
  /** What the argument is compared with; the mask for `SCMP_CMP_MASKED_EQ`. A bigint above 2⁵³. */
  value: number | bigint
  /** For `SCMP_CMP_MASKED_EQ`: what the masked argument must equal. */
  valueTwo?: number | bigint | undefined
  op: Operator
}

/** What happens to some system calls. */
export interface SyscallRule {
  names: readonly string[]
  action: Action
  /** The errno of `SCMP_ACT_ERRNO` or the message of `SCMP_ACT_TRACE`. Default: `EPERM`. */
  errnoRet?: number | undefined
  /** All must hold; but when one index comes twice, each is a rule of its own and any may hold. */
  args?: readonly SyscallArg[] | undefined
}

/** A seccomp profile in the shape of OCI's `linux.seccomp`. */
export interface Profile {
  /** What happens to a system call that no rule matches. */
  defaultAction: Action
  defaultErrnoRet?: number | undefined
  /** Architectures besides the native one. Calls of any other are killed. */
  architectures?: readonly `SCMP_ARCH_${Uppercase<Arch>}`[] | undefined
  flags?: readonly Flag[] | undefined
  /** The UNIX socket that gets the listener, for `SCMP_ACT_NOTIFY`. */
  listenerPath?: string | undefined
  listenerMetadata?: string | undefined
  syscalls?: readonly SyscallRule[] | undefined
}
