import { isErrno, readTextIfPresent, SyscallError, statusField } from '@libcontainer/sys'
import { hostId, parseIdMap } from './id-map.js'
import { isSupported } from './inspect.js'
import { parseWriter } from './write-maps.js'

/** What can keep an ordinary user from making a user namespace, as /proc tells it. */
export interface UserNamespaceFacts {
  /** The kernel was built with user namespaces. */
  readonly supported: boolean
  /** user.max_user_namespaces, as it counts here. */
  readonly max?: number | undefined
  /** Debian's kernel.unprivileged_userns_clone; `undefined` where the kernel has no such switch. */
  readonly unprivilegedClone?: boolean | undefined
  /** Ubuntu's kernel.apparmor_restrict_unprivileged_userns. */
  readonly appArmorRestricts?: boolean | undefined
  /** The root directory of this process is no root of its mount namespace. */
  readonly chroot?: boolean | undefined
  /** A seccomp filter is in force: that of a container around this one. */
  readonly filtered?: boolean | undefined
  /** The ids of this process are mapped in its own user namespace. */
  readonly mapped?: boolean | undefined
}

/** Why there is no user namespace, and the one thing that changes it. */
export interface UserNamespaceObstacle {
  readonly cause: 'kernel' | 'limit' | 'depth' | 'switch' | 'apparmor' | 'chroot' | 'unmapped' | 'seccomp' | 'security'
  readonly problem: string
  readonly remedy: string
}

/** Names the cause of a refused clone(2) or unshare(2) with `CLONE_NEWUSER`. Pure. @param code - the errno's name */
export function userNamespaceObstacle(code: string, facts: UserNamespaceFacts): UserNamespaceObstacle | undefined {
  if (!facts.supported) {
    const remedy = 'boot a kernel with CONFIG_USER_NS=y, or run as root'
    return { cause: 'kernel', problem: 'the kernel was built without user namespaces', remedy }
  }
  switch (code) {
    case 'ENOSPC':
      return limitReached(facts)
    case 'EUSERS':
      return {
        cause: 'depth',
        problem: 'user namespaces are nested 32 deep already',
        remedy: 'run with fewer containers around this one',
      }
    case 'EACCES':
    case 'EPERM':
    case 'ENOSYS':
      return forbidden(code, facts)
    default:
      return undefined
  }
}

function limitReached({ max }: UserNamespaceFacts): UserNamespaceObstacle {
  const problem =
    max === 0
      ? 'user namespaces are switched off: user.max_user_namespaces is 0'
      : `there are as many user namespaces as user.max_user_namespaces lets be, here or in a namespace around this one${max === undefined ? '' : ` (${max} here)`}`
  return { cause: 'limit', problem, remedy: 'sysctl -w user.max_user_namespaces=15000' }
}

/** From what is certain to what is only likely. */
function forbidden(code: string, facts: UserNamespaceFacts): UserNamespaceObstacle {
  if (facts.unprivilegedClone === false) {
    const problem = 'this kernel keeps user namespaces from ordinary users: kernel.unprivileged_userns_clone is 0'
    return { cause: 'switch', problem, remedy: 'sysctl -w kernel.unprivileged_userns_clone=1' }
  }
  if (facts.appArmorRestricts) {
    const problem =
      'AppArmor keeps user namespaces from programs without a profile: kernel.apparmor_restrict_unprivileged_userns is 1'
    return { cause: 'apparmor', problem, remedy: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' }
  }
  if (facts.chroot) {
    const problem = 'this process runs in a chroot, where the kernel makes no user namespace'
    return { cause: 'chroot', problem, remedy: 'run it outside of the chroot, or enter that by pivot_root' }
  }
  if (facts.mapped === false) {
    const problem = 'the ids of this process are not mapped in the user namespace that it is in'
    return { cause: 'unmapped', problem, remedy: 'map them in the container around this one, or run as a mapped user' }
  }
  if (facts.filtered) {
    const problem = 'a seccomp filter is in force, most likely of a container around this one, and it forbids them'
    return {
      cause: 'seccomp',
      problem,
      remedy:
        'start the outer container with --security-opt seccomp=unconfined, or a profile that allows CLONE_NEWUSER',
    }
  }
  const problem = `a security module of the kernel forbids them (${code})`
  return { cause: 'security', problem, remedy: 'look into the kernel’s log: dmesg | grep -i -e denied -e audit' }
}

/** Reads the facts of this host and this process. What cannot be read is `undefined`. */
export async function readUserNamespaceFacts(): Promise<UserNamespaceFacts> {
  const [supported, max, clone, appArmor, mountinfo, status, uidMap] = await Promise.all([
    isSupported('user'),
    readQuietly('/proc/sys/user/max_user_namespaces'),
    readQuietly('/proc/sys/kernel/unprivileged_userns_clone'),
    readQuietly('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    readQuietly('/proc/self/mountinfo'),
    readQuietly('/proc/self/status'),
    readQuietly('/proc/self/uid_map'),
  ])
  return {
    supported,
    max: max === undefined ? undefined : Number(max),
    unprivilegedClone: clone === undefined ? undefined : clone.trim() !== '0',
    appArmorRestricts: appArmor === undefined ? undefined : appArmor.trim() !== '0',
    // From a chroot the mounts are seen that lie below it, and mostly it is none itself.
    chroot: mountinfo === undefined ? undefined : !mountinfo.split('\n').some(line => line.split(' ')[4] === '/'),
    filtered: status === undefined ? undefined : statusField(status, 'Seccomp') === '2',
    mapped: status === undefined || uidMap === undefined ? undefined : isMapped(uidMap, parseWriter(status).euid),
  }
}

/** Files that some kernels lack, and some containers hide. */
async function readQuietly(path: string): Promise<string | undefined> {
  try {
    return await readTextIfPresent(path)
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}

/** A map is told in ids that the reader sees: an unmapped reader is the overflow id, which no line holds by chance alone. */
function isMapped(uidMap: string, euid: number): boolean {
  try {
    hostId(parseIdMap(uidMap), euid)
    return true
  } catch {
    return false
  }
}

/**
 * The error of a refused user namespace, told by its cause and with the remedy as its hint; any other error as it is.
 *
 * @param error - what {@link spawn} of sys, or a step of `init`, was refused
 */
export async function obstacleOf(error: unknown): Promise<unknown> {
  if (!isErrno(error, 'EPERM', 'EACCES', 'ENOSPC', 'EUSERS', 'EINVAL', 'ENOSYS')) return error
  const obstacle = userNamespaceObstacle(error.code, await readUserNamespaceFacts())
  if (obstacle === undefined) return error
  const { errno, syscall, path, step } = error
  // AppArmor lets the namespace be made, and then takes the rights in it away; nothing else shows so late.
  if (!/^(clone|unshare)/.test(syscall) && obstacle.cause !== 'apparmor') return error
  return new SyscallError(errno, syscall, {
    path,
    step,
    detail: `no user namespace: ${obstacle.problem}`,
    hint: obstacle.remedy,
    cause: error,
  })
}
