import {
  checked,
  isErrno,
  nulTerminated,
  OwnedFd,
  POLLIN,
  type PollOptions,
  poll,
  readFd,
  SyscallError,
  type Waiting,
  writeFd,
} from '@libcontainer/sys'
import { fileIn, type Place } from '../host/place.js'
import { native } from '../native.js'
import type { Sink } from './stream.js'

/** Opens what v1 notifies by, at once: what happens from now on is told. */
export function openNotices({ hierarchy, path, directory }: Place, file: string, argument = ''): OwnedFd {
  const fd = native.sync.notifyCgroup1(hierarchy.mountpoint, path, file, argument)
  return new OwnedFd(checked(fd, 'cgroup.event_control', `${directory}/${file}`))
}

/** Waits for the next notice of v1, and takes it and those that came with it: how many these were. */
export async function nextNotice(notices: OwnedFd, waiting: PollOptions): Promise<number> {
  await poll(notices.fd, POLLIN, waiting)
  const bytes = new Uint8Array(8)
  await readFd(notices.fd, bytes)
  return Number(new DataView(bytes.buffer).getBigUint64(0, true))
}

/** Opens PSI's trigger of a v2 cgroup: readable by `POLLPRI` when tasks stall longer than `some 150000 1000000` says. */
export async function openTrigger(place: Place, file: string, trigger: string, { signal }: Waiting): Promise<OwnedFd> {
  const path = `${place.directory}/${file}`
  const O_RDWR = 2
  const fd = new OwnedFd(
    checked(native.sync.openCgroup(place.hierarchy.mountpoint, fileIn(place, file), O_RDWR), 'openat2', path),
  )
  try {
    await writeFd(fd.fd, nulTerminated([trigger]))
    // A stream that is given up before it begins never listens, and it is listening that closes the descriptor.
    signal?.throwIfAborted()
    return fd
  } catch (error) {
    fd.close()
    if (!(error instanceof SyscallError)) throw error
    throw new SyscallError(error.errno, 'write', { path, hint: hintOf(error), detail: trigger, cause: error })
  }
}

function hintOf(error: SyscallError): string | undefined {
  if (isErrno(error, 'EOPNOTSUPP')) return 'psi=1 on the command line of the kernel switches it on'
  if (!isErrno(error, 'EINVAL', 'EPERM')) return undefined
  return 'without CAP_SYS_RESOURCE the window must be a multiple of 2 s (Linux 6.5), and with it 500 ms or more'
}

/** Goes round until one of them answers that it was the last, or nobody listens any more; then closes the descriptor. */
export function listen(fd: OwnedFd, sink: Sink<never>, round: (waiting: PollOptions) => Promise<boolean>): () => void {
  const over = new AbortController()
  const waiting = { signal: over.signal, weak: true }
  const rounds = async (): Promise<void> => {
    try {
      while (await round(waiting));
      sink.end()
    } catch (error) {
      if (!over.signal.aborted) sink.fail(error)
    } finally {
      fd.close()
    }
  }
  void rounds()
  return () => over.abort()
}
