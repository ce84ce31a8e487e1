import type { Answer, Child } from '@libcontainer/init'
import { cloneFlag, containerId, type IdMaps, writeIdMaps, writeTimeOffsets } from '@libcontainer/namespaces'
import {
  ConfigInvalid,
  ids,
  listenUnix,
  type OwnedFd,
  openDirectory,
  processStat,
  readLink,
  removeFile,
  SOCK_SEQPACKET,
} from '@libcontainer/sys'
import { orDied, whileAlive } from '../abort.js'
import type { ContainerCgroup, Drivers } from '../cgroups/drivers.js'
import { type PreparedPayload, preparePayload } from '../config/executor.js'
import type { ProcessSpec } from '../config/process-spec.js'
import type { ResolvedConfig } from '../config/resolve.js'
import type { JoinableClass } from '../intelrdt/class.js'
import type { Networking } from '../network/network.js'
import { attributesOf, preparedOf } from '../plan/attributes.js'
import { hostFacts } from '../plan/facts.js'
import { HOOK_STDERR, HOOK_STDOUT, type HookFacts } from '../plan/hooks.js'
import { OutsideSources } from '../plan/outside-sources.js'
import { type ContainerPlan, planFor } from '../plan/plan.js'
import type { Attributes } from '../plan/process.js'
import { logUnknown } from '../plan/seccomp.js'
import { bundleOf, type OciState, ociState } from '../state/oci-state.js'
import { type ContainerState, cgroupPaths, namespacePaths, START_SOCKET, saveState } from '../state/state.js'
import { checkIds } from '../validate/rootless.js'
import { openOutputs } from './command.js'
import { runHooks } from './hooks.js'
import { adjustOomScore, DEBUG, type Launched, launch } from './launch.js'
import { relabelSources } from './relabel.js'
import { SeccompAgent } from './seccomp-agent.js'

/** A user who is not mapped in a user namespace looks like this one: /proc/sys/kernel/overflowuid. */
const OVERFLOW_UID = 65534

export interface StartRequest {
  readonly id: string
  readonly directory: string
  readonly config: ResolvedConfig
  readonly cgroup: ContainerCgroup
  readonly drivers: Drivers
  readonly spec: ProcessSpec
  /** Stop in the `created` state. */
  readonly wait: boolean
  readonly hooks: HookFacts['at']
  /** The groups of resctrl that it joins. */
  readonly rdt?: JoinableClass | undefined
  /** Its networks, where they are to be made. */
  readonly networking?: Networking | undefined
}

/** What {@link startFirst} is to do. */
export interface FirstPlan {
  readonly plan: ContainerPlan
  readonly attributes: Attributes
  readonly initialFiles: bigint | undefined
  readonly unprivileged: boolean
  readonly mapped: boolean
  /** What runs in place of its program. */
  readonly payload: PreparedPayload | undefined
}

/** Plans the first process of a container; touches nothing, so that it can be done while the cgroup is being made. */
export async function planFirst(request: StartRequest): Promise<FirstPlan> {
  const { id, config, cgroup, spec, wait, hooks, drivers, networking } = request
  if (spec.subCgroupPaths !== undefined)
    throw new ConfigInvalid(
      'process.subCgroupPaths',
      spec.subCgroupPaths,
      "is for further processes: the first lives in the container's own cgroup",
    )
  const { initialFiles, unprivileged, mapped } = await hostFacts()
  checkIds(spec, newMaps(config), unprivileged)
  const payload = await preparePayload(drivers.executor, spec, { id, config })
  const attributes = attributesOf(config, spec, true, { payload, ...(await preparedOf(config, spec)) })
  const plan = await planFor(config, spec, attributes, cgroup, {
    waitForStart: wait ? uidInside(config) : undefined,
    hooks: { id, at: hooks },
    network: networking,
  })
  return { plan, attributes, initialFiles, unprivileged, mapped, payload }
}

export interface Started extends Launched {
  readonly state: ContainerState
  /** As it was saved. */
  readonly text: string
}

/** Starts the first process of a container whose cgroup is there. */
export async function startFirst(request: StartRequest, first: FirstPlan, oomBefore: number): Promise<Started> {
  const { id, directory, config, cgroup, spec, wait, drivers, rdt, networking } = request
  const { plan, attributes, initialFiles, unprivileged, mapped, payload } = first
  const oomScoreAdj = spec.oomScoreAdj ?? config.oomScoreAdj
  const has = (kind: string): boolean => config.namespaces.some(each => each.kind === kind)
  const creatingState = (pid: number): OciState =>
    ociState({ id, status: 'creating', labels: config.labels, state: { init_process_pid: pid } })
  let state: ContainerState | undefined
  let text = ''
  let listener: OwnedFd | undefined
  let place: OwnedFd | undefined
  let outputs: (OwnedFd | undefined)[] = []
  let agent: SeccompAgent | undefined
  const sources = new OutsideSources(config, plan.outside)
  const root = config.rootIdMap === undefined ? undefined : new (await import('../plan/seldom.js')).MappedRoot(config)
  const isSeen = (plan.namespaces.cloneFlags & cloneFlag('net')) !== 0 && !unprivileged && !mapped
  // The namespace is there with the process, whatever of its plan has been done; who may only look into init when it asks, waits for that.
  const isAhead = networking !== undefined && (networking.isThere || (networking.waits && isSeen))
  let made: Promise<Answer | undefined> | undefined
  const makeNetworks = async (child: Child | Promise<Child>): Promise<Answer | undefined> => {
    if (networking!.isThere) return await networking!.there()
    networking!.prepare()
    const { pid, pidfd } = await child
    if (networking!.isQuick) await orDied(pidfd, networking!.make(pid))
    else await whileAlive(pidfd, spec.signal, signal => networking!.make(pid, { signal }))
    return undefined
  }
  try {
    await relabelSources(config.mounts, config.mountLabel, spec.signal)
    if ((spec.logLevel ?? 0) >= DEBUG) logUnknown(config, message => drivers.log?.(DEBUG, message))
    if (wait) await SeccompAgent.confirm(config)
    else agent = await SeccompAgent.connect(config)
    const handed: Record<string, number> = {}
    if (payload !== undefined) handed.payload = payload.fd
    if (hasInsideHooks(request)) {
      outputs = await openOutputs(config.hookOutput?.stdout, config.hookOutput?.stderr)
      for (const [i, name] of [HOOK_STDOUT, HOOK_STDERR].entries())
        if (outputs[i] !== undefined) handed[name] = outputs[i].fd
    }
    if (wait) {
      // By its name in there: engines choose state roots whose paths no address of a socket holds.
      place = await openDirectory(directory, { handle: true })
      listener = listenUnix(START_SOCKET, SOCK_SEQPACKET, { directory: place })
      handed.listener = listener.fd
    }
    const launched = await launch({
      spec,
      first: true,
      steps: plan.steps,
      slots: plan.slots,
      cgroup,
      birthplace: cgroup,
      program: drivers.init,
      log: drivers.log,
      oomBefore: Promise.resolve(oomBefore),
      cloneFlags: plan.namespaces.cloneFlags,
      keepCapabilities: plan.namespaces.clonesUser,
      parentDeathSignal: attributes.parentDeathSignal !== undefined,
      oomScoreAdj,
      joinClass: rdt?.join,
      maps: newMaps(config),
      unprivileged: unprivileged || mapped,
      limits: has('user') ? { rlimits: attributes.rlimits, initialFiles } : undefined,
      handed,
      listener: agent && ((listener, { pid }) => agent!.take(listener, pid, creatingState(pid))),
      rendezvous: {
        maps: async ({ pid }) => {
          await writeIdMaps(pid, mapsOf(config))
          // While the files of init are this user's own.
          if (unprivileged || mapped) await adjustOomScore(pid, oomScoreAdj, true)
          return undefined
        },
        clocks: async ({ pid }) => {
          await writeTimeOffsets(pid, config.timeOffsets ?? {})
          return undefined
        },
        network: makeNetworks,
        ...sources.rendezvous,
        ...root?.rendezvous,
      },
      ahead: isAhead
        ? {
            network: child => {
              made = makeNetworks(child)
              return made
            },
          }
        : {},
      // Its state is saved by then: a hook may ask for it.
      runHooks: async ({ pid, pidfd }) => {
        const state = creatingState(pid)
        await whileAlive(pidfd, spec.signal, async signal => {
          for (const point of ['prestart', 'createRuntime'] as const)
            await runHooks(point, request.hooks(point), state, { output: config.hookOutput, signal })
        })
      },
      // Before the program: whoever is killed after this leaves a state by which the container can be removed.
      ready: async ({ pid, stdio }) => {
        // Init waits for them first, and whoever makes them needs a processor.
        await made
        const streams = standardStreams(stdio)
        state = await firstState(request, pid, unprivileged, streams)
        text = await saveState(directory, state, networking?.record)
      },
    })
    await cgroup.settled?.()
    return { ...launched, state: state!, text }
  } catch (error) {
    await removeFile(`${directory}/${START_SOCKET}`)
    if (!plan.namespaces.needsMaps) throw error
    const { obstacleOf } = await import('@libcontainer/namespaces')
    throw await obstacleOf(error)
  } finally {
    for (const fd of [place, listener, ...outputs]) fd?.close()
    agent?.close()
    sources.close()
    root?.close()
    payload?.done()
  }
}

/** What is recorded of a container whose first process has this number. */
export async function firstState(
  { id, config, cgroup, rdt, networking }: Pick<StartRequest, 'id' | 'config' | 'cgroup' | 'rdt' | 'networking'>,
  pid: number,
  rootless: boolean,
  streams: Promise<readonly string[]>,
): Promise<ContainerState> {
  return {
    id,
    init_process_pid: pid,
    init_process_start: String((await processStat(pid))?.startTime ?? 0),
    created: new Date().toISOString(),
    bundle: bundleOf(config.labels) || undefined,
    rootless,
    cgroup_driver: cgroup.unit === undefined ? undefined : 'systemd',
    cgroup_paths: cgroupPaths(cgroup.paths),
    namespace_paths: namespacePaths(pid),
    ...rdt?.paths,
    ...(networking && { network_state: networking.state }),
    external_descriptors: await streams,
    config,
  }
}

const hasInsideHooks = ({ hooks }: StartRequest): boolean =>
  hooks('createContainer').length + hooks('startContainer').length > 0

/** What the standard streams are, as this process has them, which nobody can keep from looking; nothing for one that is closed. */
export async function standardStreams(stdio: readonly number[]): Promise<string[]> {
  return await Promise.all(stdio.map(async fd => await readLink(`/proc/self/fd/${fd}`).catch(() => '')))
}

function mapsOf({ uidMappings = [], gidMappings = [] }: ResolvedConfig): IdMaps {
  return { uid: uidMappings, gid: gidMappings }
}

/** The maps of a user namespace that is made, not joined. */
function newMaps(config: ResolvedConfig): IdMaps | undefined {
  const isNew = config.namespaces.some(({ kind, path }) => kind === 'user' && path === undefined)
  return isNew ? mapsOf(config) : undefined
}

/** This process's uid as the container sees it, which is who may start it. */
function uidInside({ namespaces, uidMappings = [] }: ResolvedConfig): number {
  const { euid } = ids()
  if (!namespaces.some(({ kind }) => kind === 'user')) return euid
  try {
    return containerId(uidMappings, euid)
  } catch {
    return OVERFLOW_UID
  }
}
