import { decodeUtf8, isErrno, type OwnedFd, openPidfd, POLLIN, poll } from '@libcontainer/sys'
import { ERANGE } from '../errnos.js'
import type { Place } from '../host/place.js'
import { native } from '../native.js'
import { listProcesses } from '../processes/processes.js'
import type { StateSink } from './state-events.js'
import { watchFiles } from './watch.js'

/**
 * Whether there are processes in a v1 cgroup. Its kernel tells the `release_agent` alone, one program for the whole host that is not ours to choose. So
 * the end of any one process in it is awaited, by pidfd, and then it is looked for the next: one descriptor, and no polling. That somebody moves one
 * in is told by inotify, since that is a write to a file of the cgroup; one that is moved out is missed only when it ends.
 */
export function occupants(place: Place, sink: StateSink): () => void {
  const over = new AbortController()
  let round = new AbortController()
  let moved = false
  const stopWatch = watchFiles(place, ['cgroup.procs', 'tasks'], {
    changed: () => {
      moved = true
      round.abort()
    },
    gone: () => sink.end(),
    failed: error => sink.fail(error),
  })
  let before = isPopulated(place)

  const rounds = async (): Promise<void> => {
    let ended = 0
    while (!over.signal.aborted) {
      round = new AbortController()
      const came = moved
      moved = false
      const listed = await listProcesses(place, true)
      // The kernel may still list it for a moment.
      const pids = listed.filter(pid => pid !== ended)
      const found = firstOf(pids)
      if (found === undefined && pids.length > 0) continue
      const populated = found !== undefined
      if (over.signal.aborted) found?.pidfd?.close()
      // Who came and went between two looks is told of as well.
      else if (populated !== before || (came && !populated)) sink.tell('populated', { type: 'populated', populated })
      if (over.signal.aborted) return
      before = populated
      ended = (await endOf(found, round.signal)) ?? 0
    }
  }
  rounds().catch(error => sink.fail(error))
  return () => {
    over.abort()
    stopWatch()
    round.abort()
  }
}

interface Occupant {
  readonly pid: number
  /** Of another pid namespace there is none. */
  readonly pidfd: OwnedFd | undefined
}

/** The first that is still there. */
function firstOf(pids: readonly number[]): Occupant | undefined {
  for (const pid of pids) {
    try {
      return { pid, pidfd: openPidfd(pid) }
    } catch (error) {
      if (isErrno(error, 'EINVAL')) return { pid, pidfd: undefined }
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }
  return undefined
}

/** Waits for the end of a process, or until somebody is moved in. @returns who has ended */
async function endOf(occupant: Occupant | undefined, moved: AbortSignal): Promise<number | undefined> {
  if (occupant?.pidfd === undefined) {
    if (!moved.aborted)
      await new Promise<void>(resolve => moved.addEventListener('abort', () => resolve(), { once: true }))
    return undefined
  }
  try {
    await poll(occupant.pidfd.fd, POLLIN, { signal: moved, weak: true })
    return occupant.pid
  } catch (error) {
    if (moved.aborted) return undefined
    throw error
  } finally {
    occupant.pidfd.close()
  }
}

function isPopulated({ hierarchy, path }: Place): boolean {
  const buffer = new Uint8Array(4096)
  const used = native.sync.listProcesses(hierarchy.mountpoint, path, 1, buffer)
  return used === ERANGE || (used > 0 && decodeUtf8(buffer.subarray(0, used)).trim() !== '')
}
