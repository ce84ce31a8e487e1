import { checked, decodeUtf8, errnoNumber, isErrno, type OwnedFd, SyscallError } from '@libcontainer/sys'
import { type Arch, archOfAudit, X32_BIT } from './architectures.js'
import { native } from './native.js'
import { syscallName } from './syscalls.js'

/** `sizeof(struct seccomp_notif)`: linux/seccomp.h. */
export const NOTIFICATION = 80

const USER_NOTIF_FLAG_CONTINUE = 1
const ADDFD_FLAG_SETFD = 1
const ADDFD_FLAG_SEND = 2
const O_CLOEXEC = 0o2000000
const ENAMETOOLONG = 36
const PAGE = 4096

/** No further than a page at once: the next one may not be there. */
const leftOfPage = (address: bigint): number => PAGE - Number(address % BigInt(PAGE))

export interface AddFdOptions {
  /** The number that it gets, in place of whatever has it. Default: the lowest that is free. */
  at?: number | undefined
  /** Default: `false`. */
  closeOnExec?: boolean | undefined
  /** Answers the call with the descriptor's number, in one act: whoever is killed in between has no descriptor too many. Linux 5.14. Default: `false`. */
  answer?: boolean | undefined
}

/**
 * A system call that waits for an answer: once, by {@link answer}, {@link refuse}, {@link allow}, or {@link addFd} with `answer`.
 *
 * Who made it may be killed, or interrupted by a signal, at any time: then an answer is `ENOENT`. Its `pid` may be another's by then: what was read
 * of it (`/proc/PID/mem`, a descriptor) counts only if {@link isValid} says `true` afterwards.
 *
 * @see seccomp_unotify(2)
 */
export class Notification {
  /** The kernel's name for this one call. */
  readonly id: bigint
  /** The thread that made it, in the pid namespace of whoever received this; 0 for one that is not seen from there. */
  readonly pid: number
  /** Undefined for an architecture that this package does not know. */
  readonly arch: Arch | undefined
  /** The number of the call, as the filter saw it. */
  readonly nr: number
  /** The name of the call, where it is known. */
  readonly syscall: string | undefined
  /** All six, unsigned; pointers are addresses in the memory of the caller. */
  readonly args: readonly bigint[]
  readonly instructionPointer: bigint
  readonly #listener: OwnedFd

  /** @internal */
  constructor(listener: OwnedFd, bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const order = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
    this.#listener = listener
    this.id = view.getBigUint64(0, order)
    this.pid = view.getUint32(8, order)
    this.nr = view.getUint32(16, order)
    this.arch = archOf(view.getUint32(20, order), this.nr)
    this.instructionPointer = view.getBigUint64(24, order)
    this.args = Array.from({ length: 6 }, (_, i) => view.getBigUint64(32 + i * 8, order))
    this.syscall = this.arch === undefined ? undefined : syscallName(this.arch, this.nr)
  }

  /** Whether the call still waits: ask after whatever was found out by `pid`. */
  isValid(): boolean {
    return native.sync.notificationValid(this.#listener.fd, this.id) === 0
  }

  /**
   * What the caller has in its memory, behind an argument that is an address.
   *
   * It may write something else there at any time: act on what was read, as the answer to the call, and never {@link allow} the call for it.
   *
   * @throws {SyscallError} `ENOENT` when the call does not wait any more, so that the memory may have been another's; `EFAULT` for what is no
   *   memory of the caller's, `EPERM` without the right to trace it
   */
  async readMemory(address: bigint, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const part = bytes.subarray(at, Math.min(size, at + leftOfPage(address + BigInt(at))))
      at += checked(await native.async.readProcessMemory(this.pid, address + BigInt(at), part), 'process_vm_readv')
    }
    this.#confirm()
    return bytes
  }

  /**
   * The same of a string, up to its NUL: a path, for one.
   *
   * @param most - bytes; a longer one is `ENAMETOOLONG`, as the kernel says. Default: 4096
   */
  async readString(address: bigint, most = 4096): Promise<string> {
    const parts: number[] = []
    while (parts.length < most) {
      const from = address + BigInt(parts.length)
      const part = new Uint8Array(Math.min(most - parts.length, leftOfPage(from)))
      const got = checked(await native.async.readProcessMemory(this.pid, from, part), 'process_vm_readv')
      const end = part.subarray(0, got).indexOf(0)
      parts.push(...part.subarray(0, end < 0 ? got : end))
      if (end < 0) continue
      this.#confirm()
      return decodeUtf8(new Uint8Array(parts))
    }
    throw new SyscallError(-ENAMETOOLONG, 'process_vm_readv')
  }

  /** The call still waits: what was read by its pid was its caller's. */
  #confirm(): void {
    checked(native.sync.notificationValid(this.#listener.fd, this.id), 'ioctl(SECCOMP_IOCTL_NOTIF_ID_VALID)')
  }

  /** The call does not happen; its caller sees this result. */
  answer(value: number | bigint = 0): void {
    this.#send(value, 0, 0)
  }

  /** The call does not happen; its caller sees this errno, by number or name. */
  refuse(errno: number | string): void {
    const number = typeof errno === 'string' ? errnoNumber(errno) : errno
    if (number === undefined || !Number.isInteger(number) || number < 1 || number > 4095)
      throw new TypeError(`no errno: ${errno}`)
    this.#send(0, -number, 0)
  }

  /**
   * The call goes on as if nothing had asked.
   *
   * Not for security: what its arguments point to may be another thing by the time that the kernel looks. Linux 5.5.
   */
  allow(): void {
    this.#send(0, 0, USER_NOTIF_FLAG_CONTINUE)
  }

  /**
   * Gives the caller a descriptor, which stays this process's, too.
   *
   * @returns its number there
   * @throws {SyscallError} `ENOENT` when the call does not wait any more, `EMFILE` for a caller with too many, `EINVAL` before Linux 5.9
   */
  async addFd(fd: OwnedFd | number, { at, closeOnExec = false, answer = false }: AddFdOptions = {}): Promise<number> {
    const flags = (at === undefined ? 0 : ADDFD_FLAG_SETFD) | (answer ? ADDFD_FLAG_SEND : 0)
    const own = typeof fd === 'number' ? fd : fd.fd
    // It waits for the caller, which may be frozen.
    const number = await native.async.addNotificationFd(
      this.#listener.fd,
      this.id,
      flags,
      own,
      at ?? 0,
      closeOnExec ? O_CLOEXEC : 0,
    )
    return checked(number, 'ioctl(SECCOMP_IOCTL_NOTIF_ADDFD)')
  }

  #send(value: number | bigint, error: number, flags: number): void {
    const result = native.sync.sendNotification(this.#listener.fd, this.id, value, error, flags)
    checked(result, 'ioctl(SECCOMP_IOCTL_NOTIF_SEND)')
  }
}

/** x32 is x86_64 to the kernel, but for a bit of the number. */
function archOf(audit: number, nr: number): Arch | undefined {
  const arch = archOfAudit(audit)
  return arch === 'x86_64' && nr >= X32_BIT && nr !== 0xffffffff ? 'x32' : arch
}

/** Whether an answer came too late: the caller is gone, or was interrupted. */
export function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT')
}
