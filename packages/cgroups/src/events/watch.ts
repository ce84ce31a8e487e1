import {
  checked,
  IN_DELETE,
  IN_IGNORED,
  IN_MODIFY,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  type Notice,
  Notices,
  nulTerminated,
  POLLIN,
  poll,
} from '@libcontainer/sys'
import { isGone } from '../errnos.js'
import type { Place } from '../host/place.js'
import { native } from '../native.js'

/** Something else is mounted where its hierarchy was. */
const EXDEV = -18

export interface Listener {
  /** Somebody, mostly the kernel, has changed one of the files. */
  changed(): void
  /** The cgroup was removed. Nothing more is told. */
  gone(): void
  failed(error: unknown): void
}

interface Watch {
  readonly place: Place
  readonly files: readonly string[]
  readonly listener: Listener
  /** The kernel's numbers for the parent and the files. */
  readonly numbers: readonly number[]
  /** What notices of it say: see {@link keyOf}. */
  readonly keys: readonly string[]
}

/** How a notice is found again: the parent's have the child's name, those of files none. */
const keyOf = (number: number, name: string): string => `${number}/${name}`

function watchOf(place: Place, files: readonly string[], listener: Listener, numbers: readonly number[]): Watch {
  const [parent, ...own] = numbers
  const name = place.path.slice(place.path.lastIndexOf('/') + 1)
  return { place, files, listener, numbers, keys: [keyOf(parent!, name), ...own.map(number => keyOf(number, ''))] }
}

/**
 * All that this program watches by files, on one inotify descriptor: an ordinary user may have 128 of these, and watches by the ten thousand.
 * It is open while there is something to watch.
 */
class Watcher {
  readonly #notices = new Notices()
  readonly #watches = new Set<Watch>()
  readonly #byKey = new Map<string, Set<Watch>>()
  /** How many watches need one of the kernel's. */
  readonly #uses = new Map<number, number>()
  readonly #over = new AbortController()
  #adding = false

  constructor() {
    void this.#listen()
  }

  add(place: Place, files: readonly string[], listener: Listener): () => void {
    this.#adding = true
    try {
      // What was there before is told to those who listened before: of a cgroup that was removed and made again, say.
      this.#read()
      const numbers = this.#ask(place, files)
      if (typeof numbers === 'number')
        checked(numbers, 'inotify_add_watch', `${place.directory}/${files[0]}`, {
          hint: numbers === -28 ? 'raise fs.inotify.max_user_watches' : undefined,
        })
      const watch = watchOf(place, files, listener, numbers as readonly number[])
      this.#watches.add(watch)
      for (const number of watch.numbers) this.#uses.set(number, (this.#uses.get(number) ?? 0) + 1)
      for (const key of watch.keys) {
        const others = this.#byKey.get(key)
        if (others === undefined) this.#byKey.set(key, new Set([watch]))
        else others.add(watch)
      }
      return () => this.#drop(watch)
    } finally {
      this.#adding = false
      this.#closeIfIdle()
    }
  }

  /** The kernel's numbers for the parent and the files, which are the same for the same files; or its errno. */
  #ask({ hierarchy, path }: Place, files: readonly string[]): readonly number[] | number {
    const numbers = new Int32Array(files.length + 1)
    const bytes = new Uint8Array(numbers.buffer)
    const result = native.sync.watchCgroup(
      this.#notices.fd,
      hierarchy.mountpoint,
      path,
      nulTerminated([...files]),
      bytes,
    )
    if (result < 0) for (const number of numbers) this.#release(number)
    return result < 0 ? result : [...numbers]
  }

  /** Ends the watches that nobody needs. */
  #release(number: number): void {
    if (number > 0 && !this.#uses.has(number)) this.#notices.unwatch(number)
  }

  #drop(watch: Watch): void {
    if (!this.#watches.delete(watch)) return
    for (const key of watch.keys) {
      const others = this.#byKey.get(key)
      others?.delete(watch)
      if (others?.size === 0) this.#byKey.delete(key)
    }
    for (const number of watch.numbers) {
      const left = this.#uses.get(number)! - 1
      if (left > 0) this.#uses.set(number, left)
      else this.#uses.delete(number)
      this.#release(number)
    }
    this.#closeIfIdle()
  }

  #closeIfIdle(): void {
    if (this.#watches.size > 0 || this.#adding || this.#notices.closed) return
    if (shared === this) shared = undefined
    this.#over.abort()
    this.#notices.close()
  }

  async #listen(): Promise<void> {
    const { signal } = this.#over
    try {
      while (!signal.aborted) {
        await poll(this.#notices.fd, POLLIN, { signal, weak: true })
        this.#read()
      }
    } catch (error) {
      if (signal.aborted) return
      for (const watch of [...this.#watches]) {
        this.#drop(watch)
        watch.listener.failed(error)
      }
    }
  }

  /** Takes all notices that are there, and tells of them. */
  #read(): void {
    const changed = new Set<Watch>()
    const doubtful = new Set<Watch>()
    for (const notice of this.#notices.read()) this.#sort(notice, changed, doubtful)
    for (const watch of doubtful) {
      if (!this.#watches.has(watch) || !this.#isGone(watch)) continue
      this.#drop(watch)
      watch.listener.gone()
    }
    for (const watch of changed) if (this.#watches.has(watch)) watch.listener.changed()
  }

  #sort({ number, mask, name }: Notice, changed: Set<Watch>, doubtful: Set<Watch>): void {
    const all = (mask & IN_Q_OVERFLOW) !== 0
    for (const watch of (all ? this.#watches : this.#byKey.get(keyOf(number, name))) ?? []) {
      if (all || (mask & IN_MODIFY) !== 0) changed.add(watch)
      if (all || (mask & (IN_DELETE | IN_UNMOUNT | IN_IGNORED)) !== 0) doubtful.add(watch)
    }
  }

  /** The cgroup is gone when its files are, or are others': of one that was made anew by the same name. */
  #isGone(watch: Watch): boolean {
    const now = this.#ask(watch.place, watch.files)
    if (typeof now === 'number') return isGone(now) || now === EXDEV
    const same = now.every((number, i) => number === watch.numbers[i])
    if (!same) for (const number of now) this.#release(number)
    return !same
  }
}

let shared: Watcher | undefined

/**
 * Watches files of a cgroup from the call on, without a descriptor of its own.
 *
 * @returns how to stop it
 * @throws {SyscallError} `ENOENT` when the cgroup is gone, `ENOSPC` for more watches than the user may have
 */
export function watchFiles(place: Place, files: readonly string[], listener: Listener): () => void {
  shared ??= new Watcher()
  return shared.add(place, files, listener)
}
