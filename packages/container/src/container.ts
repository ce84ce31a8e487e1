import type { CgroupStats, OomEvent, PressureLevel, SetOptions } from '@libcontainer/cgroups'
import type { DumpResult } from '@libcontainer/criu'
import type { DeviceRequest } from '@libcontainer/devices'
import type { RdtStats } from '@libcontainer/intelrdt'
import type { Mount } from '@libcontainer/mount'
import { ConfigInvalid, exists, type Waiting } from '@libcontainer/sys'
import type { CheckpointOptions, RestoreOptions, RestoreSpec } from './checkpoint/options.js'
import { plainCopy } from './config/plain-copy.js'
import type { ProcessSpec } from './config/process-spec.js'
import type { ResolvedConfig } from './config/resolve.js'
import { Handle, type HandleOptions } from './handle.js'
import { classStats } from './intelrdt/class.js'
import { type InterfaceStats, networkStats } from './network/network.js'
import type { Process, ProcessResult } from './process.js'
import { type DestroyOptions, destroy } from './running/destroy.js'
import type { ContainerEvent } from './running/events.js'
import type { LimitsRequest } from './running/set.js'
import { type SignalOptions, sendSignal } from './running/signal.js'
import type { StopOptions } from './running/stop.js'
import { awaitEnd, terminateFirst, type WaitOptions, waitFirst } from './running/wait.js'
import { runBeside } from './start/beside.js'
import { releaseFirst, startUnlessStarted } from './start/first.js'
import { checkCommand, type Hook, type HookPoint, hookPoints } from './start/hooks.js'
import { type OciState, ociState } from './state/oci-state.js'
import { type ContainerState, loadState } from './state/state.js'
import { type Status, statusOf } from './state/status.js'
import { type Status2015, statusTo2015 } from './state/status-names.js'
import { TransitionError } from './state/transitions.js'

/** A container: processes in namespaces and cgroups of their own, and a directory that tells of them. */
export class Container {
  readonly id: string
  readonly #handle: Handle

  /** @internal containers come from a `Factory` */
  constructor(options: HandleOptions) {
    this.id = options.id
    this.#handle = new Handle(options)
  }

  /** The config with its defaults; a copy, which is the caller's. */
  config(): ResolvedConfig {
    return plainCopy(this.#handle.config)
  }

  /** What `state.json` records. @throws {ContainerError} `ContainerNotExists` before the first start and after `destroy` */
  async state(): Promise<ContainerState> {
    return await loadState(this.id, this.#handle.directory)
  }

  /** Found out from the kernel at each call. */
  async status(): Promise<Status> {
    return await statusOf(await this.#handle.reload(), this.#handle.directory)
  }

  /** {@link status} by the names of 2015, where a container with a file `checkpoint` in its directory is `Checkpointed`. */
  async status2015(): Promise<Status2015> {
    const [status, checkpointed] = await Promise.all([this.status(), exists(`${this.#handle.directory}/checkpoint`)])
    return statusTo2015(status, { checkpointed })
  }

  /** What it is and does in the words of the OCI runtime specification. */
  async ociState(): Promise<OciState> {
    const state = await this.#handle.reload()
    const { id, config } = this.#handle
    return ociState({ id, labels: config.labels, state, status: await statusOf(state, this.#handle.directory) })
  }

  /**
   * Sets the container up and leaves its first process waiting: status `created`, until {@link exec} without arguments lets it run.
   *
   * @throws {ContainerError} `ContainerNotStopped` when it has a first process already; `SystemError` with `step` for what the kernel refused
   */
  async start(spec: ProcessSpec): Promise<Process> {
    const process = await startUnlessStarted(this.#handle, spec, true)
    if (process !== undefined) return process
    const from = await statusOf(this.#handle.state, this.#handle.directory)
    throw new TransitionError('ContainerNotStopped', `container '${this.id}' is ${from} already`, {
      from,
      to: 'created',
    })
  }

  /** Runs a program: as the first process of a container that has none, else beside it, like {@link exec}. */
  async run(spec: ProcessSpec): Promise<Process> {
    return (await startUnlessStarted(this.#handle, spec, false)) ?? (await this.exec(spec))
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
    return spec === undefined ? await releaseFirst(this.#handle) : await runBeside(this.#handle, spec)
  }

  /**
   * The host's pids of all processes in the container's cgroup, those below it too; empty when it is gone. Without a cgroup, of those in its
   * pid namespace; where it shares that, of its first process alone.
   */
  async processes(): Promise<number[]> {
    const cgroup = await this.#handle.cgroup()
    return cgroup === undefined ? await this.#handle.processes() : await cgroup.processes()
  }

  /** What its cgroup counts, its class of resctrl where it has one, and its networks of type `veth`, as it sees them. @throws {ContainerError} `ContainerNotRunning` when it is gone, `CgroupNotExist` when it never had one */
  async stats(): Promise<{ cgroups: CgroupStats; intelRdt?: RdtStats; interfaces: InterfaceStats[] }> {
    const cgroup = await this.#handle.cgroup()
    if (cgroup === undefined) throw this.#handle.withoutCgroup()
    const { directory, config } = this.#handle
    const [cgroups, intelRdt, interfaces] = await Promise.all([
      cgroup.stats(),
      classStats(this.#handle),
      networkStats(directory, config),
    ])
    return { cgroups, ...(intelRdt && { intelRdt }), interfaces }
  }

  /** Stops all its processes where they are; a paused container stays so. */
  async pause(): Promise<void> {
    const { pause } = await import('./running/pause.js')
    await pause(this.#handle)
  }

  /** Lets a paused container go on. @throws {ContainerError} `NotPaused` */
  async resume(): Promise<void> {
    const { resume } = await import('./running/pause.js')
    await resume(this.#handle)
  }

  /**
   * Each time that it is out of memory, until its cgroup is removed. Listens from when the promise resolves.
   *
   * @throws {ContainerError} `ContainerNotRunning` when it has no cgroup yet, or none any more
   */
  async notifyOOM(waiting: Waiting = {}): Promise<AsyncIterableIterator<OomEvent>> {
    const cgroup = await this.#handle.cgroup()
    if (cgroup === undefined) throw this.#handle.withoutCgroup()
    if (this.#handle.state?.rootless)
      this.#handle.warn?.(`'${this.id}' belongs to an ordinary user, who may not be told of all want of memory`)
    return await this.#handle.doing('cannot watch the memory of', async () => cgroup.oomEvents(waiting))
  }

  /**
   * Each time that memory becomes this hard to find for it: by the levels of cgroup v1, or by the stall times of v2.
   *
   * @throws {ConfigInvalid} for another level
   */
  async notifyMemoryPressure(
    level: PressureLevel,
    waiting: Waiting = {},
  ): Promise<AsyncIterableIterator<PressureLevel>> {
    const cgroup = await this.#handle.cgroup()
    if (cgroup === undefined) throw this.#handle.withoutCgroup()
    return await this.#handle.doing('cannot watch the memory of', () => cgroup.memoryPressure(level, waiting))
  }

  /**
   * What happens to it from now on, up to `destroyed`: its end, want of memory and its removal, whoever sees to them; its start, `paused` and
   * `resumed` by what this object does.
   *
   * While somebody listens, the program does not end by itself before the container is removed.
   */
  events(waiting: Waiting = {}): AsyncIterableIterator<ContainerEvent> {
    return this.#handle.events.listen(waiting)
  }

  /**
   * Adds a hook of this program's own, or a command: run after those of the config, and forgotten with this object, since no state records it.
   * Functions run in this process: not at `createContainer` and `startContainer`.
   */
  hook(point: HookPoint, hook: Hook): void {
    if (!hookPoints.includes(point)) throw new ConfigInvalid('point', point, `must be one of ${hookPoints.join(', ')}`)
    if (typeof hook !== 'function') checkCommand(hook, point)
    else if (point === 'createContainer' || point === 'startContainer')
      throw new ConfigInvalid(point, hook, 'must be { path, args, env, timeoutMs }: it runs in the container')
    else this.#handle.warn?.(`the function at ${point} of '${this.id}' is in no state: only this process runs it`)
    this.#handle.addHook(point, hook)
  }

  /**
   * Changes limits of a container that has a first process; what is not given stays. All of it is done or none.
   *
   * @param change - the limits, or what makes them of the config as it then is: nobody else changes it meanwhile
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` for what the kernel refused, and the limits are as they were
   * @throws {ConfigInvalid} for limits that cannot be, and for another path
   */
  async set(change: LimitsRequest, options: SetOptions = {}): Promise<void> {
    const { setLimits } = await import('./running/set.js')
    await setLimits(this.#handle, change, options)
  }

  /**
   * Mounts in the running container, all of them or none: binds, whose sources are paths of this process, and tmpfs. Its config does not tell of them.
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` for what the kernel refused
   * @throws {ConfigInvalid} for mounts that cannot be
   */
  async addMounts(mounts: readonly Mount[]): Promise<void> {
    const { addMounts } = await import('./running/live-mounts.js')
    await addMounts(this.#handle, mounts)
  }

  /**
   * Unmounts in the running container what is mounted last at each of these paths, in their order.
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` where nothing is mounted
   */
  async removeMounts(paths: readonly string[]): Promise<void> {
    const { removeMounts } = await import('./running/live-mounts.js')
    await removeMounts(this.#handle, paths)
  }

  /**
   * Makes device nodes in the running container, or binds those of the host where it has a user namespace, and allows what their `access` says: all of
   * them, or none. A node that is there already, and is that device, is kept. Its config has the rules from then on; the nodes end with its mounts.
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` for what the kernel refused, `EEXIST` for another file at a path
   * @throws {ConfigInvalid} for devices that cannot be
   */
  async addDevices(devices: readonly DeviceRequest[]): Promise<void> {
    const { addDevices } = await import('./running/live-devices.js')
    await addDevices(this.#handle, devices)
  }

  /**
   * Takes devices away from the running container: what {@link addDevices} has allowed, and then their nodes. What has a device open keeps it.
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` with `ENOENT` or `EEXIST` where the node is gone or another file: it is not allowed any more
   */
  async removeDevices(devices: readonly DeviceRequest[]): Promise<void> {
    const { removeDevices } = await import('./running/live-devices.js')
    await removeDevices(this.#handle, devices)
  }

  /**
   * Sends a signal to the first process, by name or number. KILL reaches a paused container too, and where the pid namespace is
   * shared all its processes, which would live on without the first.
   *
   * @throws {ContainerError} `ContainerNotRunning` when it has ended; with `all`, `CgroupNotExist` when nothing is left of it
   */
  async signal(signal: string | number, options: SignalOptions = {}): Promise<void> {
    await sendSignal(this.#handle, signal, options)
  }

  /**
   * Saves it with all its memory to a directory, by CRIU, and ends it, unless it is to go on. One that is paused is saved as well.
   *
   * A failure, and an aborted signal, leave it running as it was.
   *
   * @throws {ContainerError} `ContainerNotRunning`; `SystemError` whose cause is CRIU's
   * @throws {ConfigInvalid} for options and for containers that CRIU cannot save
   */
  async checkpoint(options: CheckpointOptions, waiting: Waiting = {}): Promise<DumpResult> {
    const { checkpoint } = await import('./checkpoint/dump.js')
    return await checkpoint(this.#handle, options, waiting)
  }

  /**
   * Lets it go on from such an image, as a child of this process: in place of a start, of a container that has no first process. Its config must be the one
   * that it was saved with, but for paths of the host.
   *
   * @throws {ContainerError} `ContainerNotStopped` when it has a first process; `SystemError` whose cause is CRIU's, and nothing of it is left
   * @throws {ConfigInvalid} for options, and for a directory without an image
   */
  async restore(spec: RestoreSpec, options: RestoreOptions): Promise<Process> {
    const { restoreFirst } = await import('./checkpoint/restore.js')
    return await restoreFirst(this.#handle, spec, options)
  }

  /**
   * Waits for the first process, and says how it ended.
   *
   * @throws {ContainerError} `ProcessNotExecuted` when it was started elsewhere: only its parent is told how it ends; {@link ended} waits for any
   */
  async wait(options: WaitOptions = {}): Promise<ProcessResult> {
    return await waitFirst(this.#handle, options)
  }

  /** Kills the first process, and waits for it. @throws {ContainerError} as {@link wait} */
  async terminate(options: WaitOptions = {}): Promise<ProcessResult> {
    return await terminateFirst(this.#handle, options)
  }

  /**
   * Asks its first process to end, by `stopSignal`, and kills all of it when it has not within `timeoutMs`. A paused one goes on for that; one that does not
   * run is fine.
   *
   * @returns whether it had to be killed
   */
  async stop(options: StopOptions = {}): Promise<boolean> {
    const { stopContainer } = await import('./running/stop.js')
    return await stopContainer(this, options)
  }

  /** Waits until the first process has ended, whoever its parent is; at once when there is none. */
  async ended(waiting: Waiting = {}): Promise<void> {
    await awaitEnd(this.#handle, waiting)
  }

  /**
   * Removes the container's cgroups and its directory. A created one is killed first. Once more is fine.
   *
   * @throws {ContainerError} `ContainerNotStopped`, `ContainerPaused`, unless `force`
   */
  async destroy(options: DestroyOptions = {}): Promise<void> {
    await destroy(this.#handle, options)
  }

  /** Ends and removes it, whatever it does: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy({ force: true })
  }
}
