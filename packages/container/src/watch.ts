import { isErrno, LibcontainerError, type OwnedFd, openPidfd, POLLIN, poll, processStat } from '@libcontainer/sys'
import type { Handle } from './handle.js'
import type { ContainerState } from './state.js'

/** Watches a container with a first process for its listeners: its end, and want of memory, whoever sees to either. */
export async function watch(handle: Handle, signal: AbortSignal): Promise<void> {
  const init = await firstProcess(handle)
  if (init === undefined) return
  const over = new AbortController()
  const stop = (): void => over.abort()
  signal.addEventListener('abort', stop, { once: true })
  const memory = watchMemory(handle, over.signal)
  try {
    await poll(init.fd, POLLIN, { signal })
    const result = await handle.init?.wait()
    stop()
    const told = await memory
    if (signal.aborted) return
    // The kernel may have told of it just now: what has led to the end comes before it.
    if (result?.oom && !told) {
      const cgroup = await handle.cgroup()
      handle.events.emit({ type: 'oom', kills: (await cgroup?.oomKillCount()) ?? 1 })
    }
    handle.events.emit({ type: 'exit', result })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    init.close()
    signal.removeEventListener('abort', stop)
    stop()
    await memory
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

/** Whether there was anything to tell. */
async function watchMemory(handle: Handle, signal: AbortSignal): Promise<boolean> {
  let told = false
  try {
    const cgroup = await handle.cgroup()
    if (cgroup === undefined) return false
    for await (const { kills } of cgroup.oomEvents({ signal })) {
      told = true
      handle.events.emit({ type: 'oom', kills })
    }
  } catch (error) {
    // Without a memory controller nobody is out of memory; a cgroup that is gone has told all.
    if (!signal.aborted && !isErrno(error, 'ENOENT', 'ENODEV') && !(error instanceof LibcontainerError)) throw error
  }
  return told
}
