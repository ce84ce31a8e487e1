import {
  ConfigInvalid,
  exists,
  isErrno,
  O_WRONLY,
  readText,
  readTextIfPresent,
  SyscallError,
  writeText,
} from '@libcontainer/sys'
import { readAssignments } from './assignments.js'
import { findSelinuxfs, selinuxfs } from './selinuxfs.js'

/** Whether the kernel keeps to the policy, only tells what it would refuse, or knows none. */
export type Mode = 'enforcing' | 'permissive' | 'disabled'

/** The numbers that libselinux and Go's libcontainer have for them. */
export const MODE_NUMBERS: Readonly<Record<Mode, number>> = Object.freeze({ enforcing: 1, permissive: 0, disabled: -1 })

export interface Status {
  readonly enabled: boolean
  /** That in force. */
  readonly mode: Mode
  /** Why it is not enabled, and what would help. */
  readonly reason?: string | undefined
  /** The name of the policy in /etc/selinux/config: `targeted`, `default`. */
  readonly policy?: string | undefined
  /** Whether contexts have a level. */
  readonly mls?: boolean | undefined
  /** The newest format of policies that the kernel reads. */
  readonly policyVersion?: number | undefined
  /** What becomes of permissions that the policy does not know. */
  readonly unknown?: 'allow' | 'deny' | 'reject' | undefined
}

/** What there is of SELinux; where it is off, why. */
export async function status(): Promise<Status> {
  const found = await findSelinuxfs()
  const policy = await policyName()
  if (found.reason !== undefined) return { enabled: false, mode: 'disabled', reason: found.reason, policy }
  const read = async (name: string) => await readText(`${found.path}/${name}`)
  const [enforce, mls, version, reject, deny] = await Promise.all(
    ['enforce', 'mls', 'policyvers', 'reject_unknown', 'deny_unknown'].map(read),
  )
  return {
    enabled: true,
    mode: enforce === '1' ? 'enforcing' : 'permissive',
    policy,
    mls: mls === '1',
    policyVersion: Number(version),
    unknown: reject === '1' ? 'reject' : deny === '1' ? 'deny' : 'allow',
  }
}

/** Whether the kernel has a policy, and this process may use it. */
export async function isEnabled(): Promise<boolean> {
  return (await findSelinuxfs()).reason === undefined
}

/** Whether the policy has levels; where SELinux is off, no. */
export async function isMls(): Promise<boolean> {
  const found = await findSelinuxfs()
  return found.reason === undefined && (await readText(`${found.path}/mls`)) === '1'
}

/** The mode in force. @see security_getenforce(3) */
export async function getEnforce(): Promise<Mode> {
  const found = await findSelinuxfs()
  if (found.reason !== undefined) return 'disabled'
  return (await readText(`${found.path}/enforce`)) === '1' ? 'enforcing' : 'permissive'
}

/**
 * Changes the mode in force, until the next boot.
 *
 * @throws {LibcontainerError} `SelinuxOff`
 * @throws {SyscallError} `EACCES`, `EPERM` where the policy does not let this process do it
 * @see security_setenforce(3)
 */
export async function setEnforce(mode: 'enforcing' | 'permissive'): Promise<void> {
  if (mode !== 'enforcing' && mode !== 'permissive')
    throw new ConfigInvalid('mode', mode, 'must be enforcing or permissive', {
      hint: 'SELinux is switched off by selinux=0 at boot',
    })
  const path = `${await selinuxfs()}/enforce`
  try {
    await writeText(path, String(MODE_NUMBERS[mode]), { flags: O_WRONLY })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error
    throw new SyscallError(error.errno, error.syscall, {
      path,
      hint: 'the policy wants setenforce of the class security for that, and root',
    })
  }
}

const CONFIG = '/etc/selinux/config'

/** The mode that the next boot begins in, from /etc/selinux/config; `disabled` where there is none. @see selinux_getenforcemode(3) */
export async function defaultMode(path: string = CONFIG): Promise<Mode> {
  const word = (await readConfig(path)).get('SELINUX')?.toLowerCase()
  return word === 'enforcing' || word === 'permissive' ? word : 'disabled'
}

/** The name of the policy in /etc/selinux/config. */
export async function policyName(path: string = CONFIG): Promise<string | undefined> {
  return (await readConfig(path)).get('SELINUXTYPE')
}

/** The folder of the policy's files, such as `/etc/selinux/targeted`; `undefined` where no policy is installed. */
export async function policyRoot(): Promise<string | undefined> {
  const name = await policyName()
  if (name === undefined || name === '' || name.includes('/')) return undefined
  const path = `/etc/selinux/${name}`
  return (await exists(path)) ? path : undefined
}

const readConfig = async (path: string): Promise<ReadonlyMap<string, string>> =>
  readAssignments((await readTextIfPresent(path)) ?? '')
