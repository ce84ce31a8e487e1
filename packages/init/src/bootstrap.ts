import {
  type EncodedPlan,
  type ExitStatus,
  encodePlan,
  isErrno,
  killPidfd,
  LibcontainerError,
  memoryFile,
  type OwnedFd,
  POLLHUP,
  POLLIN,
  poll,
  receiveMessage,
  type Step,
  socketPair,
  spawn,
  stepError,
  waitExit,
} from '@libcontainer/sys'
import { Answers, type AnswersAhead, type Child } from './answers.js'
import { hookError } from './hooks.js'
import { type InitProgram, initProgram } from './program.js'
import { type Answer, type AskedFile, type FailedHook, parseRecord } from './records.js'
import { reportsListener } from './steps.js'

export type { Child }

/** What init asks for, as its `ask` step named it; the process is the one that will run the program, as this process sees it. */
export interface Request extends Child {
  /** Descriptors that came with the request, the answerer's to close. */
  readonly fds: readonly OwnedFd[]
  /** The files of `askWithFiles`, in its order; descriptors among them are the answerer's to close. */
  readonly files: readonly AskedFile[]
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
  /**
   * Who answers an `ask` without being asked, since nothing of it depends on what is asked: called while the process is being cloned, which takes a
   * millisecond, and sent when the answers before it are out, so that init finds it and need not wait.
   *
   * @param child - the process that will run the program; rejects when there is none
   */
  readonly ahead?: AnswersAhead | undefined
  /** Applies the plan in place of this package's `init`. */
  readonly program?: InitProgram | undefined
  /** `CLONE_NEW…`, or'ed: the namespaces that init is born in. Default: none. */
  readonly cloneFlags?: number
  /** The cgroup2 directory that it is born in: waited for last of all, so that it may be made while the plan is encoded. */
  readonly cgroup?: OwnedFd | undefined | Promise<OwnedFd | undefined>
  /** Needed with a new user namespace: see `spawn` of sys. */
  readonly keepCapabilities?: boolean
  /** Descriptors that become 0, 1 and 2. They stay the caller's. */
  readonly stdio: readonly [number, number, number]
  /** Descriptors that become 3, 4, … of the program. They stay the caller's. */
  readonly extraFds?: readonly number[]
  /** Descriptors for steps alone, which name them as slots: closed before the program runs. They stay the caller's. */
  readonly handed?: Readonly<Record<string, number>>
  /**
   * Takes the listener of each seccomp filter that has one (`reportListener`): the program's, and before it those of hooks. The taker closes it; a
   * rejection ends the bootstrap.
   */
  readonly listener?: TakeListener | undefined
  /** Ends the bootstrap and kills what it has made. */
  readonly signal?: AbortSignal | undefined
  /** Makes one step fail on purpose; tests only. */
  readonly failAt?: number | undefined
  /** Reports when each step ended. */
  readonly timed?: boolean | undefined
}

/** @param process - the one that will run the program */
export type TakeListener = (listener: OwnedFd, process: Child) => Promise<void>

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
  const { program, done } = options.program?.open() ?? initProgram()
  const args = options.program?.args ?? []
  const file = memoryFile('plan', plan.bytes)
  const conversation = new Conversation(control, plan, options)
  let child: Child
  try {
    const cgroup = await options.cgroup
    const spawning = spawn({
      program,
      ...(args.length === 0 ? {} : { args: ['init', String(own), ...args] }),
      flags: options.cloneFlags ?? 0,
      cgroup,
      keepCapabilities: options.keepCapabilities ?? false,
      fds: [...stdio, ...extraFds, theirs.fd, file.fd, ...names.map(name => handed[name]!)],
      own,
    })
    conversation.begin()
    child = await spawning
  } catch (error) {
    conversation.giveUp(error)
    throw error
  } finally {
    theirs.close()
    file.close()
    done()
  }
  return await conversation.untilItRuns(child)
}

/** The parent's side of the control socket, until exec. */
class Conversation {
  readonly #control: OwnedFd
  readonly #plan: EncodedPlan
  readonly #options: BootstrapOptions
  readonly #answers: Answers
  /** Who talks: there before anything is heard. */
  #child: Child | undefined
  #outcome: 'executed' | 'created' | undefined
  readonly #clonesAgain: boolean
  /** How many records are still to come that need something done at once: rendezvous, and a second clone. */
  #waiting = 0
  /** What went wrong with an answer ahead. */
  #failure: unknown
  /** Init has closed its end. */
  #ended = false
  #times: readonly number[] = []
  #hook: FailedHook | undefined

  constructor(control: OwnedFd, plan: EncodedPlan, options: BootstrapOptions) {
    this.#control = control
    this.#plan = plan
    this.#options = options
    this.#answers = new Answers(control, plan, error => this.#fail(error))
    this.#clonesAgain = options.steps.some(({ op }) => op === 'secondClone')
  }

  /** While the process is being cloned. */
  begin(): void {
    this.#answers.prepare(this.#options.ahead ?? {})
    // Hooks have listeners of their own, as many as there are; and an exec may wait for an answer through one.
    const listeners = this.#options.steps.some(reportsListener) ? Number.POSITIVE_INFINITY : 0
    this.#waiting = this.#answers.asked + (this.#clonesAgain ? 1 : 0) + listeners
  }

  /** There is nobody to talk to any more. */
  giveUp(cause: unknown): void {
    this.#answers.unborn(cause)
    this.#control.close()
  }

  async untilItRuns(child: Child): Promise<Bootstrapped> {
    this.#become(child, !this.#clonesAgain)
    try {
      while (await this.#nextRecord());
      if (this.#failure !== undefined) throw this.#failure
    } catch (error) {
      await this.#end()
      throw error
    } finally {
      this.giveUp(new Error('init has ended'))
    }
    if (this.#outcome === undefined) {
      const status = await waitExit(this.#child!.pidfd)
      this.#child!.pidfd.close()
      throw new InitDied(status)
    }
    return { ...this.#child!, outcome: this.#outcome, timings: this.#timings() }
  }

  /** False at the end of file. */
  async #nextRecord(): Promise<boolean> {
    // With nothing to answer any more the end of init's side is waited for, and then all that it has said is there.
    if (!this.#ended) {
      const wanted = this.#waiting > 0 ? POLLIN : POLLHUP
      const events = await poll(this.#control.fd, wanted, { signal: this.#options.signal })
      this.#ended = (events & POLLHUP) !== 0
    }
    const message = receive(this.#control)
    if (message === undefined) return false
    const record = parseRecord(message.bytes, message.fds)
    switch (record.kind) {
      case 'ask':
        if (!this.#answers.isAhead(record.name)) await this.#answer(record.name, record)
        break
      case 'failure':
        throw this.#hook === undefined ? stepError(this.#plan.steps, record.failure) : hookError(this.#hook)
      case 'hook':
        this.#hook = record.hook
        break
      case 'child':
        await this.#adopt(record)
        break
      case 'times':
        this.#times = record.ns
        break
      case 'listener':
        await this.#takeListener(record.listener)
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

  async #answer(name: string, { fds, files }: Pick<Request, 'fds' | 'files'>): Promise<void> {
    const answer = this.#options.rendezvous?.[name]
    if (answer === undefined) throw new TypeError(`nobody answers the plan's ask('${name}')`)
    this.#waiting--
    await this.#answers.send((await answer({ ...this.#child!, fds, files })) ?? {})
  }

  /** Ends init, and so the conversation. */
  #fail(error: unknown): void {
    if (this.#control.closed) return
    this.#failure ??= error
    if (this.#child !== undefined) killPidfd(this.#child.pidfd)
  }

  async #takeListener(listener: OwnedFd): Promise<void> {
    const take = this.#options.listener
    await takeListener(listener, take && (file => take(file, this.#child!)))
  }

  /** @param last - it will run the program */
  #become(child: Child, last: boolean): void {
    this.#child = child
    if (last) this.#answers.born(child)
    if (this.#failure !== undefined) killPidfd(child.pidfd)
  }

  /** The second clone is the container's process; the first has ended and is reaped. */
  async #adopt({ pid, pidfd }: Child): Promise<void> {
    const first = this.#child!
    this.#waiting--
    this.#become({ pid, pidfd }, true)
    await waitExit(first.pidfd)
    first.pidfd.close()
  }

  async #end(): Promise<void> {
    const { pidfd } = this.#child!
    killPidfd(pidfd)
    await waitExit(pidfd)
    pidfd.close()
  }

  #timings(): Timing[] {
    return this.#times
      .slice(1)
      .map((endNs, i) => ({ about: this.#plan.steps[i]!.about, startNs: this.#times[i]!, endNs }))
  }
}

/** With nobody who takes it, each call that the filter tells of would be ENOSYS. */
export async function takeListener(
  listener: OwnedFd,
  take: ((listener: OwnedFd) => Promise<void>) | undefined,
): Promise<void> {
  if (take !== undefined) return await take(listener)
  listener.close()
  throw new TypeError('nobody takes the listener of the seccomp filter')
}

/** A message, or `undefined` at the end. A peer that died with unread answers is told of first, and then what it had said. */
function receive(control: OwnedFd): ReturnType<typeof receiveMessage> {
  try {
    return receiveMessage(control)
  } catch (error) {
    if (isErrno(error, 'ECONNRESET')) return receiveMessage(control)
    throw error
  }
}
