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
import { removeAll } from './destroy.js'
import { isGone } from './errnos.js'
import { LimitUnsupported } from './errors.js'
import { type CgroupEvent, cgroupEvents, type EventsOptions } from './events/cgroup-events.js'
import type { PressureLevel } from './events/memory-pressure.js'
import { type OomEvent, oomSource } from './events/oom-events.js'
import type { PressureKind, PressureResource } from './events/pressure.js'
import { EventStream } from './events/stream.js'
import { type CgroupHost, cgroupHost } from './host/host.js'
import { cleanPath, newPlaces, type Place, placeBelow, placeOf, placesOf, savedPlaces } from './host/place.js'
import { type Amount, checkAmount } from './limits/amount.js'
import { changeLimits, type SetOptions } from './limits/change.js'
import type { Limits } from './limits/limits.js'
import { type Planned, planLimits } from './limits/plan.js'
import { type CreateOptions, createSteps, makeCgroup, makePlaces, unmake } from './make.js'
import { native } from './native.js'
import { placesBelow } from './processes/below.js'
import { checkFreezerState, type FreezerState, freeze, freezerState, freezersOf, thaw } from './processes/freezer.js'
import { killAll, signalAll } from './processes/kill.js'
import { moveAll, moveInto } from './processes/move.js'
import { listProcesses, listThreads } from './processes/processes.js'
import { reclaimMemory } from './processes/reclaim.js'
import { delegatedFiles, delegateSteps, listBelow } from './processes/tree.js'
import { parseFlat, readFileOf, readFiles } from './read.js'
import type { Pressure } from './stats/source.js'
import type { CgroupStats, StatsController } from './stats/stats.js'
import { joinSelfSteps, joinThreadSteps, makeSteps } from './steps.js'

export interface WaitOptions {
  /** How long to wait at most, in milliseconds. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The kernel may take this long to stop a process that reads from a slow disk. */
const FREEZE_MS = 10_000

/** -1 is no id: it means to leave one alone. */
const LARGEST_ID = 2 ** 32 - 2

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
    await makeCgroup({ host, places }, limits, options)
    return new Cgroup(host, path, places)
  }

  /** The steps of {@link create}, for whoever prints or runs them. Pure. */
  static createSteps(host: CgroupHost, path: string, limits: Limits = {}): Step[] {
    return createSteps({ host, places: newPlaces(host, path) }, limits)
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
    const places = wanted.filter((_, i) => !isGone(probes[i]!))
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

  /**
   * Changes limits; what is not given stays. When one is refused, those before it are put back.
   *
   * @throws {SyscallError} `EBUSY` for less memory than is in use and cannot be reclaimed, others as for {@link create}
   */
  async set(limits: Limits, options: SetOptions = {}): Promise<void> {
    await changeLimits(this, limits, options)
  }

  /**
   * Moves a process, with all its threads, into the cgroup; in no hierarchy when one refuses it.
   *
   * @param options.sub - a cgroup below this one
   * @throws {SyscallError} `ESRCH` when it has ended, `EBUSY` for a v2 cgroup that hands controllers on
   */
  async add(pid: number, { sub = '' }: { sub?: string } = {}): Promise<void> {
    if (!Number.isSafeInteger(pid) || pid <= 0) throw new ConfigInvalid('pid', pid, 'must be the number of a process')
    const below = cleanPath(sub, 'sub')
    const places = below === '' ? this.#places : this.#places.map(place => placeBelow(place, below))
    await moveInto(pid, places)
  }

  /**
   * Moves one thread. On v2 both its cgroups must be threaded, in one tree of threads; v1 does not mind.
   *
   * @throws {SyscallError} `ESRCH` when it has ended, `EOPNOTSUPP` for a cgroup that takes whole processes alone
   */
  async addThread(tid: number): Promise<void> {
    if (!Number.isSafeInteger(tid) || tid <= 0) throw new ConfigInvalid('tid', tid, 'must be the number of a thread')
    // The unified hierarchy of a hybrid host keeps a process together.
    const version = this.#host.mode === 'v2' ? 2 : 1
    const places = this.#places.filter(({ hierarchy }) => hierarchy.version === version)
    await native.apply(joinThreadSteps(tid, places))
  }

  /** The threads that are in it, by number; not those below it. */
  async threads(): Promise<number[]> {
    return await listThreads(this.#places)
  }

  /** The cgroups below it in any hierarchy, parents before their children. @param recursive - those below them too. Default: `false` */
  async children({ recursive = false }: { recursive?: boolean } = {}): Promise<Cgroup[]> {
    const lists = await Promise.all(this.#places.map(place => listBelow(place, recursive)))
    const names = [...new Set(lists.flat())].sort()
    return names.map(name => {
      const places = this.#places.filter((_, i) => lists[i]!.includes(name)).map(place => placeBelow(place, name))
      return new Cgroup(this.#host, `${this.path.replace(/\/+$/, '')}/${name}`, places)
    })
  }

  /**
   * Moves its own processes into a cgroup below it, which is made: on v2 it can then hand its controllers on, which a cgroup with
   * processes cannot. What they fork meanwhile comes along.
   *
   * @param name - of the cgroup below. Default: `leaf`
   * @throws {SyscallError} `EBUSY` when processes come faster than they can be moved. What was moved is moved back, and what was made removed
   */
  async moveToLeaf(name = 'leaf'): Promise<Cgroup> {
    const below = cleanPath(name, 'name')
    if (below === '') throw new ConfigInvalid('name', name, 'must name a cgroup')
    const places = this.#places.map(place => placeBelow(place, below))
    const leaf = new Cgroup(this.#host, `${this.path.replace(/\/+$/, '')}/${below}`, places)
    // Handing on while processes are in it, the kernel makes a tree of threads of it where all controllers count threads.
    const results = new Map<string, number>()
    await makePlaces(places, makeSteps(this.#host, places, {}, { existing: true, handsOn: false }), { results })
    let there = new Set<number>()
    try {
      there = new Set((await Promise.all(places.map(place => listProcesses(place, false)))).flat())
      await moveAll(this.#places, places)
      await native.apply(makeSteps(this.#host, places, {}, { existing: true }))
      return leaf
    } catch (error) {
      // What goes wrong now would hide the reason.
      for (const [i, place] of this.#places.entries())
        await moveAll([places[i]!], [place], there).catch(() => undefined)
      await unmake(places, results).catch(() => undefined)
      throw error
    }
  }

  /**
   * Gives it to a user, who may then make cgroups below it and move processes among them: its directory in the unified hierarchy, and the
   * files that the kernel names for it. Its limits stay whose they were. Nothing happens on v1, which has no safe delegation.
   *
   * @param gid - the group. Default: stays
   * @throws {SyscallError} `EPERM` without `CAP_CHOWN`
   */
  async delegate(uid: number, gid?: number): Promise<void> {
    checkAmount('uid', uid, 0, LARGEST_ID)
    if (gid !== undefined) checkAmount('gid', gid, 0, LARGEST_ID)
    await native.apply(delegateSteps(this.#places, await delegatedFiles(), uid, gid ?? -1))
  }

  /**
   * Has the kernel take memory back from it (`memory.reclaim`, Linux 5.19; v1: `memory.force_empty`). Off the thread: it may take seconds.
   *
   * @param bytes - how much; v1 takes all that it can. Default: all
   * @returns whether all of it was taken back
   */
  async reclaim(bytes?: Amount): Promise<boolean> {
    return await reclaimMemory(this.#memoryPlace('reclaim'), bytes)
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
    return answers.some(answer => !isGone(answer))
  }

  /** A snapshot, by one call for all files. @param controllers - only these. Default: all */
  async stats(controllers?: readonly StatsController[]): Promise<CgroupStats> {
    // Loaded when asked for: what only makes and removes cgroups, as most commands of a runtime, starts without it.
    const { statsOf } = await import('./stats/stats.js')
    return (await statsOf([this], controllers))[0]!
  }

  /** How many processes the OOM killer has ended here. 0 without the memory controller, or when the cgroup is gone. */
  async oomKillCount(): Promise<number> {
    const place = placeOf(this, 'memory')
    if (place === undefined) return 0
    const text = await readFileOf(place, place.hierarchy.version === 1 ? 'memory.oom_control' : 'memory.events')
    return parseFlat(text ?? '').get('oom_kill') ?? 0
  }

  /**
   * What happens to it from the call on: want of memory, its first process and its last, and that all stand; behind `removed` it ends. Of each kind the
   * newest waits to be read. All cgroups that are listened to share a descriptor as far as their kernel lets them: want of memory costs one on v1, and so
   * does being populated without a unified hierarchy.
   *
   * @throws {ConfigInvalid} for a type that is none
   * @throws {LimitUnsupported} for one of `types` that this host cannot tell
   * @throws {SyscallError} `ENOENT` when it is gone, `ENOSPC` for more than `fs.inotify.max_user_watches`
   */
  events(options: EventsOptions = {}): AsyncIterableIterator<CgroupEvent> {
    return cgroupEvents(this, options)
  }

  /** Waits until no process is left in it or below it, or it is removed. @throws the reason of `signal` */
  async untilEmpty({ signal }: Waiting = {}): Promise<void> {
    signal?.throwIfAborted()
    let events: AsyncIterableIterator<CgroupEvent>
    try {
      events = this.events({ types: ['populated'], signal })
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV', 'ENOTDIR')) return
      throw error
    }
    try {
      if ((await this.processes()).length === 0) return
      for await (const event of events) if (event.type === 'populated' && !event.populated) return
    } finally {
      await events.return?.()
    }
  }

  /**
   * Its pressure (PSI) each time that tasks have waited for `stallUs` within `windowUs`, both in microseconds, at most once a window: until it is removed
   * or `signal` ends it. Listens as soon as the promise resolves. Each costs one descriptor, as the kernel has it.
   *
   * @param kind - `some`: at least one task waits; `full`: all do
   * @throws {ConfigInvalid} for what no kernel takes
   * @throws {LimitUnsupported} without a unified hierarchy
   * @throws {SyscallError} `EINVAL` for a window that is no multiple of 2 s without `CAP_SYS_RESOURCE`, `EOPNOTSUPP` where PSI is switched off
   */
  async notifyPressure(
    resource: PressureResource,
    kind: PressureKind,
    stallUs: number,
    windowUs: number,
    waiting: Waiting = {},
  ): Promise<AsyncIterableIterator<Pressure>> {
    const { pressureEvents, pressureTrigger } = await import('./events/pressure.js')
    const trigger = pressureTrigger(resource, kind, stallUs, windowUs)
    const unified = this.#places.find(({ hierarchy }) => hierarchy.version === 2)
    if (unified === undefined)
      throw new LimitUnsupported(`pressure.${resource}`, resource, 'cgroup v1 has no pressure of it')
    return await pressureEvents(unified, resource, trigger, waiting)
  }

  /**
   * Each time that it is out of memory, until it is removed or `signal` ends it. Listens from the call on, so that nothing is missed
   * before the first is awaited.
   *
   * @throws {LimitUnsupported} without the memory controller
   * @throws {SyscallError} `ENOENT` when it is gone
   */
  oomEvents(waiting: Waiting = {}): AsyncIterableIterator<OomEvent> {
    return new EventStream(oomSource(this.#memoryPlace('oom')), waiting)
  }

  /**
   * Each time that memory becomes this hard to find: by v1's levels, or by the stall times of v2 (PSI).
   *
   * @throws {ConfigInvalid} for another level
   * @throws {SyscallError} `EOPNOTSUPP` where PSI is switched off (`psi=1` at boot switches it on)
   */
  async memoryPressure(level: PressureLevel, waiting: Waiting = {}): Promise<AsyncIterableIterator<PressureLevel>> {
    const { checkPressureLevel, memoryPressure } = await import('./events/memory-pressure.js')
    checkPressureLevel(level)
    return await memoryPressure(this.#memoryPlace('pressure'), level, waiting)
  }

  #memoryPlace(what: string): Place {
    const place = placeOf(this, 'memory')
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
