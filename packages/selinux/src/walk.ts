import { decodeUtf8, isErrno, type OwnedFd, SyscallError, type Waiting } from '@libcontainer/sys'
import { native } from './native.js'
import { RelabelError, type RelabelProgress } from './relabel-error.js'
import { LABEL_SIZE, labelText } from './thread-label.js'

/** Directories that wait for their turn: their paths, each ended by NUL, and how far the first of them is done. */
interface Work {
  readonly paths: Uint8Array
  readonly offset: bigint
  readonly fresh: bigint
  /** One of several shares of a large directory. */
  readonly lane: number
  readonly lanes: number
}

/** What a pass does with files that are there. */
export interface PassOptions extends Waiting {
  /** Leaves alone what has the label. */
  readonly compare: boolean
  /** And files of directories that did not change since, in ms of the epoch. */
  readonly since?: number | undefined
  readonly onProgress?: ((progress: RelabelProgress) => void) | undefined
}

/** Calls at a time: each is a thread in the kernel. */
const THREADS = 4
/** Files to a call: some milliseconds, after which it is told how far it got, and may be ended. */
const BUDGET = 4096n
/** Bytes for the paths of directories that a call finds. */
const ROOM = 65536
/** The numbers before them, as native/relabel.c has them. */
const NUMBERS = 13

const some = (paths: Uint8Array): Work => ({ paths, offset: 0n, fresh: 0n, lane: 0, lanes: 1 })
const ROOT = some(new Uint8Array(1))

/** Passes over a tree. */
export class Walk {
  #progress: RelabelProgress = { passes: 0, entries: 0, changed: 0, unsupported: 0, gone: 0 }

  constructor(
    readonly file: OwnedFd,
    readonly path: string,
    readonly label: Uint8Array,
    readonly refused: Uint8Array,
  ) {}

  get progress(): RelabelProgress {
    return this.#progress
  }

  /** Labels all that is in the directory. Nothing is under way any more when it has failed. */
  async pass(options: PassOptions): Promise<void> {
    this.#count({ passes: 1 })
    const waiting: Work[] = [ROOT]
    const running = new Set<Promise<void>>()
    try {
      while (waiting.length > 0 || running.size > 0) {
        options.signal?.throwIfAborted()
        while (waiting.length > 0 && running.size < THREADS) {
          const one: Promise<void> = this.#take(waiting.pop()!, waiting, options).finally(() => running.delete(one))
          running.add(one)
        }
        await Promise.race(running)
        options.onProgress?.(this.#progress)
      }
    } finally {
      await Promise.allSettled(running)
    }
  }

  /** Whether the file or directory itself has the label. */
  async hasLabel(): Promise<boolean> {
    const buffer = new Uint8Array(LABEL_SIZE)
    const size = await native.async.fileLabel(this.file.fd, buffer)
    return size > 0 && labelText(buffer.subarray(0, size)) === labelText(this.label)
  }

  /** Labels the file or directory itself. @param first - counts it */
  async root(first: boolean): Promise<void> {
    const results = new Map<string, number>()
    const args = [this.file.fd, this.label]
    const step = { op: 'relabelFile', args, about: `relabel ${this.path}`, into: 'changed' }
    try {
      await native.apply([step], { results })
      this.#count({ entries: first ? 1 : 0, changed: results.get('changed') ?? 0 })
    } catch (error) {
      if (!isErrno(error, 'EOPNOTSUPP')) throw this.#failure(error)
      this.#count({ entries: first ? 1 : 0, unsupported: first ? 1 : 0 })
    }
  }

  /** Some of the work; what is left of it, and what was found, waits. */
  async #take(work: Work, waiting: Work[], { compare, since = 0 }: PassOptions): Promise<void> {
    const { paths, lane, lanes } = work
    const state = new Uint8Array(NUMBERS * 8 + ROOM)
    const numbers = new BigInt64Array(state.buffer, 0, NUMBERS)
    numbers.set([
      BigInt(since) * 1_000_000n,
      compare ? 1n : 0n,
      BigInt(lane),
      BigInt(lanes),
      BUDGET,
      work.offset,
      work.fresh,
    ])
    const args = [this.file.fd, this.label, this.refused, paths, state]
    let failure: unknown
    try {
      await native.apply([{ op: 'relabelDirectories', args, about: `relabel ${this.path}` }], { fills: [state] })
    } catch (error) {
      failure = error
    }
    const [offset = 0n, fresh = 0n] = numbers.subarray(5)
    const [taken = 0, found = 0, entries = 0, changed = 0, unsupported = 0, gone = 0] = Array.from(
      numbers.subarray(7),
      Number,
    )
    const names = state.subarray(NUMBERS * 8, NUMBERS * 8 + found)
    this.#count({ entries, changed, unsupported, gone })
    if (failure !== undefined) throw this.#failure(failure, decodeUtf8(names.subarray(0, -1)))
    const rest = paths.subarray(taken)
    if (offset === 0n) waiting.push(...parts(rest))
    else {
      const end = rest.indexOf(0) + 1
      const first = { paths: rest.slice(0, end), offset, fresh }
      waiting.push(...parts(rest.subarray(end)))
      // A large one is shared by all threads.
      const shares = lanes > 1 ? [lane] : Array.from({ length: THREADS }, (_, i) => i)
      waiting.push(...shares.map(lane => ({ ...first, lane, lanes: THREADS })))
    }
    waiting.push(...parts(names))
  }

  #count(more: Partial<RelabelProgress>): void {
    const progress: Record<keyof RelabelProgress, number> = { ...this.#progress }
    for (const [name, count] of Object.entries(more)) progress[name as keyof RelabelProgress] += count
    this.#progress = progress
  }

  /** @param name - the path beneath the root of what it is about */
  #failure(error: unknown, name = ''): unknown {
    if (!(error instanceof SyscallError)) return error
    const path = name === '' ? this.path : `${this.path.replace(/\/$/, '')}/${name}`
    const hint = HINTS[error.code]
    return new RelabelError(error.errno, error.syscall, this.#progress, { path, hint, cause: error })
  }
}

const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'the file system is mounted read-only: relabel it where it can be written to, or mount it with context=',
  EPERM:
    'no directory of the system may be mounted in it, no file be immutable (lsattr tells), and without a policy it takes CAP_SYS_ADMIN',
  EACCES: 'the policy does not let this process relabel that: ausearch -m avc tells what is missing',
  EINVAL: 'the policy in force has no such context',
}

/** Paths in as many parts as there are threads. */
function parts(paths: Uint8Array): Work[] {
  const size = Math.ceil(paths.length / THREADS)
  const works: Work[] = []
  for (let at = 0; at < paths.length; ) {
    const end = paths.indexOf(0, Math.min(at + size, paths.length) - 1) + 1
    works.push(some(paths.slice(at, end)))
    at = end
  }
  return works
}
