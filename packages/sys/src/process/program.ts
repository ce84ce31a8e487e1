import { ConfigInvalid } from '../errors/errors.js'
import type { OwnedFd } from '../files/fd.js'
import { readFd } from '../files/files.js'
import { decodeUtf8, kernelString } from '../utf8.js'
import { type ExitStatus, killPidfd, signalPidfd, waitExit } from './process.js'
import { signalNumber } from './signals.js'
import { checkStdio, isDescriptor, type StdioRequest } from './stdio.js'
import { holding, onAbort, POLLIN, poll } from './wait.js'

/** How a program is started. */
export interface ProgramOptions {
  /** The whole environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The working directory, as the program sees it. Default: that of this process; in a mount namespace that is joined, its root. */
  readonly cwd?: string | undefined
  /** Default: `inherit`. */
  readonly stdio?: StdioRequest | undefined
  /** Descriptors that become 3, 4, … of the program; all others are closed. They stay the caller's. */
  readonly extraFds?: readonly (number | OwnedFd)[] | undefined
  /** What it gets when this process ends, whatever ends that. Default: nothing, it lives on. */
  readonly parentDeathSignal?: string | number | undefined
  /** Kills it, and has `wait` reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** What a program has written, and how it ended. */
export interface ProgramOutput {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs: a child of this process, which is reaped as soon as it ends. */
export class Program implements AsyncDisposable {
  /** As this process sees it. */
  readonly pid: number
  /** This side's ends of its pipes, where `stdio` said `pipe`; the caller closes them. */
  readonly stdin: OwnedFd | undefined
  readonly stdout: OwnedFd | undefined
  readonly stderr: OwnedFd | undefined
  readonly #pidfd: OwnedFd
  readonly #ended: Promise<ExitStatus>

  constructor(
    { pid, pidfd }: { readonly pid: number; readonly pidfd: OwnedFd },
    [stdin, stdout, stderr]: readonly (OwnedFd | undefined)[],
    signal?: AbortSignal,
  ) {
    this.pid = pid
    this.#pidfd = pidfd
    this.stdin = stdin
    this.stdout = stdout
    this.stderr = stderr
    this.#ended = this.#end(signal)
    // Whoever does not wait is not told.
    this.#ended.catch(() => undefined)
  }

  async #end(signal: AbortSignal | undefined): Promise<ExitStatus> {
    let aborted = false
    const deaf = onAbort(signal, () => {
      aborted = true
      killPidfd(this.#pidfd)
    })
    try {
      const status = await waitExit(this.#pidfd, { weak: true })
      if (aborted) throw signal?.reason
      return status
    } finally {
      deaf()
      this.#pidfd.close()
    }
  }

  /** Waits until it has ended; every call gives the same answer. */
  async wait(): Promise<ExitStatus> {
    return await holding(this.#ended)
  }

  /** Sends a signal, by name or number: `false` when it has ended. */
  signal(signal: string | number): boolean {
    const number = signalNumber(signal)
    if (this.#pidfd.closed) return false
    signalPidfd(this.#pidfd, number)
    return true
  }

  /** Reads its pipes to their end, closes them, and waits. */
  async output(): Promise<ProgramOutput> {
    this.stdin?.close()
    const [stdout, stderr, status] = await Promise.all([readAll(this.stdout), readAll(this.stderr), this.wait()])
    return { status, stdout, stderr }
  }

  /** Kills it if it still runs, waits for its end, and closes its pipes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const fd of [this.stdin, this.stdout, this.stderr]) fd?.close()
    killPidfd(this.#pidfd)
    await this.wait().catch(() => undefined)
  }
}

async function readAll(fd: OwnedFd | undefined): Promise<string> {
  if (fd === undefined) return ''
  const parts: Uint8Array[] = []
  try {
    for (;;) {
      await poll(fd.fd, POLLIN)
      const buffer = new Uint8Array(65536)
      const got = await readFd(fd.fd, buffer)
      if (got === 0) break
      parts.push(buffer.subarray(0, got))
    }
  } finally {
    fd.close()
  }
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return decodeUtf8(all)
}

/** Refuses what no program can be run with, before anything is made. */
export function checkProgram(argv: readonly string[], options: ProgramOptions): void {
  if (!Array.isArray(argv) || argv.length === 0 || argv[0] === '')
    throw new ConfigInvalid('argv', argv, 'must be a list that begins with a program')
  for (const [i, word] of argv.entries()) kernelString(word, `argv[${i}]`)
  checkStdio(options.stdio, 'stdio')
  const { env = {}, cwd, extraFds = [], parentDeathSignal } = options
  if (parentDeathSignal !== undefined) signalNumber(parentDeathSignal, 'parentDeathSignal')
  for (const [name, value] of Object.entries(env)) {
    kernelString(value, `env.${name}`)
    if (name === '' || kernelString(name, 'env').includes('='))
      throw new ConfigInvalid('env', name, 'must be a name without =')
  }
  if (cwd !== undefined && kernelString(cwd, 'cwd') === '') throw new ConfigInvalid('cwd', cwd, 'must be a path')
  if (!Array.isArray(extraFds)) throw new ConfigInvalid('extraFds', extraFds, 'must be a list of descriptors')
  for (const [i, fd] of extraFds.entries())
    if (!isDescriptor(fd)) throw new ConfigInvalid(`extraFds[${i}]`, fd, 'must be a descriptor')
}
