import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  checked,
  type ExitStatus,
  LibcontainerError,
  type OwnedFd,
  openNull,
  SOCK_STREAM,
  SyscallError,
  signalName,
  signalPidfd,
  socketPair,
  waitExit,
} from '@libcontainer/sys'
import { type Entrance, startIn } from '../processes/start.js'

/** What a ChildProcess is asked to start: its `spawn(options)`, by when `stdio` is made. */
interface Start {
  readonly file: string
  readonly args?: readonly string[]
  readonly envPairs?: readonly string[]
  readonly cwd?: string | URL | null
  readonly detached?: boolean
  readonly uid?: number | null
  readonly gid?: number | null
  readonly stdio: readonly Stdio[]
}

interface Stdio {
  readonly type: 'ignore' | 'pipe' | 'overlapped' | 'wrap' | 'inherit' | 'fd'
  readonly fd?: number
  readonly handle?: { readonly fd: number; open(fd: number): number | undefined }
}

/** What a ChildProcess holds as its process: `_handle`. It does the system calls alone; all else of child_process is above it. */
interface ProcessHandle {
  onexit: (code: number, signal: string) => void
  /** Which arguments it gets is Node.js' own affair, and differs: the object of `ChildProcess.spawn`, or its members. */
  spawn(...start: unknown[]): number
  close(): void
}

interface Holder {
  _handle?: ProcessHandle | InsideHandle
  spawn?: (start: Start) => number
}

/** Stands where Node.js has its own: starts the child in a cgroup, and tells of its end. */
export class InsideHandle {
  pid = 0
  /** Why it was not started. */
  failure: unknown
  readonly ended: Promise<ExitStatus>
  /** What is to be started, as soon as it is known. */
  start: Start | undefined
  readonly #entrance: Entrance
  readonly #replaced: ProcessHandle
  readonly onexit: ProcessHandle['onexit']
  #end: ((status: ExitStatus) => void) | undefined
  #pidfd: OwnedFd | undefined
  /** What keeps the program from ending before the child does, unless `unref()` says that it may. */
  #hold: NodeJS.Timeout | undefined

  constructor(entrance: Entrance, replaced: ProcessHandle) {
    this.#entrance = entrance
    this.#replaced = replaced
    this.onexit = replaced.onexit
    this.ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

  /** As uv_spawn: 0, or a negative errno. */
  spawn(...given: unknown[]): number {
    const childs: OwnedFd[] = []
    try {
      const start = this.start!
      dispose(this.#replaced, given, start)
      const { file, args = [file], envPairs = [], cwd, detached = false, uid, gid } = start
      const fds = start.stdio.map((stdio, n) => descriptorOf(stdio, n, childs))
      const program = { file, args, env: envPairs, cwd: String(cwd ?? ''), detached, fds }
      const { pid, pidfd } = startIn(this.#entrance, { ...program, uid: uid ?? undefined, gid: gid ?? undefined })
      this.pid = pid
      this.#pidfd = pidfd
      this.#hold = setInterval(() => undefined, 2 ** 30)
      void this.#attend(pidfd)
      return 0
    } catch (error) {
      this.failure = error
      return error instanceof SyscallError ? error.errno : EINVAL
    } finally {
      for (const fd of childs) fd.close()
    }
  }

  async #attend(pidfd: OwnedFd): Promise<void> {
    const status = await waitExit(pidfd, { weak: true })
    this.#end?.(status)
    this.onexit(status.code ?? 0, status.signal === undefined ? '' : signalName(status.signal))
  }

  kill(signal: number): number {
    if (this.#pidfd === undefined) return ESRCH
    try {
      signalPidfd(this.#pidfd, signal)
      return 0
    } catch (error) {
      if (error instanceof SyscallError) return error.errno
      throw error
    }
  }

  ref(): void {
    this.#hold?.ref()
  }

  unref(): void {
    this.#hold?.unref()
  }

  hasRef(): boolean {
    return this.#hold?.hasRef() ?? false
  }

  close(): void {
    clearInterval(this.#hold)
    this.#pidfd?.close()
    this.#pidfd = undefined
  }
}

const ESRCH = -3
const EINVAL = -22

/** libuv's handle is freed once it was started and closed: by a start that is refused before it forks. */
function dispose(handle: ProcessHandle, given: readonly unknown[], start: Start): void {
  const stdio = [{ type: 'fd', fd: -1 }]
  handle.spawn(...given.map(one => (one === start.stdio ? stdio : one === start ? { ...start, stdio } : one)))
  handle.close()
}

/** @param given - receives what the child alone is to have */
function descriptorOf({ type, fd, handle }: Stdio, n: number, given: OwnedFd[]): number {
  if (type === 'ignore') {
    // A program that opens a file would else have it as its standard input.
    if (n > 2) return -1
    given.push(openNull())
    return given.at(-1)!.fd
  }
  if (type === 'pipe' || type === 'overlapped') {
    const [ours, theirs] = socketPair(SOCK_STREAM)
    given.push(theirs)
    try {
      checked(handle!.open(ours.fd) ?? 0, 'uv_pipe_open')
      ours.release()
    } finally {
      ours.close()
    }
    return theirs.fd
  }
  return (type === 'wrap' ? handle?.fd : fd) ?? n
}

/**
 * Has `start`, which must call child_process once, start its child in a cgroup. Node.js tells of each ChildProcess as it is made, before
 * anything is started: then the one part of it that makes system calls is replaced.
 */
export function startInside<Child extends ChildProcess>(entrance: Entrance, start: () => Child): [Child, InsideHandle] {
  let inside: InsideHandle | undefined
  const onProcess = (message: unknown): void => {
    const holder = (message as { process?: Holder }).process
    const replaced = holder?._handle
    if (inside !== undefined || replaced === undefined || !('onexit' in replaced)) return
    const handle = new InsideHandle(entrance, replaced)
    inside = handle
    holder!._handle = handle
    holder!.spawn = start => {
      delete holder!.spawn
      handle.start = start
      return holder!.spawn!(start)
    }
  }
  subscribe('child_process', onProcess)
  let child: Child
  try {
    child = start()
  } catch (error) {
    throw inside?.failure ?? error
  } finally {
    unsubscribe('child_process', onProcess)
  }
  if (inside?.failure !== undefined) {
    // Told by what is thrown here.
    child.on('error', () => undefined)
    throw inside.failure
  }
  if (inside === undefined || inside.pid === 0) {
    child.kill('SIGKILL')
    throw new LibcontainerError('Unsupported', `this engine starts its children in another way than Node.js 20 to 26`)
  }
  return [child, inside]
}
