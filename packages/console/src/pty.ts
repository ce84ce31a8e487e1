import { ConfigInvalid, checked, OwnedFd, POLLIN, POLLOUT, poll, SyscallError, type Waiting } from '@libcontainer/sys'
import { native } from './native.js'
import { isTerminal } from './termios.js'
import { checkWindowSize, getWindowSize, setWindowSize, type WindowSize } from './window-size.js'

const EAGAIN = -11
const EIO = -5
const ENXIO = -6

/**
 * Reads from a master: 0 at the end of the stream, which comes when every slave is closed and all that was written there has been read.
 */
export async function readMaster(master: OwnedFd, buffer: Uint8Array, waiting: Waiting = {}): Promise<number> {
  for (;;) {
    const got = readNow(master, buffer)
    if (got !== undefined) return got
    await poll(master.fd, POLLIN, waiting)
  }
}

/** What is there now, or `undefined`; for a master that never waits. */
export function readNow(master: OwnedFd, buffer: Uint8Array): number | undefined {
  const got = native.sync.readTerminal(master.fd, buffer)
  if (got === EAGAIN) return undefined
  return got === EIO ? 0 : checked(got, 'read')
}

/** Writes all bytes to a master, waiting while the program does not read; answers whether there still was a slave to write to. */
export async function writeMaster(master: OwnedFd, bytes: Uint8Array, waiting: Waiting = {}): Promise<boolean> {
  for (let done = 0; done < bytes.length; ) {
    const put = native.sync.writeTerminal(master.fd, bytes.subarray(done))
    if (put === EAGAIN) await poll(master.fd, POLLOUT, waiting)
    else if (put === EIO) return false
    else done += checked(put, 'write')
  }
  return true
}

/** The path of a master's slave in the devpts that it was opened in: `/dev/pts/7`. */
export function slavePath(master: OwnedFd): string {
  return `/dev/pts/${checked(native.sync.ptyNumber(master.fd), 'ioctl(TIOCGPTN)')}`
}

/** A new pty of the host. */
export class Console {
  /** The slave's file, such as `/dev/pts/7`. */
  readonly path: string
  readonly master: OwnedFd
  /**
   * The slave, for the program's standard streams. Close it once the program has it: while anybody holds one, the master sees no end.
   */
  readonly slave: OwnedFd

  constructor(path: string, master: OwnedFd, slave: OwnedFd) {
    this.path = path
    this.master = master
    this.slave = slave
  }

  /** The master's number. */
  get fd(): number {
    return this.master.fd
  }

  /** What the program wrote; 0 at the end. */
  async read(buffer: Uint8Array, waiting: Waiting = {}): Promise<number> {
    return await readMaster(this.master, buffer, waiting)
  }

  /** What the program reads, as if typed. @throws {SyscallError} `EIO` when no slave is open */
  async write(bytes: Uint8Array, waiting: Waiting = {}): Promise<void> {
    if (!(await writeMaster(this.master, bytes, waiting))) throw new SyscallError(EIO, 'write', { path: this.path })
  }

  get size(): Required<WindowSize> {
    return getWindowSize(this.fd)
  }

  resize(size: WindowSize): void {
    setWindowSize(this.fd, size)
  }

  close(): void {
    this.slave.close()
    this.master.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

export interface NewConsoleOptions {
  /** Default: 0 rows and columns, which programs take for "unknown". */
  size?: WindowSize | undefined
}

/**
 * Makes a pty in the host's /dev/pts whose slave belongs to a user, with mode 0600: pty(7).
 *
 * @throws {SyscallError} `ENOSPC` when there are as many as the kernel allows (kernel.pty.max)
 */
export async function newConsole(uid: number, gid: number, { size }: NewConsoleOptions = {}): Promise<Console> {
  checkId(uid, 'uid')
  checkId(gid, 'gid')
  if (size !== undefined) checkWindowSize(size, 'size')
  const master = new OwnedFd(checked(await native.async.openPty(), 'open', '/dev/ptmx'))
  try {
    checked(native.sync.neverWait(master.fd), 'fcntl(F_SETFL)')
    const path = slavePath(master)
    const slave = new OwnedFd(checked(native.sync.openConsolePeer(master.fd), 'ioctl(TIOCGPTPEER)', path))
    const made = new Console(path, master, slave)
    try {
      checked(native.sync.secureTerminal(slave.fd, 0o600, uid, gid), 'fchown', path)
      if (size !== undefined) made.resize(size)
    } catch (error) {
      slave.close()
      throw error
    }
    return made
  } catch (error) {
    master.close()
    throw error
  }
}

function checkId(id: number, field: string): void {
  if (!Number.isInteger(id) || id < 0 || id > 0xfffffffe)
    throw new ConfigInvalid(field, id, 'must be an id, from 0 to 4294967294')
}

/** A terminal of this process, by number; `close` closes only what was opened for it. */
export interface HostTerminal {
  readonly fd: number
  close(): void
}

/** The terminal that the user sits at: the first of standard error, output and input that is one, else /dev/tty; `undefined` without. */
export async function findTerminal(): Promise<HostTerminal | undefined> {
  for (const fd of [2, 1, 0]) if (isTerminal(fd)) return { fd, close: () => undefined }
  const fd = await native.async.openTerminal('/dev/tty')
  if (fd === ENXIO || fd === -2) return undefined
  const owned = new OwnedFd(checked(fd, 'open', '/dev/tty'))
  return { fd: owned.fd, close: () => owned.close() }
}
