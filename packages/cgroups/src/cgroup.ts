import {
  ConfigInvalid,
  checked,
  isErrno,
  O_PATH,
  OwnedFd,
  openFlags,
  type Step,
  SyscallError,
  type Waiting,
} from '@libcontainer/sys'
import { placesBelow } from './below.js'
import { removeAll } from './destroy.js'
import { DevicePolicy } from './device-policy.js'
import { LimitUnsupported } from './errors.js'
import { checkFreezerState, type FreezerState, freeze, freezerState, freezersOf, thaw } from './freezer.js'
import { type CgroupHost, cgroupHost } from './host.js'
import { killAll, signalAll } from './kill.js'
import { checkLimits, type Limits } from './limits.js'
import { checkPressureLevel, memoryPressure, type PressureLevel } from './memory-pressure.js'
import { native } from './native.js'
import { type OomEvent, oomEvents } from './oom-events.js'
import { cleanPath, type Place, placeAt, placesOf } from './place.js'
import { type Planned, planLimits } from './plan.js'
import { listProcesses } from './processes.js'
import { parseFlat, readFileOf, readFiles } from './read.js'
import { writeOrRestore } from './restore.js'
import { type CgroupStats, readStats, type StatsController, statsControllers } from './stats.js'
import { joinSelfSteps, joinSteps, limitSteps, type MakeOptions, madeSlot, makeSteps, placeOf } from './steps.js'

export interface CreateOptions extends MakeOptions {
  /** The host to work on. Default: {@link cgroupHost} */
  readonly host?: CgroupHost | undefined
  /** Steps on files that are done first, in the same call: when one fails, nothing is made. Default: none */
  readonly before?: readonly Step[] | undefined
  /** Where the results of steps go, also when a later one fails. */
  readonly results?: Map<string, number> | undefined
  /** Buffers that steps fill: as for `apply` of sys. */
  readonly fills?: readonly Uint8Array[] | undefined
}

export interface SetOptions {
  /** Refuses a `memory.max` that is not above what is in use, instead of reclaiming and killing. Default: `false` */
  readonly refuseBelowUse?: boolean | undefined
}

export interface WaitOptions {
  /** How long to wait at most, in milliseconds. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The kernel may take this long to stop a process that reads from a slow disk. */
const FREEZE_MS = 10_000

/** For processes that are killed or ending to be gone. */
const REMOVE_MS = 2_000

/** A control group: one directory in every hierarchy that the host has mounted. */
export class Cgroup {
  readonly #host: CgroupHost
  readonly #places: readonly Place[]
  /** As it was given: absolute below the hierarchies' tops, or relative to this process' own cgroup. */
  readonly path: string

  private constructor(host: CgroupHost, path: string, places: readonly Place[]) {
    this.#host = host
    this.#places = places
    this.path = path
  }

  /**
   * Makes a cgroup with its missing parents in every hierarchy and sets its limits: one call into the kernel's side, off the thread.
   * When any of it fails, nothing is left of what was made.
   *
   * @param path - absolute: below the hierarchies' tops. Relative: below the cgroup of this process (on pure v2 beside it)
   * @throws {ConfigInvalid} for limits or a path that cannot be
   * @throws {LimitUnsupported} for a limit that this host has no controller for
   * @throws {SyscallError} `EEXIST` if it is there already, `EACCES` and `EPERM` for want of root or delegation
   */
  static async create(path: string, limits: Limits = {}, options: CreateOptions = {}): Promise<Cgroup> {
    const host = options.host ?? (await cgroupHost())
    const places = newPlaces(host, path)
    const group = new Cgroup(host, path, places)
    if (options.existing) {
      checkLimits(limits)
      await group.#make(makeSteps(host, places, limits, options), options)
      await group.set(limits)
    } else {
      await group.#make(stepsOf(host, places, limits), options)
    }
    return group
  }

  /** The steps of {@link create}, for whoever prints or runs them. Pure. */
  static createSteps(host: CgroupHost, path: string, limits: Limits = {}): Step[] {
    return stepsOf(host, newPlaces(host, path), limits)
  }

  /** What {@link create} would write for these limits, in order, without touching the kernel. */
  static async plan(
    limits: Limits,
    { host, path = '/' }: { host?: CgroupHost; path?: string } = {},
  ): Promise<Planned[]> {
    const known = host ?? (await cgroupHost())
    return planLimits(limits, { host: known, places: placesOf(known, path), when: 'create' })
  }

  /**
   * Takes over a cgroup that is there, in the hierarchies that have it.
   *
   * @param where - a path as for {@link create}, or the `paths` of a cgroup, as they were saved
   * @throws {SyscallError} `ENOENT` when no hierarchy has it
   */
  static async open(
    where: string | Readonly<Record<string, string>> | ReadonlyMap<string, string>,
    options: { host?: CgroupHost } = {},
  ): Promise<Cgroup> {
    const host = options.host ?? (await cgroupHost())
    const wanted = typeof where === 'string' ? placesOf(host, where) : savedPlaces(host, where)
    const probes = await readFiles(wanted.map(place => ({ place, file: 'cgroup.procs' })))
    // Any other answer than "not there" is a cgroup: a threaded one has no processes to tell.
    const places = wanted.filter((_, i) => probes[i] !== -2 && probes[i] !== -20)
    const path = typeof where === 'string' ? where : `/${wanted[0]?.path ?? ''}`
    if (places.length === 0) {
      throw new SyscallError(2, 'open', {
        path,
        hint: 'no mounted hierarchy has this cgroup: Cgroup.create() makes it',
      })
    }
    return new Cgroup(host, path, places)
  }

  /** A cgroup by its path or its saved `paths`, whether it is there or not: for who plans, or will make or remove it. */
  static async at(
    where: string | Readonly<Record<string, string>>,
    options: { host?: CgroupHost | undefined } = {},
  ): Promise<Cgroup> {
    const host = options.host ?? (await cgroupHost())
    if (typeof where === 'string') return new Cgroup(host, where, newPlaces(host, where))
    const places = savedPlaces(host, where)
    return new Cgroup(host, `/${places[0]?.path ?? ''}`, places)
  }

  /** The kind of host that it is on. */
  get host(): CgroupHost {
    return this.#host
  }

  /**
   * Some of it further down: for a process that is to live in cgroups which somebody has made below this one.
   *
   * @param paths - by controller, `''` for the unified hierarchy; the other hierarchies stay as they are
   * @throws {ConfigInvalid} for a hierarchy that is not there or has a path already, a path that climbs, and one that is no cgroup
   */
  async below(paths: Readonly<Record<string, string>>, field = 'paths'): Promise<Cgroup> {
    return new Cgroup(this.#host, this.path, await placesBelow(this.#places, paths, field))
  }

  /** Its directories, one in each hierarchy. */
  get places(): readonly Place[] {
    return this.#places
  }

  /** The directory by controller; `''` is that of the unified hierarchy. To be saved, and given to {@link open}. */
  get paths(): ReadonlyMap<string, string> {
    const paths = new Map<string, string>()
    for (const { hierarchy, directory } of this.#places) {
      if (hierarchy.version === 2) paths.set('', directory)
      else for (const controller of hierarchy.controllers) paths.set(controller, directory)
    }
    return paths
  }

  async #make(steps: readonly Step[], { before = [], results = new Map(), fills }: CreateOptions): Promise<void> {
    try {
      await native.apply([...before, ...steps], { results, fills })
    } catch (error) {
      for (const place of this.#places) {
        const levels = results.get(madeSlot(place)) ?? 0
        // A failure here would hide the first one, which tells more.
        if (levels > 0) await native.async.unmakeCgroup(place.hierarchy.mountpoint, place.path, levels)
      }
      throw error
    }
  }

  /**
   * Changes limits; what is not given stays. When one is refused, those before it are put back.
   *
   * @throws {SyscallError} `EBUSY` for less memory than is in use and cannot be reclaimed, others as for {@link create}
   */
  async set(limits: Limits, { refuseBelowUse = false }: SetOptions = {}): Promise<void> {
    checkLimits(limits)
    if (refuseBelowUse) await this.#refuseBelowUse(limits)
    const devices = limits.devices === undefined ? undefined : await this.#shownDevices()
    const context = { host: this.#host, places: this.#places, when: 'set', devices } as const
    try {
      await writeOrRestore(planLimits(limits, context))
    } catch (error) {
      throw isErrno(error, 'EBUSY') ? await this.#withUse(error) : error
    }
    if (devices === undefined) return
    const wanted = DevicePolicy.of(limits.devices!)
    const now = await this.#shownDevices()
    if (now !== undefined && !wanted.isShownBy(now)) {
      throw new ConfigInvalid(
        'devices',
        limits.devices,
        'is not what the kernel made of it: the parent cgroup allows less',
        {
          hint: `see devices.list in ${this.paths.get('devices')}`,
        },
      )
    }
  }

  /** What `devices.list` of v1 says; `undefined` where a program decides. */
  async #shownDevices(): Promise<DevicePolicy | undefined> {
    const place = placeOf(this.#host, this.#places, 'devices')
    if (place?.hierarchy.version !== 1) return undefined
    const list = await readFileOf(place, 'devices.list')
    return list === undefined ? undefined : DevicePolicy.parse(list)
  }

  async #memoryUse(): Promise<{ current: number; peak: number | undefined } | undefined> {
    const { memory } = await this.stats(['memory'])
    return memory && { current: memory.current, peak: memory.peak }
  }

  async #refuseBelowUse({ memory }: Limits): Promise<void> {
    const max = memory?.max
    if (max === undefined || max === 'max') return
    const use = await this.#memoryUse()
    if (use !== undefined && max <= use.current) {
      throw new ConfigInvalid('memory.max', max, `is not above the ${use.current} bytes in use`)
    }
  }

  /** A memory limit that is refused tells how much is used. */
  async #withUse(error: SyscallError): Promise<SyscallError> {
    const use = error.path?.includes('/memory.') ? await this.#memoryUse() : undefined
    if (use === undefined) return error
    const { errno, syscall, path, step, hint } = error
    const detail = `in use: ${use.current} bytes${use.peak === undefined ? '' : `, at most so far: ${use.peak}`}`
    return new SyscallError(errno, syscall, { path, step, hint, detail, cause: error })
  }

  /**
   * Moves a process, with all its threads, into the cgroup.
   *
   * @param options.sub - a cgroup below this one
   * @throws {SyscallError} `ESRCH` when it has ended, `EBUSY` for a v2 cgroup that hands controllers on
   */
  async add(pid: number, { sub = '' }: { sub?: string } = {}): Promise<void> {
    if (!Number.isSafeInteger(pid) || pid <= 0) throw new ConfigInvalid('pid', pid, 'must be the number of a process')
    const below = cleanPath(sub, 'sub')
    const places =
      below === ''
        ? this.#places
        : this.#places.map(({ hierarchy, path }) => placeAt(hierarchy, path === '' ? below : `${path}/${below}`))
    await native.apply(joinSteps(pid, places))
  }

  /**
   * The steps by which a process that has one thread moves itself in: what `init` runs first, while it still sees the host's cgroup
   * file systems. Empty on pure v2, where {@link openUnified} lets it be born inside.
   *
   * @param options.unified - the unified hierarchy too: without `CLONE_INTO_CGROUP`. Default: `false`
   */
  joinSelfSteps(options: { unified?: boolean } = {}): Step[] {
    return joinSelfSteps(this.#places, options)
  }

  /** The unified directory, for clone3(2)'s `CLONE_INTO_CGROUP`: an `O_PATH` descriptor that the caller owns. */
  async openUnified(): Promise<OwnedFd | undefined> {
    const place = this.#places.find(({ hierarchy }) => hierarchy.version === 2)
    if (place === undefined) return undefined
    const flags = O_PATH | openFlags().O_DIRECTORY
    return new OwnedFd(
      checked(native.sync.openCgroup(place.hierarchy.mountpoint, place.path, flags), 'openat2', place.directory),
    )
  }

  /** The processes in it and, unless `recursive` is `false`, in the cgroups below it, by number. */
  async processes({ recursive = true }: { recursive?: boolean } = {}): Promise<number[]> {
    return await listProcesses(this.#places[0]!, recursive)
  }

  /** Whether any hierarchy still has it. */
  async exists(): Promise<boolean> {
    const answers = await readFiles(this.#places.map(place => ({ place, file: 'cgroup.procs' })))
    return answers.some(answer => answer !== -2 && answer !== -19 && answer !== -20)
  }

  /** A snapshot, by one call for all files. @param controllers - only these. Default: all */
  async stats(controllers: readonly StatsController[] = statsControllers): Promise<CgroupStats> {
    for (const name of controllers) {
      if (!statsControllers.includes(name)) {
        throw new ConfigInvalid('controllers', name, `must be of ${statsControllers.join(', ')}`)
      }
    }
    return await readStats(this.#host, this.#places, controllers)
  }

  /** How many processes the OOM killer has ended here. 0 without the memory controller, or when the cgroup is gone. */
  async oomKillCount(): Promise<number> {
    const place = placeOf(this.#host, this.#places, 'memory')
    if (place === undefined) return 0
    const text = await readFileOf(place, place.hierarchy.version === 1 ? 'memory.oom_control' : 'memory.events')
    return parseFlat(text ?? '').get('oom_kill') ?? 0
  }

  /**
   * Each time that it is out of memory, until it is removed or `signal` ends it. Listens from the call on, so that nothing is missed
   * before the first is awaited.
   *
   * @throws {LimitUnsupported} without the memory controller
   * @throws {SyscallError} `ENOENT` when it is gone
   */
  oomEvents(waiting: Waiting = {}): AsyncIterableIterator<OomEvent> {
    return oomEvents(this.#memoryPlace('oom'), waiting)
  }

  /**
   * Each time that memory becomes this hard to find: by v1's levels, or by the stall times of v2 (PSI).
   *
   * @throws {ConfigInvalid} for another level
   * @throws {SyscallError} `EOPNOTSUPP` where PSI is switched off (`psi=1` at boot switches it on)
   */
  async memoryPressure(level: PressureLevel, waiting: Waiting = {}): Promise<AsyncIterableIterator<PressureLevel>> {
    checkPressureLevel(level)
    return await memoryPressure(this.#memoryPlace('pressure'), level, waiting)
  }

  #memoryPlace(what: string): Place {
    const place = placeOf(this.#host, this.#places, 'memory')
    if (place !== undefined) return place
    throw new LimitUnsupported(`memory.${what}`, 'memory', 'this host has no memory controller for it')
  }

  /**
   * Stops every process in it, and waits until they stand. Thawed again on failure.
   *
   * @throws {LibcontainerError} `ETIMEDOUT` when that takes longer than `timeoutMs`. Default: 10 s
   */
  async freeze({ timeoutMs = FREEZE_MS, signal }: WaitOptions = {}): Promise<void> {
    await freeze(freezersOf(this.#places), { timeoutMs, signal })
  }

  /** Lets them run again. */
  async thaw(): Promise<void> {
    await thaw(freezersOf(this.#places))
  }

  /** {@link freeze} and {@link thaw} by the kernel's words. */
  async setFreezer(state: 'FROZEN' | 'THAWED', options: WaitOptions = {}): Promise<void> {
    checkFreezerState(state)
    await (state === 'FROZEN' ? this.freeze(options) : this.thaw())
  }

  /** Whether it is stopped, by either freezer of a hybrid host. */
  async freezerState(): Promise<FreezerState> {
    return await freezerState(freezersOf(this.#places))
  }

  /** Kills every process in it and below it, frozen ones and those that fork meanwhile. {@link destroy} waits for their end. */
  async kill(): Promise<void> {
    await killAll(this.#places)
  }

  /** Sends a signal to every process in it and below it. How many got it. @param signal - its number */
  async signal(signal: number): Promise<number> {
    return await signalAll(this.#places[0]!, signal)
  }

  /**
   * Removes it with all cgroups below it. Gone already is fine.
   *
   * @throws {SyscallError} `EBUSY` when there are processes in it after `timeoutMs`. Default: 2 s
   */
  async destroy({ timeoutMs = REMOVE_MS, signal }: WaitOptions = {}): Promise<void> {
    await removeAll(this.#places, { timeoutMs, signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.destroy()
  }
}

function newPlaces(host: CgroupHost, path: string): Place[] {
  const places = placesOf(host, path)
  if (cleanPath(path) === '') throw new ConfigInvalid('path', path, 'must name a cgroup below the top')
  if (places.length === 0) {
    throw new SyscallError(2, 'open', {
      path: '/sys/fs/cgroup',
      hint: 'no cgroup file system is mounted: mount -t cgroup2 none /sys/fs/cgroup',
    })
  }
  return places
}

function stepsOf(host: CgroupHost, places: readonly Place[], limits: Limits): Step[] {
  const planned = planLimits(limits, { host, places, when: 'create' })
  return [...makeSteps(host, places, limits), ...limitSteps(planned)]
}

/** The places that saved paths name. A hierarchy that is mounted no more is left out. */
function savedPlaces(host: CgroupHost, saved: Readonly<Record<string, string>> | ReadonlyMap<string, string>): Place[] {
  const paths = saved instanceof Map ? saved : new Map(Object.entries(saved as Readonly<Record<string, string>>))
  return host.hierarchies.flatMap(hierarchy => {
    const directory = paths.get(hierarchy.version === 2 ? '' : hierarchy.controllers[0]!)
    if (directory === undefined) return []
    const top = `${hierarchy.mountpoint}/`
    const path = directory.startsWith(top) ? directory.slice(top.length) : undefined
    if (!path || path !== cleanPath(path)) {
      throw new ConfigInvalid('paths', directory, `must be a clean absolute path below ${hierarchy.mountpoint}`)
    }
    return [placeAt(hierarchy, path)]
  })
}
