import {
  type EncodedPlan,
  type ExitStatus,
  encodePlan,
  isErrno,
  LibcontainerError,
  memoryFile,
  type OwnedFd,
  POLLIN,
  poll,
  receiveMessage,
  type Step,
  sendMessage,
  signalPidfd,
  socketPair,
  spawn,
  stepError,
  waitExit,
} from '@libcontainer/sys'
import { initProgram } from './program.js'
import { type Answer, encodeAnswer, parseRecord } from './records.js'

/** What init asks for, as its `ask` step named it. */
export interface Request {
  /** The process that will run the program, as this process sees it. */
  readonly pid: number
  readonly pidfd: OwnedFd
  /** Descriptors that came with the request, the answerer's to close; `undefined` for a file that is not there. */
  readonly fds: readonly (OwnedFd | undefined)[]
}

/** Who answers each `ask` of the plan, by its name. A rejection ends the bootstrap, with that error. */
export type Rendezvous = Readonly<
  Record<string, (request: Request) => Answer | undefined | Promise<Answer | undefined>>
>

export interface BootstrapOptions {
  /** What init applies, in order; the last executes a program. */
  readonly steps: readonly Step[]
  /** Slots that answers fill. */
  readonly slots?: readonly string[]
  readonly rendezvous?: Rendezvous
  /** Called as soon as the first process is there, beside its set-up: what it starts is waited for by an `ask`. */
  readonly onSpawn?: (child: { readonly pid: number; readonly pidfd: OwnedFd }) => void
  /** `CLONE_NEW…`, or'ed: the namespaces that init is born in. Default: none. */
  readonly cloneFlags?: number
  /** The cgroup2 directory that it is born in. */
  readonly cgroup?: OwnedFd | undefined
  /** Needed with a new user namespace: see `spawn` of sys. */
  readonly keepCapabilities?: boolean
  /** Descriptors that become 0, 1 and 2. They stay the caller's. */
  readonly stdio: readonly [number, number, number]
  /** Descriptors that become 3, 4, … of the program. They stay the caller's. */
  readonly extraFds?: readonly number[]
  /** Descriptors for steps alone, which name them as slots: closed before the program runs. They stay the caller's. */
  readonly handed?: Readonly<Record<string, number>>
  /** Ends the bootstrap and kills what it has made. */
  readonly signal?: AbortSignal | undefined
  /** Makes one step fail on purpose; tests only. */
  readonly failAt?: number | undefined
  /** Reports when each step ended. */
  readonly timed?: boolean | undefined
}

/** How long a step took. */
export interface Timing {
  readonly about: string
  /** CLOCK_MONOTONIC, in nanoseconds. */
  readonly startNs: number
  readonly endNs: number
}

export interface Bootstrapped {
  readonly pid: number
  readonly pidfd: OwnedFd
  /** `executed`: the program runs. `created`: init waits for {@link release}. */
  readonly outcome: 'executed' | 'created'
  /** Of each step, when they were asked for. */
  readonly timings: readonly Timing[]
}

/** Init ended without a word: killed, most likely. */
export class InitDied extends LibcontainerError {
  override readonly name = 'InitDied'
  readonly status: ExitStatus

  constructor(status: ExitStatus) {
    const how = status.signal === undefined ? `exit code ${status.code}` : `signal ${status.signal}`
    super('InitDied', `init ended during set-up (${how})`, {
      hint: status.signal === 9 ? 'SIGKILL: out of memory in its cgroup, or killed by somebody' : undefined,
    })
    this.status = status
  }
}

/**
 * Clones a process into new namespaces and has `init` apply a plan there.
 *
 * Resolves when the program runs, or when init waits in the `created` state. If anything fails, the process is killed and reaped
 * before the promise rejects.
 *
 * @throws {SyscallError} with `step`, for the step that the kernel refused; {@link InitDied}; what a rendezvous threw
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  const { stdio, extraFds = [], handed = {}, signal } = options
  signal?.throwIfAborted()
  const own = 3 + extraFds.length
  const names = Object.keys(handed)
  const plan = encodePlan(options.steps, {
    slots: options.slots,
    values: Object.fromEntries(names.map((name, i) => [name, own + 2 + i])),
    failAt: options.failAt,
    timed: options.timed,
  })

  const [control, theirs] = socketPair()
  const { program, done } = initProgram()
  const file = memoryFile('plan', plan.bytes)
  let child: { pid: number; pidfd: OwnedFd } | undefined
  try {
    child = await spawn({
      program,
      flags: options.cloneFlags ?? 0,
      cgroup: options.cgroup,
      keepCapabilities: options.keepCapabilities ?? false,
      fds: [...stdio, ...extraFds, theirs.fd, file.fd, ...names.map(name => handed[name]!)],
      own,
    })
  } catch (error) {
    control.close()
    throw error
  } finally {
    theirs.close()
    file.close()
    done()
  }
  options.onSpawn?.(child)
  return await new Conversation(control, plan, child, options).untilItRuns()
}

/** The parent's side of the control socket, from clone to exec. */
class Conversation {
  readonly #control: OwnedFd
  readonly #plan: EncodedPlan
  readonly #options: BootstrapOptions
  #child: { pid: number; pidfd: OwnedFd }
  #outcome: 'executed' | 'created' | undefined
  #times: readonly number[] = []

  constructor(control: OwnedFd, plan: EncodedPlan, child: { pid: number; pidfd: OwnedFd }, options: BootstrapOptions) {
    this.#control = control
    this.#plan = plan
    this.#child = child
    this.#options = options
  }

  async untilItRuns(): Promise<Bootstrapped> {
    try {
      while (await this.#takeRecord());
    } catch (error) {
      await this.#end()
      throw error
    } finally {
      this.#control.close()
    }
    if (this.#outcome === undefined) {
      const status = await waitExit(this.#child.pidfd)
      this.#child.pidfd.close()
      throw new InitDied(status)
    }
    return { ...this.#child, outcome: this.#outcome, timings: this.#timings() }
  }

  /** False at the end of file. */
  async #takeRecord(): Promise<boolean> {
    await poll(this.#control.fd, POLLIN, { signal: this.#options.signal })
    const message = receive(this.#control)
    if (message === undefined) return false
    const record = parseRecord(message.bytes, message.fds)
    switch (record.kind) {
      case 'ask':
        await this.#answer(record.name, record.fds)
        break
      case 'failure':
        throw stepError(this.#plan.steps, record.failure)
      case 'child':
        await this.#adopt(record)
        break
      case 'times':
        this.#times = record.ns
        break
      case 'executing':
        this.#outcome = 'executed'
        break
      case 'created':
        this.#outcome = 'created'
        break
    }
    return true
  }

  async #answer(name: string, fds: Request['fds']): Promise<void> {
    const answer = this.#options.rendezvous?.[name]
    if (answer === undefined) throw new TypeError(`nobody answers the plan's ask('${name}')`)
    const { bytes, fds: rights } = encodeAnswer((await answer({ ...this.#child, fds })) ?? {}, this.#plan.slots)
    try {
      sendMessage(this.#control, bytes, rights)
    } catch (error) {
      // Init died meanwhile: the end of file that follows says how.
      if (!isErrno(error, 'EPIPE', 'ECONNRESET')) throw error
    }
  }

  /** The second clone is the container's process; the first has ended and is reaped. */
  async #adopt(child: { pid: number; pidfd: OwnedFd }): Promise<void> {
    const first = this.#child
    this.#child = { pid: child.pid, pidfd: child.pidfd }
    await waitExit(first.pidfd)
    first.pidfd.close()
  }

  async #end(): Promise<void> {
    try {
      signalPidfd(this.#child.pidfd, 9)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
    await waitExit(this.#child.pidfd)
    this.#child.pidfd.close()
  }

  #timings(): Timing[] {
    return this.#times
      .slice(1)
      .map((endNs, i) => ({ about: this.#plan.steps[i]!.about, startNs: this.#times[i]!, endNs }))
  }
}

/** A message, or `undefined` at the end: a peer that died with unread answers is an end too. */
function receive(control: OwnedFd): ReturnType<typeof receiveMessage> {
  try {
    return receiveMessage(control)
  } catch (error) {
    if (isErrno(error, 'ECONNRESET')) return undefined
    throw error
  }
}
