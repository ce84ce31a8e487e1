import { Cgroup } from '@libcontainer/cgroups'
import {
  exists,
  isErrno,
  type OwnedFd,
  openDirectory,
  openPidfd,
  processStat,
  readLink,
  readTextIfPresent,
  SyscallError,
  statusField,
} from '@libcontainer/sys'
import { type ContainerState, START_SOCKET } from './state.js'

/** By either freezer of a hybrid host. One that a signal has woken for a moment is on its way back, and counts. */
export async function isFrozen({ cgroup_paths }: ContainerState): Promise<boolean> {
  const cgroup = await Cgroup.at(cgroup_paths)
  return (await cgroup.freezerState()) !== 'THAWED'
}

/** Whether the process that the state names is alive: it, and not a later one with its number. */
export async function lives(state: ContainerState): Promise<boolean> {
  return (await livingName(state)) !== undefined
}

/** What it calls itself; `undefined` when it is not alive. */
export async function livingName(state: ContainerState): Promise<string | undefined> {
  const stat = await processStat(state.init_process_pid)
  if (stat === undefined || String(stat.startTime) !== state.init_process_start) return undefined
  return stat.state === 'Z' || stat.state === 'X' ? undefined : stat.comm
}

/** What the kernel calls the carrier of `init`: a memory file, a file of a private file system where those are forbidden, or an overlay of it (sys' native/program.c). */
const CARRIERS = ['/memfd:init (deleted)', '/.libcontainer-init', '/']

/** What `init` calls itself up to its exec: while it sets the container up, and when it waits to be started. */
const INIT_NAME = 'init'
const CREATED_NAME = 'init:created'

/** Whether a first process of this name has executed its program for certain: up to then it bears one of init's. */
export const hasExecuted = (name: string): boolean => name !== INIT_NAME && name !== CREATED_NAME

/**
 * What a container does whose first process is alive and has this name.
 *
 * Init tells it itself, so that it is true whoever created the container and however that ended. What bears another name has executed its program.
 * A program can give itself these names; but the socket by which a created container is started is in a directory that none of its processes reaches.
 *
 * @param directory - of its state
 */
export async function statusOfLiving(
  name: string,
  state: Pick<ContainerState, 'init_process_pid'>,
  directory: string,
): Promise<'creating' | 'created' | 'running' | 'stopped'> {
  if (hasExecuted(name)) return 'running'
  if (name === CREATED_NAME && !(await exists(`${directory}/${START_SOCKET}`))) return 'running'
  const preparing = await isPreparing(state)
  if (preparing === undefined) return 'stopped'
  if (!preparing) return 'running'
  return name === CREATED_NAME ? 'created' : 'creating'
}

/**
 * Whether the first process is `init` still, and not yet the program: the kernel says what it executes. A program can make itself look
 * like this, but only to be told of wrongly. `undefined`: it is gone, or on its way out, and will execute nothing any more.
 */
async function isPreparing({
  init_process_pid,
}: Pick<ContainerState, 'init_process_pid'>): Promise<boolean | undefined> {
  try {
    return CARRIERS.includes(await readLink(`/proc/${init_process_pid}/exe`))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    // It runs as a user whose processes we may not look into, which init does not.
    if (isErrno(error, 'EACCES', 'EPERM')) return false
    throw error
  }
}

/**
 * Whether it is on its way out: without memory, and with that without a program, while it waits for those that end with it. It has left its
 * cgroups by then, and is no zombie yet.
 */
export async function isEnding({ init_process_pid }: Pick<ContainerState, 'init_process_pid'>): Promise<boolean> {
  try {
    await readLink(`/proc/${init_process_pid}/exe`)
    return false
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return true
    if (isErrno(error, 'EACCES', 'EPERM')) return false
    throw error
  }
}

/** Whether it was killed and could not die yet, since it is stopped: frozen by cgroup v1 it would stay so for ever. */
export async function isKilled({ init_process_pid }: Pick<ContainerState, 'init_process_pid'>): Promise<boolean> {
  const status = (await readTextIfPresent(`/proc/${init_process_pid}/status`)) ?? ''
  const pending = ['SigPnd', 'ShdPnd'].map(name => BigInt(`0x${statusField(status, name) ?? 0}`))
  return pending.some(mask => (mask & KILL_BIT) !== 0n)
}

const KILL_BIT = 1n << 8n

/** A descriptor of the first process; checked after it is open, so that it cannot be a later one's. */
export async function openInit(state: ContainerState): Promise<OwnedFd | undefined> {
  try {
    const pidfd = openPidfd(state.init_process_pid)
    if (await lives(state)) return pidfd
    pidfd.close()
    return undefined
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL')) return undefined
    throw error
  }
}

/** A handle of the first process's root directory; the process is looked at after it is open, so that it cannot be a later one's. */
export async function openRootOf(state: ContainerState): Promise<OwnedFd> {
  const path = `/proc/${state.init_process_pid}/root`
  const root = await openDirectory(path, { handle: true })
  if (await lives(state)) return root
  root.close()
  throw new SyscallError(ESRCH, 'open', { path, hint: 'the first process of the container has ended' })
}

const ESRCH = 3
