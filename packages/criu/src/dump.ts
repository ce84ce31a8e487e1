import { checkDump, checkPreDump } from './check.js'
import type { Connection } from './connection.js'
import { failure } from './failure.js'
import { splitPagesOf } from './huge-pages.js'
import { imageSize, type OpenImages, openForDump, removeImages } from './images.js'
import type { CriuReq } from './messages.js'
import type { DumpOptions, PreDumpOptions } from './options.js'
import { dumpOpts, preDumpOpts } from './request.js'
import { connected, perform, type RunOptions } from './run.js'
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
  const { logFile = 'dump.log' } = request
  return await connected(request, run, async connection => {
    const requestOf = ({ images, work }: OpenImages): CriuReq => ({
      type: 'DUMP',
      opts: dumpOpts(request, { imagesDirFd: images.fd, workDirFd: work.fd }),
    })
    return await write('dump', connection, request, run, { logFile, requestOf })
  })
}

/**
 * Writes the memory of a process tree, which goes on: a dump that has this as its `parentImg` writes what has changed since alone. Its huge pages become
 * ordinary ones, for what is written to is noted by the page.
 *
 * @throws as {@link dump}
 * @see criu(8), pre-dump
 */
export async function preDump(request: PreDumpOptions, run: RunOptions = {}): Promise<DumpResult> {
  await checkPreDump(request, run)
  const { logFile = 'pre-dump.log', trackMem = true } = request
  return await connected({ ...request, trackMem }, run, async connection => {
    if (trackMem) await splitPagesOf(request.pid)
    const requestOf = ({ images, work }: OpenImages): CriuReq => ({
      type: 'SINGLE_PRE_DUMP',
      opts: preDumpOpts(request, { imagesDirFd: images.fd, workDirFd: work.fd }),
    })
    return await write('pre-dump', connection, request, run, { logFile, requestOf })
  })
}

async function write(
  what: 'dump' | 'pre-dump',
  connection: Connection,
  request: PreDumpOptions,
  run: RunOptions,
  { logFile, requestOf }: { readonly logFile: string; readonly requestOf: (open: OpenImages) => CriuReq },
): Promise<DumpResult> {
  // Sockets that are being taken, and the network's lock, CRIU alone can give back.
  const gentle = request.tcpEstablished === true
  const open = await openForDump(request, logFile, request.overwrite ?? false)
  try {
    const response = await perform(connection, requestOf(open), run, { gentle }).catch(async error => {
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
