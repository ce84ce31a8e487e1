import { checked, SyscallError } from '../errors/errors.js'
import { native } from '../native.js'
import { decodeUtf8, kernelString } from '../utf8.js'
import { OwnedFd } from './fd.js'

/** inotify(7)'s events. */
export const IN_MODIFY = 0x2
export const IN_CLOSE_WRITE = 0x8
export const IN_MOVED_FROM = 0x40
export const IN_MOVED_TO = 0x80
export const IN_CREATE = 0x100
export const IN_DELETE = 0x200
export const IN_UNMOUNT = 0x2000
/** More has happened than the kernel keeps: anything may have. */
export const IN_Q_OVERFLOW = 0x4000
/** The watch is over: what it was of is gone. */
export const IN_IGNORED = 0x8000
export const IN_ONLYDIR = 0x1000000

/** One notice of an inotify descriptor. */
export interface Notice {
  /** Of the watch; -1 for all. */
  readonly number: number
  readonly mask: number
  /** Of a child of the watched directory, else empty. */
  readonly name: string
}

/** What read(2) of an inotify descriptor gives. Pure. */
export function parseNotices(bytes: Uint8Array): Notice[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const notices: Notice[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const end = at + 16 + view.getUint32(at + 12, true)
    const name = bytes.subarray(at + 16, end)
    const zero = name.indexOf(0)
    notices.push({
      number: view.getInt32(at, true),
      mask: view.getUint32(at + 4, true),
      name: decodeUtf8(zero < 0 ? name : name.subarray(0, zero)),
    })
    at = end
  }
  return notices
}

const EAGAIN = -11
const ENOSPC = -28

/** An inotify descriptor: readable when there is something to tell. An ordinary user may have 128 of them, and watches by the ten thousand. */
export class Notices {
  readonly #fd: OwnedFd
  readonly #buffer = new Uint8Array(16384)

  /** @throws {SyscallError} `EMFILE` for more than the user may have */
  constructor() {
    this.#fd = new OwnedFd(
      checked(native.sync.openNotices(), 'inotify_init1', undefined, {
        hint: 'EMFILE: fs.inotify.max_user_instances says how many of these a user may have',
      }),
    )
  }

  get fd(): number {
    return this.#fd.fd
  }

  get closed(): boolean {
    return this.#fd.closed
  }

  /**
   * Watches a file or directory, which no link stands for. The same one again is the same watch, with these events.
   *
   * @param events - `IN_*`, or'ed
   * @returns its number
   * @throws {SyscallError} `ENOENT`, `ENOTDIR`, `ENOSPC` for more watches than the user may have
   */
  watch(path: string, events: number): number {
    const number = native.sync.watch(this.fd, kernelString(path, 'path'), events)
    return checked(number, 'inotify_add_watch', path, {
      hint: number === ENOSPC ? 'raise fs.inotify.max_user_watches' : undefined,
    })
  }

  /** Ends a watch; one that has ended is fine. */
  unwatch(number: number): void {
    native.sync.unwatch(this.fd, number)
  }

  /** All that there is to tell now. */
  read(): Notice[] {
    const all: Notice[] = []
    for (;;) {
      const got = native.sync.readNotices(this.fd, this.#buffer)
      if (got === EAGAIN) return all
      if (got < 0) throw new SyscallError(got, 'read')
      all.push(...parseNotices(this.#buffer.subarray(0, got)))
    }
  }

  close(): void {
    this.#fd.close()
  }
}
