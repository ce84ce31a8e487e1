import { Cgroup, type CgroupStats } from '@libcontainer/cgroups'
import { InitDied, release } from '@libcontainer/init'
import { joinTarget } from '@libcontainer/namespaces'
import {
  exists,
  isErrno,
  type LibcontainerError,
  type OwnedFd,
  openDirectory,
  POLLIN,
  poll,
  removeFile,
  removeTree,
  signalNumber,
  signalPidfd,
  type Waiting,
} from '@libcontainer/sys'
import { attributesOf } from './attributes.js'
import { begin, makeCgroup } from './begin.js'
import { findCgroup } from './cgroup.js'
import { deviceRules } from './device-rules.js'
import { ContainerError, systemError } from './errors.js'
import { hostFacts } from './facts.js'
import { end, isFrozen, lives, openInit } from './init-process.js'
import { launch } from './launch.js'
import { withLock } from './lock.js'
import { plainCopy } from './plain-copy.js'
import { planExec } from './plan-exec.js'
import type { Process } from './process.js'
import { checkProcess } from './process-check.js'
import type { ProcessSpec } from './process-spec.js'
import { removeAtOnce } from './remove.js'
import type { ResolvedConfig } from './resolve.js'
import { planFirst, startFirst } from './start.js'
import { type ContainerState, loadState, parseState, readState, START_SOCKET, STATE_FILE } from './state.js'

/** What a container is doing. `created`: its first process is set up and waits to be started. */
export type Status = 'created' | 'running' | 'paused' | 'stopped'

export interface DestroyOptions {
  /** Kills what runs first. Default: false, and a running container is `ContainerNotStopped`. */
  readonly force?: boolean | undefined
}

/** A container: processes in namespaces and cgroups of their own, and a directory that tells of them. */
export class Container {
  readonly id: string
  readonly #directory: string
  readonly #config: ResolvedConfig
  #state: ContainerState | undefined
  /** What {@link #state} was parsed from, or written as. */
  #text: string | undefined
  /** The first process, where this object has started it: its child, to be reaped. */
  #init: Process | undefined

  /** @internal containers come from a `Factory` */
  constructor({
    id,
    directory,
    config,
    state,
  }: { id: string; directory: string; config: ResolvedConfig; state?: ContainerState }) {
    this.id = id
    this.#directory = directory
    this.#config = config
    this.#state = state
  }

  /** The config with its defaults; a copy, which is the caller's. */
  config(): ResolvedConfig {
    return plainCopy(this.#config)
  }

  /** What `state.json` records. @throws {ContainerError} `ContainerNotExists` before the first start and after `destroy` */
  async state(): Promise<ContainerState> {
    return await loadState(this.id, this.#directory)
  }

  /** Found out from the kernel at each call. */
  async status(): Promise<Status> {
    return await this.#statusOf(await this.#reload())
  }

  /** The kernel is asked everything at once. */
  async #statusOf(state: ContainerState | undefined): Promise<Status> {
    if (state === undefined) return 'stopped'
    const [frozen, alive, waits] = await Promise.all([
      isFrozen(state),
      lives(state),
      exists(`${this.#directory}/${START_SOCKET}`),
    ])
    if (frozen) return 'paused'
    if (!alive) return 'stopped'
    return waits ? 'created' : 'running'
  }

  /**
   * Sets the container up and leaves its first process waiting: status `created`, until {@link exec} without arguments lets it run.
   *
   * @throws {ContainerError} `ContainerNotStopped` when it has a first process already; `SystemError` with `step` for what the kernel refused
   */
  async start(spec: ProcessSpec): Promise<Process> {
    const process = await this.#startUnlessStarted(spec, true)
    if (process !== undefined) return process
    const status = await this.#statusOf(this.#state)
    throw new ContainerError('ContainerNotStopped', `container '${this.id}' is ${status} already`)
  }

  /** Runs a program: as the first process of a container that has none, else beside it, like {@link exec}. */
  async run(spec: ProcessSpec): Promise<Process> {
    return (await this.#startUnlessStarted(spec, false)) ?? (await this.exec(spec))
  }

  /** Lets the first process of a created container go on to its program. */
  exec(): Promise<void>
  /**
   * Runs a further program in the running container: in its namespaces and cgroups, with its seccomp profile.
   *
   * @throws {ContainerError} `ContainerNotRunning`, `ContainerPaused`; `SystemError` with `step`
   */
  exec(spec: ProcessSpec): Promise<Process>
  async exec(spec?: ProcessSpec): Promise<unknown> {
    return spec === undefined ? await this.#release() : await this.#join(spec)
  }

  /** The host's pids of all processes in the container's cgroup, those below it too; empty when it is gone. */
  async processes(): Promise<number[]> {
    const cgroup = await this.#cgroup()
    return cgroup === undefined ? [] : await cgroup.processes()
  }

  /** What its cgroup counts. @throws {ContainerError} `ContainerNotRunning` when it has none */
  async stats(): Promise<{ cgroups: CgroupStats }> {
    const cgroup = await this.#cgroup()
    if (cgroup === undefined) throw this.#notRunning()
    return { cgroups: await cgroup.stats() }
  }

  /** Stops all its processes where they are; a paused container stays so. */
  async pause(): Promise<void> {
    await this.#locked(async () => {
      const status = await this.status()
      if (status === 'paused') return
      const cgroup = await this.#cgroup()
      if (status === 'stopped' || cgroup === undefined) throw this.#notRunning()
      await this.#doing('cannot pause', () => cgroup.freeze())
    })
  }

  /** Lets a paused container go on. @throws {ContainerError} `NotPaused` */
  async resume(): Promise<void> {
    await this.#locked(async () => {
      if ((await this.status()) !== 'paused')
        throw new ContainerError('NotPaused', `container '${this.id}' is not paused`)
      const cgroup = await this.#cgroup()
      await this.#doing('cannot resume', async () => await cgroup?.thaw())
    })
  }

  /**
   * Sends a signal to the first process, by name or number. KILL reaches a paused container too, and where the pid namespace is
   * shared all its processes, which would live on without the first.
   *
   * @throws {ContainerError} `ContainerNotRunning` when it has ended
   */
  async signal(signal: string | number): Promise<void> {
    const number = signalNumber(signal)
    const state = await this.#reload()
    const init = state === undefined ? undefined : await openInit(state)
    if (init === undefined) throw this.#notRunning()
    try {
      const cgroup = await this.#cgroup()
      if (number === 9 && !this.#ownPids()) await cgroup?.kill()
      else {
        // A frozen process of cgroup v1 does not even die.
        const frozen = number === 9 && cgroup !== undefined && (await cgroup.freezerState()) !== 'THAWED'
        signalPidfd(init, number)
        if (frozen) await cgroup.thaw()
      }
    } catch (error) {
      if (isErrno(error, 'ESRCH')) throw this.#notRunning()
      throw systemError(`cannot signal '${this.id}'`, error)
    } finally {
      init.close()
    }
  }

  /** Waits until the first process has ended, whoever its parent is; at once when there is none. */
  async ended({ signal }: Waiting = {}): Promise<void> {
    const state = await this.#reload()
    const init = state === undefined ? undefined : await openInit(state)
    if (init === undefined) return
    try {
      await poll(init.fd, POLLIN, { signal })
    } finally {
      init.close()
    }
  }

  /**
   * Removes the container's cgroups and its directory. A created one is killed first. Once more is fine.
   *
   * @throws {ContainerError} `ContainerNotStopped`, `ContainerPaused`, unless `force`
   */
  async destroy({ force = false }: DestroyOptions = {}): Promise<void> {
    if (
      this.#init?.ended &&
      this.#state !== undefined &&
      (await removeAtOnce(this.#directory, this.#state, this.#text!))
    ) {
      this.#adopt(undefined)
      this.#init = undefined
      return
    }
    try {
      await withLock(this.id, this.#directory, async text => {
        const status = await this.#statusOf(this.#adopt(text))
        if (!force && status === 'running')
          throw new ContainerError('ContainerNotStopped', `container '${this.id}' is running`)
        if (!force && status === 'paused' && (await this.#alive())) {
          throw new ContainerError('ContainerPaused', `container '${this.id}' is paused`)
        }
        await this.#doing('cannot destroy', () => this.#remove())
      })
    } catch (error) {
      if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    }
  }

  /** Ends and removes it, whatever it does: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy({ force: true })
  }

  /** The first process; `undefined` when there is one already. */
  async #startUnlessStarted(spec: ProcessSpec, wait: boolean): Promise<Process | undefined> {
    checkProcess(spec)
    const { id } = this
    const { path, devices, ...limits } = this.#config.cgroups
    const directory = this.#directory
    const cgroup = await this.#doing('cannot make the cgroup', () => Cgroup.at(path))
    const request = { id, directory, config: this.#config, cgroup, spec, wait }
    const wanted = { id, directory, path, limits: { ...limits, devices: deviceRules(devices) } }
    const beginning = begin(wanted)
    // While the kernel is busy. What is wrong is told where the plan is needed.
    const planning = planFirst(request)
    planning.catch(() => {})
    const { lock, state, ...begun } = await beginning
    try {
      if (state !== undefined && (await this.#statusOf(this.#adopt(state))) !== 'stopped') return undefined
      const oomBefore = state === undefined ? begun.oomBefore : await makeCgroup(wanted)
      try {
        const { process, state, text } = await startFirst(request, await planning, oomBefore)
        this.#state = state
        this.#text = text
        this.#init = process
        return process
      } catch (error) {
        throw await this.#undoStart(cgroup, error)
      }
    } finally {
      lock.close()
    }
  }

  /** Takes back what a start that failed has made. Answers with the error to throw. */
  async #undoStart(cgroup: Cgroup, error: unknown): Promise<Error> {
    const oom = error instanceof InitDied && (await cgroup.oomKillCount()) > 0
    await cgroup.kill()
    await cgroup.destroy()
    await removeFile(`${this.#directory}/${STATE_FILE}`)
    if (!oom) return systemError(`cannot start '${this.id}'`, error)
    return new ContainerError('SystemError', `cannot start '${this.id}': out of memory, its limit is too small`, {
      cause: error,
    })
  }

  async #join(spec: ProcessSpec): Promise<Process> {
    checkProcess(spec)
    // Not while it is being paused: a clone into a frozen cgroup does not come back, and nothing else could be started meanwhile.
    const join = (text: string | undefined): Promise<Process> => this.#joinLocked(spec, this.#adopt(text))
    return await withLock(this.id, this.#directory, join, { shared: true })
  }

  async #joinLocked(spec: ProcessSpec, state: ContainerState | undefined): Promise<Process> {
    if (state === undefined) throw this.#notRunning()
    const [frozen, init] = await Promise.all([isFrozen(state), openInit(state)])
    try {
      if (frozen) throw new ContainerError('ContainerPaused', `container '${this.id}' is paused: resume it first`)
      if (init === undefined) throw this.#notRunning()
      return await this.#doing('cannot run a process in', () => this.#launchBeside(spec, state, init))
    } catch (error) {
      if (init === undefined || frozen || (await lives(state))) throw error
      throw this.#notRunning(error)
    } finally {
      init?.close()
    }
  }

  async #launchBeside(spec: ProcessSpec, state: ContainerState, init: OwnedFd): Promise<Process> {
    const [cgroup, target, host] = await Promise.all([this.#cgroup(), joinTarget(state.init_process_pid), hostFacts()])
    target.pidfd.close()
    const attributes = attributesOf(this.#config, spec, false)
    const joinCgroups = cgroup?.joinSelfSteps() ?? []
    const plan = planExec(spec, attributes, { ...host, kinds: target.kinds, joinCgroups })
    const userns = target.kinds.includes('user')
    const { process } = await launch({
      spec,
      steps: plan.steps,
      slots: plan.slots,
      cgroup,
      oomBefore: cgroup?.oomKillCount() ?? Promise.resolve(0),
      parentDeathSignal: false,
      oomScoreAdj: spec.oomScoreAdj ?? this.#config.oomScoreAdj,
      limits: userns ? { rlimits: attributes.rlimits, initialFiles: host.initialFiles } : undefined,
      handed: { target: init.fd },
    })
    return process
  }

  async #release(): Promise<void> {
    const directory = await this.#doing('cannot start', () => openDirectory(this.#directory, { handle: true }))
    try {
      await release(START_SOCKET, { directory })
      await removeFile(START_SOCKET, { at: directory })
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ECONNREFUSED') || (error as LibcontainerError).code === 'AlreadyStarted') {
        const status = await this.status()
        throw new ContainerError(
          status === 'stopped' ? 'ContainerNotRunning' : 'AlreadyStarted',
          `container '${this.id}' is ${status}, not created`,
          {
            cause: error,
          },
        )
      }
      throw systemError(`cannot start '${this.id}'`, error)
    } finally {
      directory.close()
    }
  }

  async #remove(): Promise<void> {
    const state = await this.#reload()
    const cgroup = await this.#cgroup()
    const init = state === undefined ? undefined : await openInit(state)
    try {
      if (init !== undefined) end(init)
      await cgroup?.kill()
      if (init !== undefined) await poll(init.fd, POLLIN)
    } finally {
      init?.close()
    }
    await this.#init?.wait()
    await cgroup?.destroy()
    await removeTree(this.#directory)
    this.#adopt(undefined)
    this.#init = undefined
  }

  async #reload(): Promise<ContainerState | undefined> {
    return this.#adopt(await readState(this.id, this.#directory))
  }

  /** Takes what the file of the state says; what this object has read or written itself it does not look at again. */
  #adopt(text: string | undefined): ContainerState | undefined {
    if (text === undefined) this.#state = undefined
    else if (text !== this.#text) this.#state = parseState(text, `${this.#directory}/${STATE_FILE}`, this.id)
    this.#text = text
    return this.#state
  }

  /** Its cgroup; `undefined` when it is gone, or when it was never this container's: another may have the same path. */
  async #cgroup(): Promise<Cgroup | undefined> {
    const state = this.#state ?? (await this.#reload())
    return state === undefined ? undefined : await findCgroup(state.cgroup_paths)
  }

  async #alive(): Promise<boolean> {
    return this.#state !== undefined && (await lives(this.#state))
  }

  #ownPids(): boolean {
    return this.#config.namespaces.some(({ kind, path }) => kind === 'pid' && path === undefined)
  }

  async #locked<T>(act: (state: string | undefined) => Promise<T>): Promise<T> {
    return await withLock(this.id, this.#directory, act)
  }

  async #doing<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw systemError(`${what} '${this.id}'`, error)
    }
  }

  #notRunning(cause?: unknown): ContainerError {
    return new ContainerError('ContainerNotRunning', `container '${this.id}' is not running`, { cause })
  }
}
