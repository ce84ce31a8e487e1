import type { Process } from '@libcontainer/container'
import {
  neverWait,
  type OwnedFd,
  readable,
  readFd,
  readNow,
  SyscallError,
  signalNumber,
  writeFd,
} from '@libcontainer/sys'
import type { JsonStatus } from './json-status.js'
import type { Streams } from './streams.js'

/** A program that runs in the foreground, and our ends of its streams. */
export interface Session {
  readonly process: Process
  /** The master of its terminal, where it has one. */
  readonly terminal: OwnedFd | undefined
  readonly pipes: Streams['pipes']
  /** The program's terminal leaves newlines alone, and ours adds what it needs. */
  readonly plainNewlines: boolean
  /** Is told how it ends. */
  readonly told?: JsonStatus | undefined
  /** Is told how to follow the size of our terminal. */
  readonly onResize: (changed: () => void) => () => void
}

/** Carries what is written on one side to the other until the program has ended, and answers its status as a shell reports it. */
export async function attend(session: Session): Promise<number> {
  const { process, terminal, pipes } = session
  const ended = process.wait()
  const end = new AbortController()
  const late = ended.finally(() => end.abort())
  const outputs =
    terminal === undefined
      ? [passOutput(pipes[1], 1, end.signal), passOutput(pipes[2], 2, end.signal)]
      : [passTerminal(terminal, ended, session)]
  // Not waited for: nobody reads any more what comes in later.
  void passInput(pipes[0], end.signal)
  const { code, signal } = await ended
  await late
  await Promise.all(outputs)
  const status = code ?? 128 + signalNumber(signal ?? 'KILL')
  await session.told?.ended(process, status)
  return status
}

/** Where nobody shows its output any more, the program's terminal hangs up. */
async function passTerminal(
  master: OwnedFd,
  until: Promise<unknown>,
  { onResize, plainNewlines }: Session,
): Promise<void> {
  const { relay } = await import('@libcontainer/console')
  try {
    await relay(master, { input: 0, output: 1, until, onResize, newlines: plainNewlines ? 'terminal' : 'pty' })
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
  } finally {
    master.close()
  }
}

const CHUNK = 32 * 1024
/** What a pipe can hold: more was written after the end, by what the program left behind. */
const MOST_LATE = 1 << 20

async function passOutput(from: OwnedFd | undefined, to: number, end: AbortSignal): Promise<void> {
  if (from === undefined) return
  neverWait(from.fd)
  const buffer = new Uint8Array(CHUNK)
  let late = 0
  try {
    while (late < MOST_LATE) {
      const after = end.aborted
      const got = await readNow(from.fd, buffer)
      if (got === 0) return
      if (got !== undefined) await writeFd(to, buffer.subarray(0, got))
      else if (after) return
      else await readable(from.fd, end)
      if (after) late += got ?? 0
    }
  } catch (error) {
    // Nobody reads it: the program's own pipe breaks.
    if (!(error instanceof SyscallError)) throw error
  } finally {
    from.close()
  }
}

async function passInput(to: OwnedFd | undefined, end: AbortSignal): Promise<void> {
  if (to === undefined) return
  neverWait(to.fd)
  const buffer = new Uint8Array(CHUNK)
  try {
    for (;;) {
      if (!(await readable(0, end))) return
      const got = await readFd(0, buffer)
      if (got === 0) return
      await writeFd(to.fd, buffer.subarray(0, got))
    }
  } catch (error) {
    // Our terminal has hung up, or the program reads no more.
    if (!(error instanceof SyscallError)) throw error
  } finally {
    to.close()
  }
}
