import type { Timing } from '@libcontainer/init'
import {
  type ExitStatus,
  holding,
  isErrno,
  type OwnedFd,
  onAbort,
  signalName,
  signalNumber,
  signalPidfd,
  type Waiting,
  waitExit,
} from '@libcontainer/sys'
import { openReader, openWriter, type Reader, type Writer } from '#streams'
import { aborted } from './abort.js'
import { ContainerError } from './errors.js'

/** How a process of a container ended. */
export interface ProcessResult {
  /** The exit code; `undefined` when a signal ended it. */
  readonly code: number | undefined
  /** The signal that ended it: `SIGKILL`. */
  readonly signal: string | undefined
  /** The kernel killed something in the container's cgroup for want of memory while this process ran. */
  readonly oom: boolean
}

/** What a container hands to the process that it has started. */
export interface ProcessHandles {
  readonly pid: number
  readonly pidfd: OwnedFd
  readonly stdio: readonly [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined]
  readonly terminal: OwnedFd | undefined
  readonly timings: readonly Timing[]
  /** Asked once, when the process has ended. */
  readonly oom: (status: ExitStatus) => Promise<boolean>
  readonly signal: AbortSignal | undefined
}

/** A program that runs in a container. */
export class Process {
  readonly #handles: ProcessHandles
  readonly #result: Promise<ProcessResult>
  /** Stops listening to the signal that kills it. */
  readonly #deaf: () => void
  #stdin: Writer | undefined
  #stdout: Reader | undefined
  #stderr: Reader | undefined
  #ended = false

  constructor(handles: ProcessHandles) {
    this.#handles = handles
    // It may have been aborted while the process was being made.
    this.#deaf = onAbort(handles.signal, this.#abort)
    // Reaped whether somebody waits or not; that alone does not keep the program alive.
    this.#result = this.#end()
    this.#result.catch(() => {})
  }

  /** As this host sees it. */
  get pid(): number {
    return this.#handles.pid
  }

  /** A descriptor that means this process and never another; it stays this object's. */
  get pidfd(): OwnedFd {
    return this.#handles.pidfd
  }

  /** The program's standard input, where `stdio` said `pipe`; end it to give the program its end of file. */
  get stdin(): Writer | undefined {
    const fd = this.#handles.stdio[0]
    if (fd !== undefined) this.#stdin ??= openWriter(fd)
    return this.#stdin
  }

  get stdout(): Reader | undefined {
    const fd = this.#handles.stdio[1]
    if (fd !== undefined) this.#stdout ??= openReader(fd)
    return this.#stdout
  }

  get stderr(): Reader | undefined {
    const fd = this.#handles.stdio[2]
    if (fd !== undefined) this.#stderr ??= openReader(fd)
    return this.#stderr
  }

  /** The master of its terminal, where it has one. The caller's to close. */
  get terminal(): OwnedFd | undefined {
    return this.#handles.terminal
  }

  /** How long each step of the set-up took, where `timed` asked for it. */
  get timings(): readonly Timing[] {
    return this.#handles.timings
  }

  /** Whether it has ended and been waited for. */
  get ended(): boolean {
    return this.#ended
  }

  /** Sends a signal, by name or number. @throws {ContainerError} `ContainerNotRunning` once it has ended */
  signal(signal: string | number): void {
    const number = signalNumber(signal)
    try {
      if (this.#ended) throw new ContainerError('ContainerNotRunning', `process ${this.pid} has ended`)
      signalPidfd(this.#handles.pidfd, number)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
      throw new ContainerError('ContainerNotRunning', `process ${this.pid} has ended`, { cause: error })
    }
  }

  /** Waits until it has ended. Every call gives the same answer; an aborted one leaves the process alone. */
  async wait({ signal }: Waiting = {}): Promise<ProcessResult> {
    if (signal === undefined) return await holding(this.#result)
    signal.throwIfAborted()
    const { promise, done } = aborted(signal)
    try {
      return await holding(Promise.race([this.#result, promise]))
    } finally {
      done()
    }
  }

  readonly #abort = (): void => {
    try {
      this.signal(9)
    } catch (error) {
      if (!(error instanceof ContainerError)) throw error
    }
  }

  async #end(): Promise<ProcessResult> {
    const { pidfd, oom } = this.#handles
    const status = await waitExit(pidfd, { weak: true })
    this.#ended = true
    this.#deaf()
    pidfd.close()
    return {
      code: status.code,
      signal: status.signal === undefined ? undefined : signalName(status.signal),
      oom: await oom(status),
    }
  }
}
