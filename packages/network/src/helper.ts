import {
  decodeUtf8,
  exists,
  getProcessStartTime,
  killPidfd,
  LibcontainerError,
  later,
  O_RDWR,
  type OwnedFd,
  openFile,
  openPidfd,
  POLLIN,
  pipe,
  poll,
  readFd,
  readTextIfPresent,
  removeFile,
  runProgram,
  SyscallError,
  spawn,
  waitExit,
} from '@libcontainer/sys'
import { type Helper, type HelperRequest, helperDirectories, pastaArguments, slirpArguments } from './helper-command.js'
import { userModeHelpers } from './types.js'

/** A helper that runs: by both numbers it is known again. */
export interface RunningHelper {
  readonly program: string
  readonly pid: number
  /** In clock ticks since boot. */
  readonly startTime: string
}

/** The path of a helper, or of the first that is installed; `undefined` for none. */
export async function findHelper(wanted?: Helper): Promise<{ helper: Helper; path: string } | undefined> {
  for (const helper of wanted === undefined ? userModeHelpers : [wanted]) {
    for (const directory of helperDirectories) {
      const path = `${directory}/${helper}`
      if (await exists(path)) return { helper, path }
    }
  }
  return undefined
}

/** Says that none is there. @throws {LibcontainerError} `ENOENT` */
export async function confirmHelper(wanted?: Helper): Promise<{ helper: Helper; path: string }> {
  const found = await findHelper(wanted)
  if (found !== undefined) return found
  const names = wanted ?? userModeHelpers.join(' and ')
  throw new LibcontainerError(
    'ENOENT',
    `a network of type user: ${names} not found in ${helperDirectories.join(', ')}`,
    {
      hint: 'install one of the packages passt (it has pasta) and slirp4netns, or leave the network out',
    },
  )
}

/** How long it may take to be ready, in milliseconds. */
const READY_MS = 30_000

/**
 * Starts a helper, and answers when the interface is there. On failure it is ended.
 *
 * @param directory - of the container's own: for pasta's pid
 */
export async function startHelper(
  wanted: Helper | undefined,
  request: HelperRequest,
  directory: string,
): Promise<RunningHelper> {
  const { helper, path } = await confirmHelper(wanted)
  return helper === 'pasta' ? await startPasta(path, request, directory) : await startSlirp(path, request)
}

/** It goes into the background when it is ready. */
async function startPasta(path: string, request: HelperRequest, directory: string): Promise<RunningHelper> {
  const pidFile = `${directory}/pasta.pid`
  await removeFile(pidFile)
  const { status, stderr } = await runProgram(path, pastaArguments(request, pidFile))
  const pid = Number((await readTextIfPresent(pidFile))?.trim())
  const running = Number.isInteger(pid) && pid > 0 ? await identify(path, pid) : undefined
  if (status.code === 0 && running !== undefined) return running
  if (running !== undefined) await endHelper(running)
  throw failed(path, stderr)
}

/** It stays our child; when it is ready it writes a byte. */
async function startSlirp(path: string, request: HelperRequest): Promise<RunningHelper> {
  const opened: OwnedFd[] = []
  let child: { readonly pid: number; readonly pidfd: OwnedFd } | undefined
  try {
    const program = await openFile(path)
    opened.push(program)
    const nothing = await openFile('/dev/null', O_RDWR)
    opened.push(nothing)
    const ready = pipe()
    opened.push(ready.read, ready.write)
    const words = pipe()
    opened.push(words.read, words.write)
    const fds = [nothing.fd, nothing.fd, words.write.fd, ready.write.fd]
    child = await spawn({ program, args: ['slirp4netns', ...slirpArguments(request, 3)], fds, own: fds.length })
    ready.write.close()
    words.write.close()
    const { pid, pidfd } = child
    const running = (await saysReady(ready.read)) ? await identify(path, pid) : undefined
    if (running === undefined) {
      // What it had to say is whole when it has ended.
      killPidfd(pidfd)
      await waitExit(pidfd)
      pidfd.close()
      throw failed(path, await readSome(words.read))
    }
    reap(pidfd)
    return running
  } catch (error) {
    if (child !== undefined && !child.pidfd.closed) {
      killPidfd(child.pidfd)
      reap(child.pidfd)
    }
    throw error
  } finally {
    for (const fd of opened) fd.close()
  }
}

/** Waits for a child of ours whenever it ends, without keeping the program for that. */
function reap(pidfd: OwnedFd): void {
  void waitExit(pidfd, { weak: true })
    .catch(() => undefined)
    .finally(() => pidfd.close())
}

/** Whether a byte came before the end of file. */
async function saysReady(fd: OwnedFd): Promise<boolean> {
  const over = new AbortController()
  const onTime = later(READY_MS, () => over.abort(), { weak: true })
  try {
    await poll(fd.fd, POLLIN, { signal: over.signal })
    return (await readFd(fd.fd, new Uint8Array(1))) === 1
  } catch (error) {
    if (!over.signal.aborted) throw error
    return false
  } finally {
    onTime()
  }
}

async function readSome(fd: OwnedFd): Promise<string> {
  const buffer = new Uint8Array(4096)
  return decodeUtf8(buffer.subarray(0, await readFd(fd.fd, buffer)))
}

const failed = (path: string, said: string): LibcontainerError =>
  new LibcontainerError('ENETDOWN', `${path} made no network: ${said.trim() || 'it said nothing'}`, {
    hint: 'it needs /dev/net/tun, and user namespaces where the caller is not root',
  })

async function identify(program: string, pid: number): Promise<RunningHelper | undefined> {
  const startTime = await getProcessStartTime(pid)
  return startTime === undefined ? undefined : { program, pid, startTime }
}

/** Ends a helper, if it is still that: a pid that was used again is left alone. */
export async function endHelper({ pid, startTime }: RunningHelper): Promise<void> {
  let pidfd: OwnedFd
  try {
    pidfd = openPidfd(pid)
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'ESRCH') return
    throw error
  }
  try {
    // After it was opened: what it means does not change any more.
    if ((await getProcessStartTime(pid)) === startTime) killPidfd(pidfd)
  } finally {
    pidfd.close()
  }
}
