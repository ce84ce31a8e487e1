import { checkDump, checkPreDump } from './check.js'
import { failure } from './failure.js'
import { imageSize, type OpenImages, openForDump, removeImages } from './images.js'
import type { CriuReq } from './messages.js'
import type { DumpOptions, PreDumpOptions } from './options.js'
import { ready } from './ready.js'
import { dumpOpts, preDumpOpts } from './request.js'
import { perform, type RunOptions } from './run.js'
import { type DumpStats, readStats } from './stats.js'
import { thaw } from './thaw.js'

export interface DumpResult {
  /** What CRIU has counted; `undefined` where it left no statistics. */
  readonly stats: DumpStats | undefined
  /** In bytes: what this dump has written. Pages that went to a page server are not here. */
  readonly imageSize: number
  /** The path of CRIU's log. */
  readonly log: string
}

/**
 * Writes a process tree with all its memory to a directory, and ends it, unless it is to go on.
 *
 * A failure, a callback that throws, and an aborted `run.signal` leave the tree running as it was, and no images.
 *
 * @throws {ConfigInvalid} before anything is touched; so are a directory with images in it, and a parent that is none
 * @throws {CriuFailed} with CRIU's own cause
 * @throws {SyscallError} `ENOENT` without CRIU; of a directory that cannot be written to
 * @see criu(8), dump
 */
export async function dump(request: DumpOptions, run: RunOptions = {}): Promise<DumpResult> {
  await checkDump(request, run)
  await ready(request, run.criu)
  const { logFile = 'dump.log' } = request
  return await write('dump', request, run, logFile, open => ({
    type: 'DUMP',
    opts: dumpOpts(request, { imagesDirFd: open.images.fd, workDirFd: open.work.fd }),
  }))
}

/**
 * Writes the memory of a process tree, which goes on: a dump that has this as its `parentImg` writes what has changed since alone.
 *
 * @throws as {@link dump}
 * @see criu(8), pre-dump
 */
export async function preDump(request: PreDumpOptions, run: RunOptions = {}): Promise<DumpResult> {
  await checkPreDump(request, run)
  await ready({ trackMem: true, ...request }, run.criu)
  const { logFile = 'pre-dump.log' } = request
  return await write('pre-dump', request, run, logFile, open => ({
    type: 'SINGLE_PRE_DUMP',
    opts: preDumpOpts(request, { imagesDirFd: open.images.fd, workDirFd: open.work.fd }),
  }))
}

async function write(
  what: 'dump' | 'pre-dump',
  request: PreDumpOptions,
  run: RunOptions,
  logFile: string,
  requestOf: (open: OpenImages) => CriuReq,
): Promise<DumpResult> {
  run.signal?.throwIfAborted()
  // Sockets that are being taken, and the network's lock, CRIU alone can give back.
  const gentle = request.tcpEstablished === true
  const open = await openForDump(request, logFile, request.overwrite ?? false)
  try {
    const response = await perform(requestOf(open), run, { gentle }).catch(async error => {
      await thaw(request.freezeCgroup)
      run.signal?.throwIfAborted()
      throw await failure(what, open, { cause: error })
    })
    if (!response.success) throw await failure(what, open, { response })
    const at = { at: open.work }
    return {
      stats: (await readStats('stats-dump', at))?.dump,
      imageSize: await imageSize(request.imagesDir),
      log: open.log,
    }
  } catch (error) {
    await removeImages({ at: open.images })
    throw error
  } finally {
    open.close()
  }
}
