import { isErrno, LibcontainerError, type OwnedFd, openPidfd, POLLIN, poll, processStat } from '@libcontainer/sys'
import { ContainerError } from '../errors.js'
import type { Handle } from '../handle.js'
import type { ContainerState } from '../state/state.js'

/** What looks after a container. */
export interface Watch {
  /** The end of its first process, if it has one, has been told. */
  readonly told: Promise<void>
  /** There is no more to tell. */
  readonly over: Promise<void>
}

/** Watches a container for its listeners: its end, want of memory and its removal, whoever sees to them. */
export function watch(handle: Handle, signal: AbortSignal): Watch {
  const memory = new MemoryWatch(handle, signal)
  const told = tellEnd(handle, memory, signal)
  return { told, over: tellRemoval(handle, told, memory, signal) }
}

async function tellEnd(handle: Handle, memory: MemoryWatch, signal: AbortSignal): Promise<void> {
  const child = handle.init
  const init = await firstProcess(handle)
  if (init === undefined) return
  try {
    await poll(init.fd, POLLIN, { signal })
    const result = await child?.wait()
    if (signal.aborted) return
    // The kernel may have told of it just now: what has led to the end comes before it.
    if (result?.oom && !memory.told) {
      const cgroup = await handle.cgroup()
      handle.events.emit({ type: 'oom', kills: (await cgroup?.oomKillCount()) || 1 })
    }
    memory.silent = true
    handle.events.emit({ type: 'exit', result })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    init.close()
  }
}

async function tellRemoval(
  handle: Handle,
  told: Promise<void>,
  memory: MemoryWatch,
  signal: AbortSignal,
): Promise<void> {
  await told
  // The cgroup goes just before all else of the container.
  await memory.over
  if (!signal.aborted && (await isGone(handle))) handle.events.emit({ type: 'destroyed' })
}

/** Waits for whoever is removing it. */
async function isGone(handle: Handle): Promise<boolean> {
  try {
    await handle.locked(async () => undefined, { shared: true, meanwhile: async () => undefined })
    return false
  } catch (error) {
    if (error instanceof ContainerError && error.code === 'ContainerNotExists') return true
    throw error
  }
}

/** The first process: where the state is known as it is at the call, so that an end which comes before the first look is told, too. */
async function firstProcess(handle: Handle): Promise<OwnedFd | undefined> {
  const early = open(handle.state)
  const state = early === undefined ? await handle.reload() : handle.state
  const init = early ?? open(state)
  if (init === undefined || state === undefined) return undefined
  const stat = await processStat(state.init_process_pid)
  if (stat === undefined || String(stat.startTime) === state.init_process_start) return init
  init.close()
  return undefined
}

function open(state: ContainerState | undefined): OwnedFd | undefined {
  try {
    return state === undefined ? undefined : openPidfd(state.init_process_pid)
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL')) return undefined
    throw error
  }
}

/** Tells of want of memory until the cgroup is removed. */
class MemoryWatch {
  /** There was something to tell. */
  told = false
  /** There is nobody left whom it would concern. */
  silent = false
  /** The cgroup is gone, or has no memory controller. */
  readonly over: Promise<void>

  constructor(handle: Handle, signal: AbortSignal) {
    this.over = this.#follow(handle, signal)
    this.over.catch(() => {})
  }

  async #follow(handle: Handle, signal: AbortSignal): Promise<void> {
    try {
      const cgroup = await handle.cgroup()
      if (cgroup === undefined) return
      for await (const { kills } of cgroup.oomEvents({ signal })) {
        if (this.silent) continue
        this.told = true
        handle.events.emit({ type: 'oom', kills })
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof LibcontainerError)) throw error
    }
  }
}
