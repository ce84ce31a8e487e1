import { isErrno, LibcontainerError } from '@libcontainer/sys'
import type { Handle } from './handle.js'
import { awaitEnd } from './wait.js'

/** Watches a container with a first process for its listeners: its end, and want of memory, whoever sees to either. */
export async function watch(handle: Handle, signal: AbortSignal): Promise<void> {
  await handle.reload()
  if (!(await handle.alive())) return
  const over = new AbortController()
  const stop = (): void => over.abort()
  signal.addEventListener('abort', stop, { once: true })
  const memory = watchMemory(handle, over.signal)
  try {
    await awaitEnd(handle, { signal })
    const result = await handle.init?.wait()
    stop()
    const told = await memory
    if (signal.aborted) return
    // The kernel may have told of it just now: what has led to the end comes before it.
    if (result?.oom && !told)
      handle.events.emit({ type: 'oom', kills: (await (await handle.cgroup())?.oomKillCount()) ?? 1 })
    handle.events.emit({ type: 'exit', result })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    await memory
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
