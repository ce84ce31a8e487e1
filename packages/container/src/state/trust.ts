import { exists, ids, isErrno, readLink, type Stat, stat } from '@libcontainer/sys'
import { recordedCgroup } from '../cgroups/cgroup.js'
import type { CgroupDriver } from '../cgroups/drivers.js'
import { ContainerError, systemError } from '../errors.js'
import { isEnding, lives } from './init-process.js'
import { wasRemoved } from './removed-meanwhile.js'
import { type ContainerState, forged, loadState, STATE_FILE } from './state.js'

/** Refuses a directory that somebody else has made, or can write to. @throws {ContainerError} `SystemError`, with the remedy */
export async function confirmOwnDirectory(id: string, directory: string): Promise<void> {
  confirm(directory, 'directory', await lookAt(id, directory))
}

/**
 * Refuses a state that somebody else than this user or root could have written: what it names would be signalled and removed.
 *
 * @throws {ContainerError} `SystemError`, with the remedy
 */
export async function confirmOwned(id: string, directory: string): Promise<void> {
  const [place, file] = await Promise.all([lookAt(id, directory), lookAt(id, `${directory}/${STATE_FILE}`)])
  confirm(directory, 'directory', place)
  confirm(`${directory}/${STATE_FILE}`, 'file', file)
}

async function lookAt(id: string, path: string): Promise<Stat | undefined> {
  try {
    return await stat(path, { follow: false })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw systemError(`cannot read the state of '${id}'`, error)
  }
}

function confirm(path: string, type: Stat['type'], found: Stat | undefined): void {
  if (found === undefined) return
  const { euid } = ids()
  const refuse = (how: string, hint: string): never => {
    const error = new ContainerError('SystemError', `${path} ${how}: nothing that it says is believed`, { hint })
    throw Object.assign(error, { path })
  }
  if (found.type !== type)
    refuse(`is a ${found.type} and no ${type}`, `look who made it, then remove it: rm -r ${path}`)
  if (found.uid !== euid && found.uid !== 0)
    refuse(`belongs to uid ${found.uid}`, `look who made it, then remove it: rm -r ${path}`)
  if ((found.mode & 0o022) !== 0)
    refuse(
      `may be written by others (mode ${(found.mode & 0o7777).toString(8)})`,
      `if it is right as it stands: chmod go-w ${path}`,
    )
}

/**
 * Refuses a state that names a cgroup or a process of somebody else.
 *
 * @throws {ContainerError} `SystemError`, with the remedy; `ContainerNotExists` when it was removed meanwhile, with what it would have been compared to
 */
export async function confirmOwnProcesses(
  driver: CgroupDriver,
  directory: string,
  state: ContainerState,
): Promise<void> {
  try {
    await confirmProcesses(driver, directory, state)
  } catch (error) {
    if (await exists(`${directory}/${STATE_FILE}`)) throw error
    throw wasRemoved(state.id, error)
  }
}

async function confirmProcesses(driver: CgroupDriver, directory: string, state: ContainerState): Promise<void> {
  const path = `${directory}/${STATE_FILE}`
  if (state.era !== undefined) return await confirmEarlier(driver, path, state)
  const [recorded, alive] = await Promise.all([recordedPaths(driver, directory, state), lives(state)])
  const named = Object.entries(state.cgroup_paths)
  if (named.length === 0 && recorded.size > 0)
    throw forged(path, `names no cgroup, and the cgroup of this container is ${[...recorded.values()][0]}`)
  for (const [name, cgroup] of named) {
    const expected = recorded.get(name)
    if (expected !== undefined && expected !== cgroup)
      throw forged(path, `names ${cgroup} in cgroup_paths.${name}, and the cgroup of this container is ${expected}`)
  }
  const processes = alive ? await processesOf(driver, state) : undefined
  if (processes?.includes(state.init_process_pid) !== false || !(await isForeign(state))) return
  // Whoever has ended since is in no cgroup any more.
  if ((await lives(state)) && !(await isEnding(state)))
    throw forged(
      path,
      `names process ${state.init_process_pid}, which is not in the cgroup of this container, nor in its namespaces`,
    )
}

/** Those that a first process is in from its birth, or joins before all else: a clock is its children's, and that of cgroups is late on v1. */
const BORN_IN = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts']

/**
 * Whether the process that a state names cannot be this container's, although it began when it should have: it lives in a namespace of ours of
 * which the container has its own. One that is not was moved out of its cgroup by somebody: by systemd, by a batch system.
 */
async function isForeign({ init_process_pid, config }: ContainerState): Promise<boolean> {
  const own = config.namespaces.filter(({ kind, path }) => path === undefined && BORN_IN.includes(kind))
  try {
    const same = await Promise.all(
      own.map(async ({ kind }) => {
        const [its, ours] = await Promise.all(
          [init_process_pid, 'self'].map(each => readLink(`/proc/${each}/ns/${kind}`)),
        )
        return its === ours
      }),
    )
    return same.includes(true)
  } catch (error) {
    // Whom this user may not look into, this user's containers have not made. One that has ended is nobody's.
    if (isErrno(error, 'EACCES', 'EPERM')) return true
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false
    throw error
  }
}

/**
 * Before all that tells of a container is removed, although its state was not believed.
 *
 * @throws {ContainerError} `SystemError` when the first process lives on, where nobody looks for it
 */
export async function confirmEnded(id: string, directory: string): Promise<void> {
  let state: ContainerState
  try {
    state = await loadState(id, directory)
  } catch (error) {
    if (error instanceof ContainerError) return
    throw error
  }
  if (!(await lives(state)) || (await isEnding(state)) || (await isForeign(state))) return
  const { init_process_pid: pid } = state
  throw new ContainerError(
    'SystemError',
    `process ${pid}, the first of '${id}' as its state says, lives on outside of the cgroup of this container`,
    { hint: `look at it: ps -fp ${pid}; when it is what you think, end it, and remove the container again` },
  )
}

/** There is no record of the cgroup, which is known by the first process alone. */
async function confirmEarlier(driver: CgroupDriver, path: string, state: ContainerState): Promise<void> {
  const processes = (await processesOf(driver, state)) ?? []
  if (processes.length === 0 || (processes.includes(state.init_process_pid) && (await lives(state)))) return
  throw forged(path, `names a cgroup with processes (${processes.join(', ')}) of which none is its first`)
}

async function recordedPaths(
  driver: CgroupDriver,
  directory: string,
  { id }: ContainerState,
): Promise<ReadonlyMap<string, string>> {
  const recorded = await recordedCgroup(id, directory)
  return typeof recorded === 'string' ? (await driver.at(recorded)).paths : new Map(Object.entries(recorded))
}

/** `undefined` where none of its hierarchies is mounted. */
async function processesOf(
  driver: CgroupDriver,
  { cgroup_paths }: ContainerState,
): Promise<readonly number[] | undefined> {
  const cgroup = await driver.at(cgroup_paths)
  return cgroup.places.length === 0 ? undefined : await cgroup.processes()
}
