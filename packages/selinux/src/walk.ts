import { decodeUtf8, type OwnedFd, SyscallError } from '@libcontainer/sys'
import { native } from './native.js'
import { RelabelError, type RelabelProgress } from './relabel-error.js'

/** Directories that wait for their turn: their paths, each ended by NUL, and how far the first of them is done. */
interface Work {
  readonly paths: Uint8Array
  readonly offset: bigint
}

/** Calls at a time: each is a thread in the kernel. */
const THREADS = 4
/** Files to a call: some milliseconds, after which it is told how far it got, and may be ended. */
const BUDGET = 4096
/** Bytes for the paths of directories that a call finds. */
const ROOM = 65536
/** The numbers before them, as native/relabel.c has them. */
const NUMBERS = 8

const ROOT: Work = { paths: new Uint8Array(1), offset: 0n }

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
  async pass(
    signal: AbortSignal | undefined,
    onProgress: ((progress: RelabelProgress) => void) | undefined,
  ): Promise<void> {
    const { passes, changed } = this.#progress
    this.#progress = { passes: passes + 1, entries: 0, changed, unsupported: 0, gone: 0 }
    const waiting: Work[] = [ROOT]
    const running = new Set<Promise<void>>()
    try {
      while (waiting.length > 0 || running.size > 0) {
        signal?.throwIfAborted()
        while (waiting.length > 0 && running.size < THREADS) {
          const one: Promise<void> = this.#take(waiting.pop()!, waiting).finally(() => running.delete(one))
          running.add(one)
        }
        await Promise.race(running)
        onProgress?.(this.#progress)
      }
    } finally {
      await Promise.allSettled(running)
    }
  }

  /** Labels the file or directory itself. */
  async root(): Promise<void> {
    const results = new Map<string, number>()
    const args = [this.file.fd, this.label]
    const step = { op: 'relabelFile', args, about: `relabel ${this.path}`, path: this.path, into: 'changed' }
    const { passes, entries, changed, unsupported, gone } = this.#progress
    try {
      await native.apply([step], { results })
      this.#progress = {
        passes,
        entries: entries + 1,
        changed: changed + (results.get('changed') ?? 0),
        unsupported,
        gone,
      }
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code !== 'EOPNOTSUPP') throw this.#failure(error)
      this.#progress = { passes, entries: entries + 1, changed, unsupported: unsupported + 1, gone }
    }
  }

  /** Some of the work; what is left of it, and what was found, waits. */
  async #take({ paths, offset }: Work, waiting: Work[]): Promise<void> {
    const state = new Uint8Array(NUMBERS * 8 + ROOM)
    const numbers = new BigInt64Array(state.buffer, 0, NUMBERS)
    numbers[0] = BigInt(BUDGET)
    numbers[1] = offset
    const args = [this.file.fd, this.label, this.refused, paths, state]
    try {
      const step = { op: 'relabelDirectories', args, about: `relabel ${this.path}`, path: this.path }
      await native.apply([step], { fills: [state] })
    } catch (error) {
      this.#count(numbers)
      throw this.#failure(error, decodeUtf8(state.subarray(NUMBERS * 8, NUMBERS * 8 + Number(numbers[3]) - 1)))
    }
    this.#count(numbers)
    const [, next = 0n, taken, found] = numbers
    const rest = paths.subarray(Number(taken))
    if (next > 0n) {
      const end = rest.indexOf(0) + 1
      waiting.push(...parts(rest.subarray(end)), { paths: rest.subarray(0, end), offset: next })
    } else waiting.push(...parts(rest))
    waiting.push(...parts(state.subarray(NUMBERS * 8, NUMBERS * 8 + Number(found))))
  }

  #count(numbers: BigInt64Array): void {
    const [entries, changed, unsupported, gone] = Array.from(numbers.subarray(4), Number) as [
      number,
      number,
      number,
      number,
    ]
    const before = this.#progress
    this.#progress = {
      passes: before.passes,
      entries: before.entries + entries,
      changed: before.changed + changed,
      unsupported: before.unsupported + unsupported,
      gone: before.gone + gone,
    }
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
    'it takes CAP_SYS_ADMIN where no policy is loaded, CAP_FOWNER else, and a file that is not immutable: lsattr(1)',
  EACCES: 'the policy does not let this process relabel that: ausearch -m avc tells what is missing',
  EINVAL: 'the policy in force has no such context',
}

/** Paths in as many parts as there are threads. */
function parts(paths: Uint8Array): Work[] {
  const size = Math.ceil(paths.length / THREADS)
  const works: Work[] = []
  for (let at = 0; at < paths.length; ) {
    const end = paths.indexOf(0, Math.min(at + size, paths.length) - 1) + 1
    works.push({ paths: paths.slice(at, end), offset: 0n })
    at = end
  }
  return works
}
