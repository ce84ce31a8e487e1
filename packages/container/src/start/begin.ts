import { Cgroup, type Limits } from '@libcontainer/cgroups'
import { confirmAbsentStep, isErrno, lockSteps, OwnedFd, readText, type Step, SyscallError } from '@libcontainer/sys'
import { checkCgroup, confirmGivable, forgetCgroup, recordCgroupStep } from '../cgroups/cgroup.js'
import type { CgroupDriver, ContainerCgroup } from '../cgroups/drivers.js'
import { defaultCgroupPath } from '../config/resolve.js'
import { systemError } from '../errors.js'
import { lockPath, untilFree } from '../state/lock.js'
import { STATE_FILE } from '../state/state.js'

export interface BeginRequest {
  readonly id: string
  readonly directory: string
  /** Of the cgroup. */
  readonly path: string
  /** Whom it is given to. */
  readonly owner: number | undefined
  readonly driver: CgroupDriver
  readonly limits: Limits
}

/** A container whose lock is held, the caller's to close. */
export interface Begun {
  readonly lock: OwnedFd
  /** The text of its state: it has a first process, or had one, and nothing was made. `undefined`: its cgroup is there. */
  readonly state: string | undefined
  /** How many processes the OOM killer has ended in the cgroup so far. */
  readonly oomBefore: number
}

/**
 * Takes the lock of a container and, where it never had a first process, makes its cgroup: one call off the thread.
 *
 * @throws {ContainerError} `ContainerNotExists` when it was removed meanwhile
 */
export async function begin(request: BeginRequest): Promise<Begun> {
  const { id, directory } = request
  return await untilFree(id, directory, () => beginNow(request))
}

/** @throws {SyscallError} `EAGAIN` when somebody else holds the lock */
async function beginNow(request: BeginRequest): Promise<Begun> {
  const { directory } = request
  const statePath = `${directory}/${STATE_FILE}`
  const before = [...lockSteps(lockPath(directory), 'lock', { now: true }), confirmAbsentStep(statePath)]
  const results = new Map<string, number>()
  const lock = (): OwnedFd => new OwnedFd(results.get('lock')!)
  try {
    const oomBefore = await makeCgroup(request, before, results)
    return { lock: lock(), state: undefined, oomBefore }
  } catch (error) {
    const started = isErrno(error, 'EEXIST') && error.path === statePath
    if (started) return { lock: lock(), state: await readText(statePath), oomBefore: 0 }
    if (results.has('lock')) lock().close()
    throw error
  }
}

/**
 * A cgroup for a container: new, or one that is there and empty. Answers how many processes the OOM killer has ended in it.
 *
 * @param before - done first, in the same call; their errors come as they are
 */
export async function makeCgroup(
  { id, directory, path, owner, driver, limits }: BeginRequest,
  before: readonly Step[] = [],
  results?: Map<string, number>,
): Promise<number> {
  // Before there is a cgroup: whoever is killed from now on leaves a trace of it.
  // The file systems themselves have the usual one where its name says; where another driver has it may change.
  const usual = driver === Cgroup && path === defaultCgroupPath(id)
  const record = usual ? [] : [await recordCgroupStep(driver, directory, path)]
  let left = false
  try {
    const cgroup = await driver.create(path, limits, { before: [...before, ...record], results })
    try {
      await give(cgroup, owner)
    } catch (error) {
      // It was made for nothing.
      left = !(await isDestroyed(cgroup))
      throw error
    }
    return 0
  } catch (error) {
    if (error instanceof SyscallError && before.some(step => step.path === error.path)) throw error
    try {
      if (!isErrno(error, 'EEXIST')) throw error
      await checkCgroup(driver, path)
      const cgroup = await driver.create(path, limits, { existing: true })
      await give(cgroup, owner)
      return await cgroup.oomKillCount()
    } catch (error) {
      if (record.length > 0 && !left) await forgetCgroup(directory)
      throw systemError(`cannot make the cgroup '${id}'`, error)
    }
  }
}

async function give(cgroup: ContainerCgroup, owner: number | undefined): Promise<void> {
  confirmGivable(cgroup, owner)
  if (owner !== undefined && cgroup.places.length > 0) await cgroup.delegate!(owner)
}

/** Where it is not, the record of it tells whoever removes the container. */
async function isDestroyed(cgroup: ContainerCgroup): Promise<boolean> {
  try {
    await cgroup.destroy()
    return true
  } catch {
    return false
  }
}
