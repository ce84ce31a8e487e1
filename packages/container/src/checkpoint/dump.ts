import { type DumpResult, dump, preDump } from '@libcontainer/criu'
import { POLLIN, poll, readLink, removeFile, type Waiting, writeText } from '@libcontainer/sys'
import { ContainerError, systemError } from '../errors.js'
import type { Handle } from '../handle.js'
import { openInit } from '../init-process.js'
import { attachNetworks } from '../network.js'
import type { ContainerState } from '../state.js'
import { statusOf } from '../status.js'
import { TransitionError } from '../transitions.js'
import { mountFacts } from './mount-facts.js'
import { type CheckpointOptions, checkCheckpoint } from './options.js'
import { criuOf, type DumpPlan, joinedNamespaces, planDump } from './plan.js'
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

async function planOf(state: ContainerState, options: CheckpointOptions): Promise<DumpPlan> {
  const { init_process_pid: pid, config, cgroup_paths: cgroupPaths } = state
  const joined = await Promise.all(
    joinedNamespaces(config).map(async ({ kind }) => ({ kind, inode: await namespaceInode(pid, kind) })),
  )
  return planDump(config, options, {
    ...(await mountFacts(state)),
    pid,
    cgroupPaths,
    streams: await streamsOf(pid),
    joined,
  })
}

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
  const { request, streams } = await planOf(state, options)
  const criu = criuOf(handle.drivers.criu)
  const goesOn = options.leaveRunning || options.preDump
  const attach = (attached: boolean): Promise<void> => attachNetworks({ directory, config, warn }, attached)
  const init = await openInit(state)
  if (init === undefined) throw handle.notRunning()
  let detached = false
  try {
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
    return result
  } catch (error) {
    await removeFile(`${directory}/${MARKER}`)
    if (detached) await attach(true)
    throw systemError(`cannot checkpoint '${handle.id}'`, error)
  } finally {
    init.close()
  }
}
