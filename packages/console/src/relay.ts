import {
  checked,
  isErrno,
  LibcontainerError,
  type OwnedFd,
  onAbort,
  POLLIN,
  POLLOUT,
  poll,
  readable,
  type Waiting,
} from '@libcontainer/sys'
import type { ConsoleLog } from './log-ring.js'
import { native } from './native.js'
import { readNow, writeMaster } from './pty.js'
import { setRawMode } from './raw-mode.js'
import { clearOnlcr, endOfInput, isTerminal } from './termios.js'
import { copyWindowSize } from './window-size.js'

const EAGAIN = -11
const EIO = -5
const CHUNK = 32 * 1024
/** More than a terminal can hold: it was written after the end, by what the program left behind. */
const MOST_LATE = 1 << 20

export interface RelayOptions extends Waiting {
  /** The descriptor that the user's input is read from; put into raw mode if it is a terminal. Default: nothing is sent. */
  input?: number | undefined
  /** The descriptor that the program's output goes to. Default: nowhere but to `log`. */
  output?: number | undefined
  /** Keeps the output, too, before it is passed on. */
  log?: ConsoleLog | undefined
  /** Calls its argument whenever the user's terminal has changed its size (SIGWINCH), until the answer is called. */
  onResize?: ((changed: () => void) => () => void) | undefined
  /**
   * When the program has ended: then what it wrote is still passed on, and the relay ends, even where something it left behind holds the
   * terminal open. Default: only the end of the stream ends the relay.
   */
  until?: Promise<unknown> | undefined
  /**
   * Who turns a newline into carriage return and newline: the user's terminal, so that output into a pipe or file has plain newlines;
   * or the pty, as it does by itself. Default: `'terminal'`.
   */
  newlines?: 'terminal' | 'pty' | undefined
}

/**
 * Passes a user's terminal on to the master of a pty and back, until the program's side ends.
 *
 * The end of the program's output ends the relay, when all of it is written. The end of the user's input is passed on as the terminal's
 * end-of-input character, since a pty has no other way to say it. The user's terminal gets its modes back on every way out.
 *
 * @param master - stays the caller's
 * @throws the signal's reason when it ends the relay, {@link SyscallError} when the output cannot be written
 */
export async function relay(master: OwnedFd, options: RelayOptions): Promise<void> {
  const { input, newlines = 'terminal', until, signal } = options
  signal?.throwIfAborted()
  checked(native.sync.neverWait(master.fd), 'fcntl(F_SETFL)')
  if (newlines === 'terminal') clearOnlcr(master.fd)
  const unsubscribe = followSize(master, options)
  const ended = new AbortController()
  const drain = new AbortController()
  const raw =
    input !== undefined && isTerminal(input) ? setRawMode(input, { keepOutput: newlines === 'terminal' }) : undefined
  // Whoever was called above may have aborted it already.
  const deaf = onAbort(signal, () => ended.abort(signal?.reason))
  const finished = (): void => drain.abort()
  until?.then(finished, finished)

  const sent = input === undefined ? Promise.resolve() : copyInput(input, master, ended.signal)
  // A failure to read the input must not pass unheard while the output goes on.
  sent.catch((error: unknown) => ended.abort(error))
  try {
    await copyOutput(master, options, ended.signal, drain.signal)
  } finally {
    deaf()
    if (!ended.signal.aborted) ended.abort()
    unsubscribe()
    raw?.restore()
    await sent.catch(() => undefined)
  }
}

function followSize(master: OwnedFd, { input, output, onResize }: RelayOptions): () => void {
  const terminal = [input, output].find(fd => fd !== undefined && isTerminal(fd))
  if (terminal === undefined) return () => undefined
  const follow = (): void => {
    if (!master.closed) copyWindowSize(terminal, master.fd)
  }
  follow()
  return onResize?.(follow) ?? (() => undefined)
}

async function copyOutput(
  master: OwnedFd,
  { output, log }: Pick<RelayOptions, 'output' | 'log'>,
  signal: AbortSignal,
  drain: AbortSignal,
): Promise<void> {
  const buffer = new Uint8Array(CHUNK)
  // Both are the relay's own, and end with it.
  const either = new AbortController()
  for (const one of [signal, drain]) one.addEventListener('abort', () => either.abort())
  let late = 0
  while (late < MOST_LATE) {
    signal.throwIfAborted()
    const ended = drain.aborted
    const got = readNow(master, buffer)
    if (got === 0) return
    if (got !== undefined) {
      const bytes = buffer.subarray(0, got)
      await log?.write(bytes)
      if (output !== undefined) await writeAll(output, bytes, signal)
    } else if (ended) return
    else await readable(master.fd, either.signal)
    if (ended) late += got ?? 0
  }
}

async function copyInput(input: number, master: OwnedFd, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(CHUNK)
  for (;;) {
    await ready(input, POLLIN, signal)
    const got = await native.async.readTerminal(input, buffer)
    if (signal.aborted) return
    if (got === EAGAIN) continue
    if (got === 0 || got === EIO) {
      const end = endOfInput(master.fd)
      if (end !== undefined) await writeMaster(master, Uint8Array.of(end), { signal })
      return
    }
    if (!(await writeMaster(master, buffer.subarray(0, checked(got, 'read')), { signal }))) return
  }
}

async function writeAll(fd: number, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const put = await native.async.writeTerminal(fd, bytes.subarray(done))
    if (put === EAGAIN) await ready(fd, POLLOUT, signal)
    else done += checked(put, 'write')
  }
}

/** A regular file and /dev/null cannot be waited for, and need not be. */
async function ready(fd: number, events: number, signal: AbortSignal): Promise<void> {
  try {
    await poll(fd, events, { signal })
  } catch (error) {
    if (!isErrno(error, 'EPERM') && !(error instanceof LibcontainerError && error.code === 'ERR_WATCH')) throw error
  }
}
