import {
  announceExec,
  bootstrap,
  execProgram,
  findProgram,
  setSession,
  workingDirectorySteps,
} from '@libcontainer/init'
import {
  decodeUtf8,
  type ExitStatus,
  encodeUtf8,
  killPidfd,
  memoryFile,
  neverWait,
  O_APPEND,
  O_CREAT,
  O_WRONLY,
  type OwnedFd,
  onAbort,
  openFile,
  pipe,
  readable,
  readNow,
  sleep,
  type Waiting,
  waitExit,
} from '@libcontainer/sys'

/** A program of the host, run as it stands: no shell, no PATH, no environment but its own. */
export interface Command {
  /** Absolute. */
  readonly path: string
  /** Its argv, from `argv[0]` on. Default: the path alone. */
  readonly args?: readonly string[] | undefined
  /** `NAME=value`. Default: none. */
  readonly env?: readonly string[] | undefined
  /** How long it may take, in milliseconds; then it is killed. Default: as long as it wants. */
  readonly timeoutMs?: number | undefined
}

export interface CommandPlace extends Waiting {
  /** Its working directory, where there is one of that name. Default: this process's. */
  readonly cwd?: string | undefined
  /** Files that it appends its output to. Default: into the result. */
  readonly stdout?: string | undefined
  readonly stderr?: string | undefined
}

export interface CommandResult extends ExitStatus {
  /** What it wrote to its standard output and error, in order, as far as it was kept. */
  readonly output: string
  /** It was killed for taking too long. */
  readonly timedOut: boolean
}

/** What is kept of the output; all that follows is read and dropped, so that a program never stands still for it. */
export const MAX_OUTPUT = 1024 * 1024

/**
 * Runs a program of the host to its end, with `input` as its standard input. `init` executes it: one way to clone, for both engines.
 *
 * @param place.signal - kills it
 * @throws {SyscallError} when it cannot be executed
 */
export async function runCommand(
  { path, args = [path], env = [], timeoutMs }: Command,
  input: string,
  { cwd, stdout, stderr, signal }: CommandPlace = {},
): Promise<CommandResult> {
  const [out, err] = await openOutputs(stdout, stderr)
  const { read, write } = pipe()
  neverWait(read.fd)
  const stdin = memoryFile('input', encodeUtf8(input))
  let child: { readonly pidfd: OwnedFd }
  try {
    const enter = cwd === undefined ? [] : [{ ...workingDirectorySteps(cwd).beforeUserSwitch, onError: ELSEWHERE }]
    const steps = [setSession, ...enter, findProgram(path, ''), announceExec, execProgram(args, env)]
    child = await bootstrap({ steps, signal, stdio: [stdin.fd, (out ?? write).fd, (err ?? write).fd] })
  } catch (error) {
    read.close()
    throw error
  } finally {
    for (const fd of [stdin, write, out, err]) fd?.close()
  }
  const over = new AbortController()
  const output = collect(read, over.signal)
  // Told where it is waited for.
  output.catch(() => {})
  const timer = new AbortController()
  let timedOut = false
  const limit =
    timeoutMs === undefined
      ? undefined
      : sleep(timeoutMs, { signal: timer.signal }).then(
          () => {
            timedOut = true
            killPidfd(child.pidfd)
          },
          () => undefined,
        )
  const deaf = onAbort(signal, () => killPidfd(child.pidfd))
  const status = await waitExit(child.pidfd)
  deaf()
  child.pidfd.close()
  timer.abort()
  await limit
  // What it has left behind may hold the pipe for ever: what is in it now is all.
  over.abort()
  return { ...status, output: await output, timedOut }
}

/** A directory that has gone, or that this user may not enter, keeps no program from running. */
const ELSEWHERE = { ENOENT: 'skip', ENOTDIR: 'skip', EACCES: 'skip' } as const

/** Opens files to append to, where they are named. */
export async function openOutputs(...paths: readonly (string | undefined)[]): Promise<(OwnedFd | undefined)[]> {
  const opened: (OwnedFd | undefined)[] = []
  try {
    for (const path of paths)
      opened.push(path === undefined ? undefined : await openFile(path, O_WRONLY | O_CREAT | O_APPEND, 0o644))
    return opened
  } catch (error) {
    for (const fd of opened) fd?.close()
    throw error
  }
}

/** What a pipe can hold, at most: /proc/sys/fs/pipe-max-size is 1 MiB unless somebody has raised it. */
const PIPE_SIZE = 1024 * 1024

/** Reads until the end, or until it is over: then what is there. Closes the pipe. */
async function collect(pipe: OwnedFd, over: AbortSignal): Promise<string> {
  const kept = new Uint8Array(MAX_OUTPUT)
  const buffer = new Uint8Array(65536)
  let size = 0
  // What is left behind may go on writing.
  let late = 0
  try {
    while (late < PIPE_SIZE) {
      // What it wrote before its end is there for whoever reads after that.
      const after = over.aborted
      const got = await readNow(pipe.fd, buffer)
      if (got === 0 || (got === undefined && after)) break
      if (got === undefined) await readable(pipe.fd, over)
      else {
        const room = buffer.subarray(0, Math.min(got, MAX_OUTPUT - size))
        kept.set(room, size)
        size += room.length
        if (after) late += got
      }
    }
  } finally {
    pipe.close()
  }
  return decodeUtf8(kept.subarray(0, size))
}
