import { clearOnlcr } from '@libcontainer/console'
import { confirmImages, type RestoreResult, readMounts, restore } from '@libcontainer/criu'
import { linkUp } from '@libcontainer/init'
import { hostId, openNamespaceFd, planProcessJoin } from '@libcontainer/namespaces'
import {
  applyToFiles,
  ConfigInvalid,
  killPidfd,
  O_WRONLY,
  OwnedFd,
  openPidfd,
  prepareStdio,
  removeFile,
  slot,
  stat,
  waitExit,
  writeText,
} from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import type { Handle } from '../handle.js'
import type { Networking } from '../network/network.js'
import { Process } from '../process.js'
import { afterStart } from '../start/after.js'
import { bringUp, type Made } from '../start/first.js'
import { runHooks } from '../start/hooks.js'
import { runSteps } from '../start/run-steps.js'
import { ProcessSockets } from '../start/sockets.js'
import { firstState, standardStreams } from '../start/start.js'
import { ociState } from '../state/oci-state.js'
import { type ContainerState, saveState } from '../state/state.js'
import { statusOf } from '../state/status.js'
import { TransitionError } from '../state/transitions.js'
import { MARKER } from './dump.js'
import { grantImages } from './grant-images.js'
import { type ImageRoot, makeImageRoot } from './image-root.js'
import { warnOfNoNewPrivileges } from './older-criu.js'
import { checkImage, type RestoreOptions, type RestoreSpec } from './options.js'
import { confirmSaveable, criuOf, joinedNamespaces, keyOfNamespace, leavesNetwork, planRestore } from './plan.js'
import { closeScratch, openScratch, removeYards } from './scratch.js'
import { loadStreams } from './streams.js'

/** Brings a container back from its image: it goes on, as a child of this process. */
export async function restoreFirst(handle: Handle, spec: RestoreSpec, options: RestoreOptions): Promise<Process> {
  checkImage(options)
  confirmSaveable(handle.config)
  await confirmImages(options.imagesDir)
  const process = await bringUp(
    handle,
    'cannot restore',
    cgroup => async made => await new Restoring(handle, spec, options, cgroup, made).bring(),
  )
  if (process === undefined) {
    const from = await statusOf(handle.state, handle.directory)
    throw new TransitionError('ContainerNotStopped', `cannot restore '${handle.id}': it is ${from}`, {
      from,
      to: 'restored',
      hint: 'restore it under another id, or end this one first',
    })
  }
  await warnOfNoNewPrivileges(
    spec.noNewPrivileges ?? handle.config.noNewPrivileges,
    criuOf(handle.drivers.criu),
    handle.warn,
  )
  await afterStart(handle)
  return process
}

interface Restored {
  readonly process: Process
  readonly state: ContainerState
  readonly text: string
}

/** One restore, under the container's lock and with its cgroup there. */
class Restoring {
  readonly #handle: Handle
  readonly #spec: RestoreSpec
  readonly #options: RestoreOptions
  readonly #cgroup: ContainerCgroup
  readonly #made: Made
  /** What is given to CRIU alone. */
  readonly #opened: OwnedFd[] = []
  #terminal: OwnedFd | undefined
  #state: ContainerState | undefined
  #text = ''

  constructor(handle: Handle, spec: RestoreSpec, options: RestoreOptions, cgroup: ContainerCgroup, made: Made) {
    this.#handle = handle
    this.#spec = spec
    this.#options = options
    this.#cgroup = cgroup
    this.#made = made
  }

  async bring(): Promise<Restored> {
    const { directory } = this.#handle
    const stdio = prepareStdio(this.#spec.terminal ? 'null' : (this.#spec.stdio ?? 'null'))
    let sockets: ProcessSockets | undefined
    let pidfd: OwnedFd | undefined
    try {
      sockets = await ProcessSockets.connect({ args: [], ...this.#spec })
      const place = await openScratch(directory)
      const root = await this.#imageRoot(place)
      const result = await this.#run(root, stdio.theirs, sockets)
      pidfd = result.pidfd
      // Only now: CRIU gives the terminal the settings of the image.
      if (this.#spec.plainNewlines && this.#terminal !== undefined) clearOnlcr(this.#terminal.fd)
      sockets.sendPidfd(pidfd, true)
      await this.#cgroup.settled?.()
      stdio.closeTheirs()
      return { process: this.#process(result, stdio.ours), state: this.#state!, text: this.#text }
    } catch (error) {
      stdio.close()
      this.#terminal?.close()
      if (pidfd !== undefined) {
        killPidfd(pidfd)
        await waitExit(pidfd)
        pidfd.close()
      }
      await removeYards(this.#options.imagesDir).catch(() => {})
      throw error
    } finally {
      for (const fd of this.#opened) fd.close()
      sockets?.close()
      await closeScratch(directory)
    }
  }

  async #imageRoot(place: string): Promise<ImageRoot> {
    const { imagesDir } = this.#options
    const mounts = await readMounts(imagesDir)
    const { config } = this.#handle
    const group = config.gidMappings === undefined ? undefined : hostId(config.gidMappings, 0)
    if (group !== undefined) await grantImages(imagesDir, group)
    return await makeImageRoot({ config, mounts, place, cgroup: name => this.#cgroupOf(name) })
  }

  /** The host's directory of its cgroup, in a hierarchy by the name of where that is mounted. */
  #cgroupOf(hierarchy: string | undefined): string | undefined {
    if (hierarchy === undefined) return this.#cgroup.paths.get('')
    return this.#cgroup.places.find(place => place.hierarchy.mountpoint.endsWith(`/${hierarchy}`))?.directory
  }

  async #run(root: ImageRoot, streams: readonly number[], sockets: ProcessSockets): Promise<RestoreResult> {
    const { config, drivers } = this.#handle
    const cgroups = new Map(
      this.#cgroup.places.flatMap(({ hierarchy, path }) =>
        (hierarchy.version === 2 ? [''] : hierarchy.controllers).map(name => [name, `/${path}`] as const),
      ),
    )
    return await restore(planRestore(config, this.#options, { ...root, cgroups }), {
      criu: criuOf(drivers.criu),
      signal: this.#spec.signal,
      inheritFds: await this.#inherited(streams),
      onNotify: {
        'setup-namespaces': async ({ pid }) => await this.#setUp(pid!),
        'orphan-pts-master': async ({ fd }) => {
          const master = new OwnedFd(fd!.release())
          if (!(await sockets.takeTerminal(master))) this.#terminal = master
        },
        'post-restore': async ({ pid }) => await this.#save(pid!, streams),
      },
    })
  }

  /** What was the host's in the image: the streams anew, and namespaces that were joined. */
  async #inherited(streams: readonly number[]): Promise<{ key: string; fd: number }[]> {
    const keys = await loadStreams(this.#options.imagesDir)
    const byKey = new Map<string, number>()
    for (const [i, key] of keys.entries()) {
      if (key === undefined) continue
      await confirmFits(key, streams[i]!, i)
      byKey.set(key, streams[i]!)
    }
    for (const { kind, path } of joinedNamespaces(this.#handle.config)) {
      const fd = await openNamespaceFd(path, kind)
      this.#opened.push(fd)
      byKey.set(keyOfNamespace(kind), fd.fd)
    }
    return [...byKey].map(([key, fd]) => ({ key, fd }))
  }

  /** Its namespaces are there, and nothing is in them yet. */
  async #setUp(pid: number): Promise<void> {
    const { config, id } = this.#handle
    // Where CRIU leaves cgroups alone, its children live where it does: in ours. There is one by now.
    if (this.#options.manageCgroupsMode === 'ignore')
      for (const { directory } of this.#cgroup.places)
        await writeText(`${directory}/cgroup.procs`, `${pid}`, { flags: O_WRONLY })
    await this.#makeNetworks(pid, this.#made.networking)
    const state = ociState({ id, status: 'creating', labels: config.labels, state: { init_process_pid: pid } })
    for (const point of ['prestart', 'createRuntime'] as const)
      await runHooks(point, this.#handle.hooks(point), state, {
        output: config.hookOutput,
        signal: this.#spec.signal,
      })
  }

  async #makeNetworks(pid: number, networking: Networking | undefined): Promise<void> {
    const target = openPidfd(pid)
    try {
      await applyToFiles(networking?.record ?? [])
      await networking?.make(pid, { signal: this.#spec.signal })
      if (!leavesNetwork(this.#handle.config, this.#options)) return
      const join = planProcessJoin(slot('target'), ['net']).steps
      await runSteps([...join, linkUp('lo'), ...(networking?.steps ?? [])], { handed: { target: target.fd } })
    } finally {
      target.close()
    }
  }

  /** It is there, and does not go on yet: whoever is killed after this leaves a state by which it can be removed. */
  async #save(pid: number, streams: readonly number[]): Promise<void> {
    const { id, directory, config } = this.#handle
    const { rdt, networking } = this.#made
    await rdt?.join(pid)
    const request = { id, config, cgroup: this.#cgroup, rdt, networking }
    this.#state = await firstState(request, pid, false, standardStreams(streams))
    this.#text = await saveState(directory, this.#state)
    await removeFile(`${directory}/${MARKER}`)
  }

  #process({ pid, pidfd }: RestoreResult, ours: ReturnType<typeof prepareStdio>['ours']): Process {
    const { oomBefore } = this.#made
    return new Process({
      pid,
      pidfd,
      stdio: ours,
      terminal: this.#terminal,
      timings: [],
      signal: this.#spec.signal,
      oom: async ({ signal }) => signal === 9 && (await this.#cgroup.oomKillCount()) > oomBefore,
    })
  }
}

/** CRIU opens a file again by its descriptor, which the kernel does for no socket. */
async function confirmFits(key: string, fd: number, i: number): Promise<void> {
  if (!key.startsWith('file[') || (await stat(`/proc/self/fd/${fd}`)).type !== 'socket') return
  throw new ConfigInvalid(
    `process.stdio[${i}]`,
    'a socket',
    'must be a file or a pipe, in place of the file that it was',
    {
      hint: 'Node.js makes sockets where a child’s stdio says pipe',
    },
  )
}
