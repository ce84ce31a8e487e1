import type { Cgroup, CgroupStats } from '@libcontainer/cgroups'
import { InitDied, release } from '@libcontainer/init'
import { joinTarget } from '@libcontainer/namespaces'
import {
  exists,
  isErrno,
  type LibcontainerError,
  type OwnedFd,
  openDirectory,
  openPidfd,
  POLLIN,
  poll,
  processStat,
  removeFile,
  removeTree,
  signalNumber,
  signalPidfd,
  type Waiting,
} from '@libcontainer/sys'
import { attributesOf } from './attributes.js'
import { findCgroup, forgetCgroup, makeCgroup, recordCgroup } from './cgroup.js'
import { deviceRules } from './device-rules.js'
import { ContainerError, systemError } from './errors.js'
import { hostFacts } from './facts.js'
import { launch } from './launch.js'
import { withLock } from './lock.js'
import { plainCopy } from './plain-copy.js'
import { planExec } from './plan-exec.js'
import type { Process } from './process.js'
import { checkProcess } from './process-check.js'
import type { ProcessSpec } from './process-spec.js'
import { defaultCgroupPath, type ResolvedConfig } from './resolve.js'
import { startFirst } from './start.js'
import { type ContainerState, loadState, START_SOCKET, STATE_FILE } from './state.js'

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
    const state = await this.#reload()
    if (state === undefined) return 'stopped'
    const cgroup = await this.#cgroup()
    if ((await cgroup?.freezerState()) === 'FROZEN') return 'paused'
    if (!(await lives(state))) return 'stopped'
    return (await exists(`${this.#directory}/${START_SOCKET}`)) ? 'created' : 'running'
  }

  /**
   * Sets the container up and leaves its first process waiting: status `created`, until {@link exec} without arguments lets it run.
   *
   * @throws {ContainerError} `ContainerNotStopped` when it has a first process already; `SystemError` with `step` for what the kernel refused
   */
  async start(spec: ProcessSpec): Promise<Process> {
    return await this.#start(spec, true)
  }

  /** Runs a program: as the first process of a container that has none, else beside it, like {@link exec}. */
  async run(spec: ProcessSpec): Promise<Process> {
    return (await this.status()) === 'stopped' ? await this.#start(spec, false) : await this.exec(spec)
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
    if (!(await exists(this.#directory))) return
    try {
      await withLock(this.id, this.#directory, async () => {
        const status = await this.status()
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

  async #start(spec: ProcessSpec, wait: boolean): Promise<Process> {
    checkProcess(spec)
    return await this.#locked(async () => {
      const status = await this.status()
      if (status !== 'stopped')
        throw new ContainerError('ContainerNotStopped', `container '${this.id}' is ${status} already`)
      const { path, devices, ...limits } = this.#config.cgroups
      const usual = path === defaultCgroupPath(this.id)
      const cgroup = await this.#doing('cannot make the cgroup', async () => {
        // Before there is a cgroup: whoever is killed from now on leaves a trace of it.
        if (!usual) await recordCgroup(this.#directory, path)
        try {
          return await makeCgroup(path, { ...limits, devices: deviceRules(devices) })
        } catch (error) {
          if (!usual) await forgetCgroup(this.#directory)
          throw error
        }
      })
      try {
        const { process, state } = await startFirst({
          id: this.id,
          directory: this.#directory,
          config: this.#config,
          cgroup,
          spec,
          wait,
        })
        this.#state = state
        this.#init = process
        return process
      } catch (error) {
        const oom = error instanceof InitDied && (await cgroup.oomKillCount()) > 0
        await cgroup.kill()
        await cgroup.destroy()
        await removeFile(`${this.#directory}/${STATE_FILE}`)
        throw oom
          ? new ContainerError('SystemError', `cannot start '${this.id}': out of memory, its limit is too small`, {
              cause: error,
            })
          : systemError(`cannot start '${this.id}'`, error)
      }
    })
  }

  async #join(spec: ProcessSpec): Promise<Process> {
    checkProcess(spec)
    // Not while it is being paused: a clone into a frozen cgroup does not come back, and nothing else could be started meanwhile.
    return await withLock(this.id, this.#directory, () => this.#joinLocked(spec), { shared: true })
  }

  async #joinLocked(spec: ProcessSpec): Promise<Process> {
    const status = await this.status()
    if (status === 'paused')
      throw new ContainerError('ContainerPaused', `container '${this.id}' is paused: resume it first`)
    const state = this.#state
    const init = state === undefined || status === 'stopped' ? undefined : await openInit(state)
    if (state === undefined || init === undefined) throw this.#notRunning()
    try {
      return await this.#doing('cannot run a process in', () => this.#launchBeside(spec, state, init))
    } catch (error) {
      if (await lives(state)) throw error
      throw this.#notRunning(error)
    } finally {
      init.close()
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
    this.#state = undefined
    this.#init = undefined
  }

  async #reload(): Promise<ContainerState | undefined> {
    try {
      this.#state = await loadState(this.id, this.#directory)
    } catch (error) {
      if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
      this.#state = undefined
    }
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

  async #locked<T>(act: () => Promise<T>): Promise<T> {
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

/** Whether the process that the state names is alive: it, and not a later one with its number. */
async function lives({ init_process_pid, init_process_start }: ContainerState): Promise<boolean> {
  const stat = await processStat(init_process_pid)
  return stat !== undefined && String(stat.startTime) === init_process_start && stat.state !== 'Z' && stat.state !== 'X'
}

function end(init: OwnedFd): void {
  try {
    signalPidfd(init, 9)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** A descriptor of the first process; checked after it is open, so that it cannot be a later one's. */
async function openInit(state: ContainerState): Promise<OwnedFd | undefined> {
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
