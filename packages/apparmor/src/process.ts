import { decodeUtf8, isErrno, Procfs, readFd, SyscallError } from '@libcontainer/sys'
import { type AppArmorLabel, parseLabel } from './label.js'
import { isEnabled } from './status.js'

/** Which label: that in force, that of the next exec, that before the last change. */
export type LabelKind = 'current' | 'exec' | 'prev'

/** What a label may take: the kernel's buffer for one is a page. */
const SIZE = 4096

/**
 * The label of a process, by a procfs that nothing was mounted over; `undefined` where AppArmor is off, or there is no such label.
 *
 * @param pid - `self` for this process: of the threads that change their label `exec` differs, and this is none of them
 * @throws {SyscallError} `ENOENT`, `ESRCH` when there is no such process
 */
export async function getLabel(
  pid: number | 'self' = 'self',
  kind: LabelKind = 'current',
): Promise<AppArmorLabel | undefined> {
  if (!(await isEnabled())) return undefined
  using procfs = await Procfs.open()
  const open = async (file: string) =>
    pid === 'self' ? await procfs.threadSelf(`attr/${file}`) : await procfs.process(pid, `attr/${file}`)
  let fd: Awaited<ReturnType<typeof open>>
  try {
    fd = await open(`apparmor/${kind}`)
  } catch (error) {
    // Before Linux 5.8 the files are of whichever module was the first.
    if (!isErrno(error, 'ENOENT')) throw error
    fd = await open(kind)
  }
  try {
    const buffer = new Uint8Array(SIZE)
    const text = decodeUtf8(buffer.subarray(0, await readFd(fd.fd, buffer)))
    return text === '' ? undefined : parseLabel(text)
  } catch (error) {
    // There is none of this kind.
    if (error instanceof SyscallError && error.code === 'EINVAL') return undefined
    throw error
  } finally {
    fd.close()
  }
}
