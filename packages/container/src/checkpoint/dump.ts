import { type Criu, type DumpResult, dump, offersNftables, preDump } from '@libcontainer/criu'
import { POLLIN, poll, readLink, readText, removeFile, statusField, type Waiting, writeText } from '@libcontainer/sys'
import type { ResolvedConfig } from '../config/resolve.js'
import { ContainerError, systemError } from '../errors.js'
import type { Handle } from '../handle.js'
import { attachNetworks } from '../network/network.js'
import { openInit } from '../state/init-process.js'
import type { ContainerState } from '../state/state.js'
import { statusOf } from '../state/status.js'
import { TransitionError } from '../state/transitions.js'
import { mountFacts } from './mount-facts.js'
import { confirmUnlocks, warnOfNoNewPrivileges } from './older-criu.js'
import { type CheckpointOptions, checkCheckpoint } from './options.js'
import { criuOf, type DumpPlan, joinedNamespaces, leavesNetwork, planDump } from './plan.js'
import { saveStreams, streamsOf } from './streams.js'

/** Beside the state: the container was saved, and has not gone on here. */
export const MARKER = 'checkpoint'

/** Saves a container that runs, or is paused. */
export async function checkpoint(handle: Handle, options: CheckpointOptions, { signal }: Waiting): Promise<DumpResult> {
  checkCheckpoint(options)
  return await handle.locked(async text => {
    const state = await confirmRunning(handle, await handle.adopt(text))
    return await handle.doing('cannot checkpoint', () => saveNow(handle, state, options, signal))
  })
}

async function confirmRunning(handle: Handle, state: ContainerState | undefined): Promise<ContainerState> {
  const { id, directory } = handle
  const status = await statusOf(state, directory)
  if (state === undefined || (status !== 'running' && status !== 'paused'))
    throw new TransitionError('ContainerNotRunning', `cannot checkpoint '${id}': it is ${status}`, {
      from: status,
      to: 'stopped',
      hint: status === 'stopped' ? undefined : 'start it first: there is no program yet that could go on',
    })
  if (state.rootless)
    throw new ContainerError('SystemError', `cannot checkpoint '${id}': it belongs to an ordinary user`, {
      hint: 'CRIU needs root for a container: run it as root',
    })
  return state
}

async function planOf(state: ContainerState, options: CheckpointOptions, criu: Criu): Promise<DumpPlan> {
  const { init_process_pid: pid, config, cgroup_paths: cgroupPaths } = state
  const namespaces = joinedNamespaces(config)
  // CRIU is asked meanwhile: it takes longest.
  const [nftables, mounts, streams, joined] = await Promise.all([
    choosesLock(config, options) && offersNftables(criu),
    mountFacts(state),
    streamsOf(pid),
    Promise.all(namespaces.map(async ({ kind }) => ({ kind, inode: await namespaceInode(pid, kind) }))),
  ])
  return planDump(config, options, { ...mounts, pid, cgroupPaths, streams, joined, nftables })
}

/**
 * Whether CRIU is to choose by what it keeps packets away: where the network ends with the container. A lock of nftables in one that stays is not always found again: see `older-criu.ts`.
 */
const choosesLock = (config: ResolvedConfig, options: CheckpointOptions): boolean =>
  options.networkLock === undefined && !options.preDump && leavesNetwork(config, options)

/** Of the link of a namespace: `net:[4026531840]`. */
async function namespaceInode(pid: number, kind: string): Promise<bigint> {
  return BigInt(/\[(\d+)\]/.exec(await readLink(`/proc/${pid}/ns/${kind}`))?.[1] ?? 0)
}

async function saveNow(
  handle: Handle,
  state: ContainerState,
  options: CheckpointOptions,
  signal: AbortSignal | undefined,
): Promise<DumpResult> {
  const { directory, config, warn } = handle
  const criu = criuOf(handle.drivers.criu)
  await confirmUnlocks(config, options, criu)
  const { request, streams } = await planOf(state, options, criu)
  const goesOn = options.leaveRunning || options.preDump
  const attach = (attached: boolean): Promise<void> => attachNetworks({ directory, config, warn }, attached)
  const init = await openInit(state)
  if (init === undefined) throw handle.notRunning()
  let detached = false
  try {
    const noNewPrivileges = await hasNoNewPrivileges(state.init_process_pid)
    if (options.preDump) return await preDump(request, { criu, signal })
    const result = await dump(request, {
      criu,
      signal,
      onNotify: {
        'network-lock': async () => {
          detached = true
          await attach(false)
        },
        'network-unlock': async () => {
          await attach(true)
          detached = false
        },
        'post-dump': async () => {
          await saveStreams(options.imagesDir, state.external_descriptors ?? [], streams)
          if (!goesOn) await writeText(`${directory}/${MARKER}`, '', { mode: 0o600 })
        },
      },
    })
    // CRIU has killed them all; only then is the container stopped.
    if (!goesOn) await poll(init.fd, POLLIN, { signal })
    await warnOfNoNewPrivileges(noNewPrivileges, criu, warn)
    return result
  } catch (error) {
    await removeFile(`${directory}/${MARKER}`)
    if (detached) await attach(true)
    throw systemError(`cannot checkpoint '${handle.id}'`, error)
  } finally {
    init.close()
  }
}

const hasNoNewPrivileges = async (pid: number): Promise<boolean> =>
  statusField(await readText(`/proc/${pid}/status`), 'NoNewPrivs') === '1'
