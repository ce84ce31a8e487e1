import { AT_FDCWD } from '../files/files.js'
import { native } from '../native.js'
import { decodeUtf8, kernelString } from '../utf8.js'

/** More than the file of a process holds, but for its maps and mounts. */
const ROOM = 16384

/**
 * A short file of /proc at once: the kernel makes it up, and no disk is waited for.
 *
 * @returns `undefined` where it cannot be read, as when its process has ended, or is longer than 16 KiB
 */
export function readProc(path: string): string | undefined {
  const buffer = new Uint8Array(ROOM)
  const got = native.sync.readFile(AT_FDCWD, kernelString(path, 'path'), buffer)
  return got < 0 || got === ROOM ? undefined : decodeUtf8(buffer.subarray(0, got))
}
