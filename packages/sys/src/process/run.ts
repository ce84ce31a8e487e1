import { SyscallError } from '../errors/errors.js'
import { O_RDWR, openFile, pipe, readFd } from '../files/files.js'
import { decodeUtf8 } from '../utf8.js'
import { type ExitStatus, waitExit } from './process.js'
import { type Spawned, spawn } from './spawn.js'
import { POLLIN, poll } from './wait.js'

export interface ProgramResult {
  readonly status: ExitStatus
  /** What it wrote on standard error, as far as that is a message and no flood. */
  readonly stderr: string
}

/** As much of a message as anybody reads. */
const MAX_MESSAGE = 4096

/**
 * Runs a program of the host to its end: by its path alone, with an empty environment, nothing to read, and no shell.
 *
 * @param path - absolute; the name that it is given is the last part
 * @throws {SyscallError} when it is missing, or may not be executed
 */
export async function runProgram(path: string, args: readonly string[]): Promise<ProgramResult> {
  const program = await openFile(path)
  try {
    const nothing = await openFile('/dev/null', O_RDWR)
    const { read, write } = pipe()
    try {
      const fds = [nothing.fd, nothing.fd, write.fd]
      const name = path.slice(path.lastIndexOf('/') + 1)
      const { pidfd } = await started(path, spawn({ program, args: [name, ...args], fds, own: fds.length }))
      write.close()
      try {
        const stderr = await readMessage(read.fd)
        return { status: await waitExit(pidfd), stderr }
      } finally {
        pidfd.close()
      }
    } finally {
      read.close()
      write.close()
      nothing.close()
    }
  } finally {
    program.close()
  }
}

/** What `spawn` was refused is told of the program: it was cloned into no namespace. */
async function started(path: string, spawning: Promise<Spawned>): Promise<Spawned> {
  try {
    return await spawning
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new SyscallError(error.errno, 'execveat', { path, cause: error })
  }
}

/** To the end of the stream, so that whoever writes never waits. */
async function readMessage(fd: number): Promise<string> {
  const message = new Uint8Array(MAX_MESSAGE)
  const rest = new Uint8Array(MAX_MESSAGE)
  for (let size = 0; ; ) {
    await poll(fd, POLLIN)
    const full = size === MAX_MESSAGE
    const got = await readFd(fd, full ? rest : message.subarray(size))
    if (got === 0) return decodeUtf8(message.subarray(0, size))
    if (!full) size += got
  }
}
