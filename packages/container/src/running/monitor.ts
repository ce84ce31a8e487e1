import { Cgroup } from '@libcontainer/cgroups'
import {
  ConfigInvalid,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_IGNORED,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
  isErrno,
  LibcontainerError,
  listDirectory,
  type Notice,
  Notices,
  onAbort,
  POLLIN,
  poll,
  type Waiting,
} from '@libcontainer/sys'
import { checkId } from '../config/id.js'
import type { Container } from '../container.js'
import { ContainerError } from '../errors.js'
import type { Status } from '../state/status.js'

/** A container does something else than before. */
export interface StatusChange {
  readonly id: string
  readonly status: Status | 'removed'
  /** Of its first process, as this host sees it; 0 when that has ended. */
  readonly pid: number
}

export interface MonitorOptions extends Waiting {
  /** Of these containers alone, whether they are there yet or not. Default: of all */
  readonly ids?: readonly string[] | undefined
  /** Tells first what each of them does now. Default: false */
  readonly initial?: boolean | undefined
}

/** Where containers are found. */
interface Place {
  readonly root: string
  load(id: string): Promise<Container>
}

const CHILDREN = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM
/** Whoever acts on a container closes its lock, which was open for writing, when that is done; and by whatever way it ends. */
const INSIDE = CHILDREN | IN_CLOSE_WRITE

/**
 * What the containers of a place do, whoever sees to it: told by the kernel, which watches their directories, cgroups and first processes. What is
 * over before one can look is not told.
 */
export async function monitor(
  place: Place,
  options: MonitorOptions,
  warn: ((message: string) => void) | undefined,
): Promise<AsyncIterableIterator<StatusChange>> {
  for (const id of options.ids ?? []) checkId(id)
  options.signal?.throwIfAborted()
  const all = new All(place, options, warn)
  try {
    await all.begin()
    return all.told()
  } catch (error) {
    all.end()
    throw error
  }
}

/** All containers of a state root, on one inotify descriptor. */
class All {
  readonly place: Place
  readonly over = new AbortController()
  readonly #ids: readonly string[] | undefined
  readonly #initial: boolean
  readonly #signal: AbortSignal | undefined
  readonly #warn: ((message: string) => void) | undefined
  readonly #notices = new Notices()
  readonly #byId = new Map<string, One>()
  readonly #byNumber = new Map<number, One>()
  #root = -1
  #waiting: StatusChange[] = []
  #wake = (): void => undefined
  #failure: { readonly error: unknown } | undefined

  constructor(place: Place, { ids, initial = false, signal }: MonitorOptions, warn: All['warn'] | undefined) {
    this.place = place
    this.#ids = ids
    this.#initial = initial
    this.#signal = signal
    this.#warn = warn
  }

  async begin(): Promise<void> {
    this.#root = this.#notices.watch(this.place.root, CHILDREN | IN_ONLYDIR)
    for (const id of await this.#present()) this.#add(id)
    await Promise.all([...this.#byId.values()].map(one => one.look({ silent: !this.#initial })))
    if (this.#initial)
      for (const id of this.#ids ?? [])
        if (this.#byId.get(id)?.known === undefined) this.tell({ id, status: 'removed', pid: 0 })
    this.#listen().catch((error: unknown) => this.fail(error))
  }

  /** What is told, until its reader has enough, or the state root is gone. */
  async *told(): AsyncGenerator<StatusChange, void, undefined> {
    const deaf = onAbort(this.#signal, () => this.end())
    try {
      for (;;) {
        this.#signal?.throwIfAborted()
        const next = this.#waiting.shift()
        if (next !== undefined) yield next
        else if (this.#failure !== undefined) throw this.#failure.error
        else if (this.over.signal.aborted) return
        else
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
      }
    } finally {
      deaf()
      this.end()
    }
  }

  tell(change: StatusChange): void {
    this.#waiting.push(change)
    this.#wake()
  }

  readonly warn = (message: string): void => this.#warn?.(message)

  fail(error: unknown): void {
    if (this.over.signal.aborted) return
    this.#failure = { error }
    this.end()
  }

  end(): void {
    if (this.over.signal.aborted) return
    this.over.abort()
    this.#notices.close()
    this.#wake()
  }

  async #present(): Promise<string[]> {
    return (await listDirectory(this.place.root)).filter(({ type }) => type === 'directory').map(({ name }) => name)
  }

  async #listen(): Promise<void> {
    const { signal } = this.over
    while (!signal.aborted) {
      await poll(this.#notices.fd, POLLIN, { signal })
      for (const notice of this.#notices.read()) {
        await this.#take(notice)
        if (signal.aborted) return
      }
    }
  }

  async #take({ number, mask, name }: Notice): Promise<void> {
    if ((mask & IN_Q_OVERFLOW) !== 0) {
      const present = new Set(await this.#present())
      for (const [id, one] of this.#byId) if (!present.has(id)) this.#remove(id, one)
      for (const id of present) this.#add(id)
      for (const one of this.#byId.values()) void one.look()
    } else if (number !== this.#root) {
      // The kernel has forgotten the watch: its number may soon be another's.
      if ((mask & IN_IGNORED) !== 0) this.#byNumber.delete(number)
      else void this.#byNumber.get(number)?.look()
    } else if ((mask & IN_IGNORED) !== 0) {
      this.end()
    } else if ((mask & (IN_DELETE | IN_MOVED_FROM)) !== 0) {
      const one = this.#byId.get(name)
      if (one !== undefined) this.#remove(name, one)
    } else {
      void this.#add(name)?.look()
    }
  }

  #add(id: string): One | undefined {
    if (this.#byId.has(id) || !(this.#ids?.includes(id) ?? isId(id))) return undefined
    try {
      const number = this.#notices.watch(`${this.place.root}/${id}`, INSIDE | IN_ONLYDIR)
      const one = new One(id, this)
      this.#byId.set(id, one)
      this.#byNumber.set(number, one)
      return one
    } catch (error) {
      // No container, or one that is gone already.
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }

  #remove(id: string, one: One): void {
    this.#byId.delete(id)
    one.removed()
  }
}

function isId(name: string): boolean {
  try {
    checkId(name)
    return true
  } catch {
    return false
  }
}

/** One container: its directory, its first process and its cgroup. */
class One {
  readonly #id: string
  readonly #all: All
  readonly #deaf: () => void
  /** What was told of it last. */
  known: StatusChange['status'] | undefined
  #container: Container | undefined
  /** Which first process is looked after, and what ends that. */
  #first: string | undefined
  #following = new AbortController()
  #looking: Promise<void> | undefined
  #again = false
  #gone = false

  constructor(id: string, all: All) {
    this.#id = id
    this.#all = all
    this.#deaf = onAbort(all.over.signal, () => this.#following.abort())
  }

  /** Looks what it does now, and tells what is new. Whoever asks meanwhile has it looked at once more. */
  async look({ silent = false }: { silent?: boolean } = {}): Promise<void> {
    this.#again = true
    this.#looking ??= this.#lookUntilDone(silent).finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  removed(): void {
    this.#gone = true
    this.#deaf()
    this.#following.abort()
    if (this.known !== undefined) this.#tell('removed', 0)
  }

  async #lookUntilDone(silent: boolean): Promise<void> {
    while (this.#again && !this.#isOver) {
      this.#again = false
      try {
        this.#container ??= await this.#all.place.load(this.#id)
        const container = this.#container
        const { init_process_pid: pid, init_process_start: start, cgroup_paths } = await container.state()
        if (this.#first !== `${pid} ${start}`) {
          this.#first = `${pid} ${start}`
          await this.#follow(container, cgroup_paths)
        }
        const status = await container.status()
        if (!this.#isOver) this.#tell(status, status === 'stopped' ? 0 : pid, silent)
      } catch (error) {
        if (this.#isOver) return
        if (!(error instanceof LibcontainerError)) this.#all.fail(error)
        else if (error.code !== 'ContainerNotExists') this.#all.warn(error.message)
        // Its start has failed, or it is about to be removed, of which its directory tells.
        else if (this.known !== undefined) this.#tell('stopped', 0)
      }
    }
  }

  get #isOver(): boolean {
    return this.#gone || this.#all.over.signal.aborted
  }

  #tell(status: StatusChange['status'], pid: number, silent = false): void {
    if (status === this.known) return
    this.known = status
    if (!silent) this.#all.tell({ id: this.#id, status, pid })
  }

  /** Looks again when the first process has ended, and when the cgroup is frozen or thawed. */
  async #follow(container: Container, paths: Readonly<Record<string, string>>): Promise<void> {
    this.#following.abort()
    this.#following = new AbortController()
    const { signal } = this.#following
    const look = (): Promise<void> => this.look()
    container.ended({ signal }).then(look, () => {})
    if (Object.keys(paths).length === 0) return
    try {
      const events = (await Cgroup.at(paths)).events({ types: ['frozen'], signal })
      const hear = async (): Promise<void> => {
        for await (const _ of events) void look()
      }
      hear().catch(() => {})
    } catch (error) {
      // Where no cgroup tells, whoever stops it by this library does: that takes the lock.
      if (!(error instanceof LibcontainerError)) throw error
    }
  }
}

const WORDS: Readonly<Record<StatusChange['status'], true>> = {
  creating: true,
  created: true,
  running: true,
  paused: true,
  stopped: true,
  removed: true,
}

/** Waits until a container is in one of these states. @throws {ContainerError} `SystemError` when the state root itself is removed */
export async function waitFor(
  place: Place,
  id: string,
  status: StatusChange['status'] | readonly StatusChange['status'][],
  { signal }: Waiting,
  warn: ((message: string) => void) | undefined,
): Promise<StatusChange> {
  const wanted = typeof status === 'string' ? [status] : status
  if (wanted.length === 0 || !wanted.every(word => Object.hasOwn(WORDS, word)))
    throw new ConfigInvalid('status', status, `must be of ${Object.keys(WORDS).join(', ')}`)
  for await (const change of await monitor(place, { ids: [id], initial: true, signal }, warn))
    if (wanted.includes(change.status)) return change
  throw new ContainerError('SystemError', `cannot wait for '${id}': the state root ${place.root} was removed`)
}
