import { type At, isErrno, LibcontainerError, readBytes } from '@libcontainer/sys'
import { firstEntry } from './image-file.js'
import { nested, uint32, uint64 } from './protobuf.js'

/** What CRIU has counted of a dump. Times in microseconds. */
export interface DumpStats {
  /** How long it took until all processes stood still. */
  readonly freezingUs: number
  /** How long they stood still. */
  readonly frozenUs: number
  readonly memdumpUs: number
  readonly memwriteUs: number
  readonly pagesScanned: number
  /** In a parent's image already. */
  readonly pagesSkippedParent: number
  readonly pagesWritten: number
  /** Left for later. */
  readonly pagesLazy: number
}

/** What CRIU has counted of a restore. Times in microseconds. */
export interface RestoreStats {
  readonly forkingUs: number
  readonly restoreUs: number
  readonly pagesCompared: number
  readonly pagesSkippedCow: number
  readonly pagesRestored: number
}

const entry = {
  dump: nested(1, {
    freezingTime: uint32(1),
    frozenTime: uint32(2),
    memdumpTime: uint32(3),
    memwriteTime: uint32(4),
    pagesScanned: uint64(5),
    pagesSkippedParent: uint64(6),
    pagesWritten: uint64(7),
    pagesLazy: uint64(9),
  }),
  restore: nested(2, {
    pagesCompared: uint64(1),
    pagesSkippedCow: uint64(2),
    forkingTime: uint32(3),
    restoreTime: uint32(4),
    pagesRestored: uint64(5),
  }),
}

/** IMG_SERVICE_MAGIC and STATS_MAGIC of CRIU. */
const MAGIC = [0x55105940, 0x57093306]

export interface Stats {
  readonly dump: DumpStats | undefined
  readonly restore: RestoreStats | undefined
}

/** Reads the file `stats-dump` or `stats-restore`. Pure. @throws {LibcontainerError} `EPROTO` for what is none */
export function parseStats(bytes: Uint8Array): Stats {
  const { dump, restore } = firstEntry(bytes, MAGIC, entry)
  return {
    dump: dump && {
      freezingUs: dump.freezingTime ?? 0,
      frozenUs: dump.frozenTime ?? 0,
      memdumpUs: dump.memdumpTime ?? 0,
      memwriteUs: dump.memwriteTime ?? 0,
      pagesScanned: dump.pagesScanned ?? 0,
      pagesSkippedParent: dump.pagesSkippedParent ?? 0,
      pagesWritten: dump.pagesWritten ?? 0,
      pagesLazy: dump.pagesLazy ?? 0,
    },
    restore: restore && {
      forkingUs: restore.forkingTime ?? 0,
      restoreUs: restore.restoreTime ?? 0,
      pagesCompared: restore.pagesCompared ?? 0,
      pagesSkippedCow: restore.pagesSkippedCow ?? 0,
      pagesRestored: restore.pagesRestored ?? 0,
    },
  }
}

/** Statistics that CRIU has left; `undefined` where it left none, or what is no such file. */
export async function readStats(name: 'stats-dump' | 'stats-restore', at: At): Promise<Stats | undefined> {
  try {
    return parseStats(await readBytes(name, at))
  } catch (error) {
    if (isErrno(error, 'ENOENT') || (error instanceof LibcontainerError && error.code === 'EPROTO')) return undefined
    throw error
  }
}
