import { ConfigInvalid, checked, kernelString, type OwnedFd, Procfs, readFd, SyscallError } from '@libcontainer/sys'
import { native } from './native.js'
import { findSelinuxfs } from './selinuxfs.js'
import { checkKind, LABEL_SIZE, type LabelKind, labelText, readThreadLabel } from './thread-label.js'

/**
 * A label of a process, by a procfs that nothing was mounted over; `undefined` where SELinux is off, or there is none of this kind.
 *
 * @param pid - `self` for the thread that calls
 * @throws {SyscallError} `ENOENT`, `ESRCH` when there is no such process
 * @see getpidcon(3)
 */
export async function getLabel(
  pid: number | 'self' = 'self',
  kind: LabelKind = 'current',
): Promise<string | undefined> {
  checkKind(kind)
  if ((await findSelinuxfs()).reason !== undefined) return undefined
  return (pid === 'self' ? readThreadLabel(kind) : await readLabel(pid, kind)) || undefined
}

async function readLabel(pid: number, kind: LabelKind): Promise<string> {
  using procfs = await Procfs.open()
  using file = await procfs.process(pid, `attr/${kind}`)
  const buffer = new Uint8Array(LABEL_SIZE)
  return labelText(buffer.subarray(0, await readFd(file.fd, buffer)))
}

/**
 * Gives the thread that calls a label, at once: of what it executes, or of the files, keys and sockets that it makes. Other threads keep theirs, also
 * those by which Node.js makes files off the thread: `fs.writeFileSync` counts, `fs.promises.writeFile` does not.
 *
 * @param label - an empty one takes the label back, and what is made gets the policy's own
 * @throws {SyscallError} `EACCES` where the policy does not allow it, `EINVAL` for what it does not know
 * @see setexeccon(3), setfscreatecon(3), setkeycreatecon(3), setsockcreatecon(3), setcon(3)
 */
export async function setThreadLabel(kind: Exclude<LabelKind, 'prev'>, label: string): Promise<void> {
  checkKind(kind)
  if ((kind as LabelKind) === 'prev') throw new ConfigInvalid('kind', kind, 'can only be read')
  kernelString(label, 'label')
  const { reason } = await findSelinuxfs()
  if (reason !== undefined) {
    if (label === '') return
    throw new ConfigInvalid('label', label, `cannot be set: SELinux is off: ${reason}`)
  }
  const result = native.sync.setThreadLabel(kind, label)
  if (result < 0)
    throw new SyscallError(result, 'write', {
      path: `/proc/thread-self/attr/${kind}`,
      detail: label,
      hint: labelHints[new SyscallError(result, '').code],
    })
}

/** What helps where the kernel refuses a label. */
export const labelHints: Readonly<Record<string, string>> = {
  EINVAL: 'the policy in force has no such context, or SELinux is off',
  EACCES: 'the policy does not let this process give that label: ausearch -m avc tells what is missing',
  EPERM: 'a process of several threads can only change its label to one that is bounded by its own',
}

/**
 * The label of whoever is at the other end of a UNIX socket; `undefined` where SELinux is off, or the peer has none.
 *
 * @throws {SyscallError} `ENOPROTOOPT` for a socket that tells none
 * @see getpeercon(3)
 */
export async function peerLabel(socket: OwnedFd | number): Promise<string | undefined> {
  if ((await findSelinuxfs()).reason !== undefined) return undefined
  const buffer = new Uint8Array(LABEL_SIZE)
  const fd = typeof socket === 'number' ? socket : socket.fd
  const size = checked(native.sync.peerLabel(fd, buffer), 'getsockopt(SO_PEERSEC)', undefined, {
    hint: 'UNIX sockets that are connected have a peer with a label',
  })
  return labelText(buffer.subarray(0, size)) || undefined
}
