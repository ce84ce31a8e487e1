import { findCgroup } from './cgroups/cgroup.js'
import type { ContainerCgroup, Drivers } from './cgroups/drivers.js'
import { DELEGATION_HINT } from './cgroups/rootless.js'
import type { ResolvedConfig } from './config/resolve.js'
import { ContainerError, systemError } from './errors.js'
import { type Networking, planNetworking } from './network/network.js'
import type { Process } from './process.js'
import { Events } from './running/events.js'
import { watch } from './running/watch.js'
import type { Hook, HookPoint } from './start/hooks.js'
import { lives } from './state/init-process.js'
import { type LockOptions, withLock } from './state/lock.js'
import { namespaceProcesses } from './state/namespace-processes.js'
import { type ContainerState, parseState, readState, STATE_FILE } from './state/state.js'
import { statusOf } from './state/status.js'
import { TransitionError } from './state/transitions.js'

export interface HandleOptions {
  readonly id: string
  readonly directory: string
  readonly config: ResolvedConfig
  readonly state?: ContainerState | undefined
  /** What the state was parsed from. */
  readonly text?: string | undefined
  /** What was chosen for the networks of its first start. */
  readonly networking?: Networking | undefined
  readonly drivers: Drivers
  readonly warn?: ((message: string) => void) | undefined
}

/** What one `Container` object knows of its container, for the operations on it: each of them is a file beside this one. */
export class Handle {
  readonly id: string
  readonly directory: string
  readonly drivers: Drivers
  /** Told of what went on although it should not have. */
  readonly warn: ((message: string) => void) | undefined
  config: ResolvedConfig
  state: ContainerState | undefined
  /** What {@link state} was parsed from, or written as. */
  text: string | undefined
  /** The first process, where this object has started it: its child, to be reaped. */
  init: Process | undefined
  readonly events = new Events(
    () => this.watch(),
    () => this.#unwatch(),
  )
  /** Hooks that this process has added, by their point: after those of the config. */
  readonly #hooks = new Map<HookPoint, Hook[]>()
  #watching: { readonly stop: AbortController; readonly told: Promise<void> } | undefined

  #networking: Networking | undefined

  constructor({ id, directory, config, state, text, networking, drivers, warn }: HandleOptions) {
    this.id = id
    this.directory = directory
    this.drivers = drivers
    this.warn = warn
    this.config = config
    this.state = state
    this.text = text
    this.#networking = networking
  }

  /** What is chosen for the networks of one start. */
  async planNetworking(): Promise<Networking | undefined> {
    const networking = this.#networking ?? (await planNetworking(this))
    this.#networking = undefined
    return networking
  }

  /** The state as it is on disk now. */
  async reload(): Promise<ContainerState | undefined> {
    return await this.adopt(await readState(this.id, this.directory))
  }

  /** Takes what the file of the state says; what this object has read or written itself it does not look at again. */
  async adopt(text: string | undefined): Promise<ContainerState | undefined> {
    if (text === undefined) this.state = undefined
    else if (text !== this.text) this.state = await parseState(text, `${this.directory}/${STATE_FILE}`, this.id)
    this.text = text
    return this.state
  }

  /** It was removed. */
  forget(): void {
    this.state = this.text = undefined
    this.init = undefined
  }

  /** Looks after the container while somebody listens. @param anew - it has a new first process */
  watch({ anew = false }: { anew?: boolean } = {}): void {
    if (anew) this.#unwatch()
    else if (this.#watching !== undefined) return
    if (!this.events.heard) return
    const stop = new AbortController()
    const { told, over } = watch(this, stop.signal)
    const watching = { stop, told }
    this.#watching = watching
    // Both fail for the same reason.
    told.catch(() => {})
    over
      .catch((error: unknown) => this.warn?.(`not all events of '${this.id}' are told: ${(error as Error).message}`))
      .finally(() => {
        if (this.#watching === watching) this.#watching = undefined
      })
  }

  /** It was removed: listeners hear of it, behind the end of its first process. */
  async tellRemoval(): Promise<void> {
    await this.#watching?.told.catch(() => {})
    this.events.emit({ type: 'destroyed' })
    this.#unwatch()
  }

  #unwatch(): void {
    this.#watching?.stop.abort()
    this.#watching = undefined
  }

  addHook(point: HookPoint, hook: Hook): void {
    this.#hooks.set(point, [...(this.#hooks.get(point) ?? []), hook])
  }

  hooks(point: HookPoint): readonly Hook[] {
    return [...(this.config.hooks?.[point] ?? []), ...(this.#hooks.get(point) ?? [])]
  }

  /** Its cgroup; `undefined` when it is gone, or when it was never this container's: another may have the same path. */
  async cgroup(): Promise<ContainerCgroup | undefined> {
    const state = this.state ?? (await this.reload())
    return state === undefined ? undefined : await findCgroup(this.drivers.cgroups, state.cgroup_paths)
  }

  /** Whether the first process lives. */
  async alive(): Promise<boolean> {
    return this.state !== undefined && (await lives(this.state))
  }

  /** Its first process is pid 1 of a namespace of its own: the kernel ends all others with it. */
  get ownPids(): boolean {
    return this.config.namespaces.some(({ kind, path }) => kind === 'pid' && path === undefined)
  }

  /** @param act - gets the text of the state @throws {TransitionError} when whoever holds its lock is creating it */
  async locked<T>(
    act: (state: string | undefined) => Promise<T>,
    { shared, meanwhile = () => this.#refuseWhileCreating() }: LockOptions = {},
  ): Promise<T> {
    return await withLock(this.id, this.directory, act, { shared, meanwhile })
  }

  /** Its creator holds the lock while hooks run: one of them that waited for it, or for somebody who does, would wait for itself. */
  async #refuseWhileCreating(): Promise<void> {
    const status = await statusOf(await this.reload(), this.directory)
    if (status !== 'creating') return
    throw new TransitionError('ContainerNotStopped', `container '${this.id}' is being created`, {
      from: 'creating',
      to: 'running',
      hint: 'only its creator acts on it until its hooks have run; whoever removes it by force ends that',
    })
  }

  /** @param what - `cannot pause` */
  async doing<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw systemError(`${what} '${this.id}'`, error)
    }
  }

  /** Its processes, where no cgroup tells. */
  async processes(): Promise<number[]> {
    if (this.state === undefined || !(await this.alive())) return []
    const { init_process_pid: pid } = this.state
    return this.ownPids ? await namespaceProcesses(pid) : [pid]
  }

  /** Why there is no cgroup: an ordinary user's container may never have had one. */
  withoutCgroup(): ContainerError {
    if (this.state === undefined || Object.keys(this.state.cgroup_paths).length > 0) return this.notRunning()
    return new ContainerError('CgroupNotExist', `container '${this.id}' has no cgroup`, { hint: DELEGATION_HINT })
  }

  notRunning(cause?: unknown): ContainerError {
    return new ContainerError('ContainerNotRunning', `container '${this.id}' is not running`, { cause })
  }
}
