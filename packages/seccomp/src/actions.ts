/** What the kernel does with a system call: OCI's names of `SECCOMP_RET_*`. */
export type Action =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY'

export type Operator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

export type Flag =
  | 'SECCOMP_FILTER_FLAG_TSYNC'
  | 'SECCOMP_FILTER_FLAG_LOG'
  | 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'
  | 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'

/** The values of linux/seccomp.h: the action in the upper half, its data in the lower. */
export const ACTIONS: Readonly<Record<Action, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}

export const OPERATORS: readonly Operator[] = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]

/** The bits of seccomp(2) that a profile may ask for. */
export const FLAGS: Readonly<Record<Flag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1 << 0,
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
}

/** `SECCOMP_FILTER_FLAG_NEW_LISTENER`: the call answers a descriptor for the notifications. */
export const NEW_LISTENER = 1 << 3

export const EPERM = 1
export const ENOSYS = 38
/** `MAX_ERRNO`: the kernel cuts a larger one down to this. */
export const MAX_ERRNO = 4095

/** What a filter answers for a system call. */
export interface Verdict {
  action: Exclude<Action, 'SCMP_ACT_KILL'>
  /** The errno of `SCMP_ACT_ERRNO`, the message of `SCMP_ACT_TRACE`; absent for the others. */
  data?: number
}

/** Whether an action carries a number. */
export function carriesData(action: Action): boolean {
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE'
}

/** A filter's 32-bit answer in words. The kernel kills the process for an action that it does not know. */
export function verdictOf(value: number): Verdict {
  const kind = (value & 0xffff0000) >>> 0
  for (const [name, number] of Object.entries(ACTIONS)) {
    const action = name as Action
    if (number !== kind || action === 'SCMP_ACT_KILL') continue
    return carriesData(action) ? { action, data: value & 0xffff } : { action }
  }
  return { action: 'SCMP_ACT_KILL_PROCESS' }
}
