import { type OwnedFd, openPidfd } from '@libcontainer/sys'
import { checkRestore } from './check.js'
import type { Connection } from './connection.js'
import { failure } from './failure.js'
import { openForRestore } from './images.js'
import { type Attempt, endRestore } from './leftovers.js'
import type { RestoreOptions } from './options.js'
import { criuPath } from './place.js'
import { restoreOpts } from './request.js'
import { connected, perform, type RunOptions } from './run.js'
import { type RestoreStats, readStats } from './stats.js'

export interface RestoreResult {
  /** The first process of the tree, as this process sees it. */
  readonly pid: number
  /** It again, for whoever waits for its end: the caller's to close. Its exit status is told to its parent alone. */
  readonly pidfd: OwnedFd
  /** What CRIU has counted; `undefined` where it left no statistics. */
  readonly stats: RestoreStats | undefined
  /** The path of CRIU's log. */
  readonly log: string
}

/**
 * Brings a process tree back from its images: it goes on where it was. It is a child of this process, which waits for it.
 *
 * @throws {ConfigInvalid} before anything is touched; so is a directory without images
 * @throws {CriuFailed} with CRIU's own cause; nothing of the tree is left
 * @throws {SyscallError} `ENOENT` without CRIU
 * @see criu(8), restore
 */
export async function restore(request: RestoreOptions, run: RunOptions = {}): Promise<RestoreResult> {
  await checkRestore(request, run)
  return await connected(request, run, connection => restoreOver(connection, request, run))
}

async function restoreOver(connection: Connection, request: RestoreOptions, run: RunOptions): Promise<RestoreResult> {
  const { logFile = 'restore.log' } = request
  const open = await openForRestore(request, logFile)
  try {
    const opts = restoreOpts(request, { imagesDirFd: open.images.fd, workDirFd: open.work.fd }, run)
    const path = run.criu?.service === undefined ? await criuPath(run.criu ?? {}) : ''
    const cleanUp = (attempt: Attempt): Promise<void> => endRestore(attempt, path, open.images)
    const response = await perform(connection, { type: 'RESTORE', opts }, run, { cleanUp }).catch(async error => {
      run.signal?.throwIfAborted()
      throw await failure('restore', open, { cause: error })
    })
    const pid = response.restore?.pid
    if (!response.success || pid === undefined) throw await failure('restore', open, { response })
    const stats = (await readStats('stats-restore', { at: open.work }))?.restore
    return { pid, pidfd: openPidfd(pid), stats, log: open.log }
  } finally {
    open.close()
  }
}
