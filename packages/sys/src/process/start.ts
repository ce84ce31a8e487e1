import { stepError } from '../binding.js'
import { checked, LibcontainerError, SyscallError } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { searchPaths } from '../files/search-paths.js'
import { native } from '../native.js'
import { environment } from '../runtime.js'
import { receiveMessage, sendMessage, socketPair } from '../socket/socket.js'
import { encodePlan } from '../step/plan.js'
import { type Step, slot } from '../step/step.js'
import { decodeUtf8, nulTerminated } from '../utf8.js'
import { type ExitStatus, killPidfd, openPidfd, waitExit } from './process.js'
import { Program, type ProgramOptions } from './program.js'
import { signalNumber } from './signals.js'
import { descriptor, prepareStdio } from './stdio.js'
import { isErrno, POLLIN, poll } from './wait.js'

/** What a child does before it executes its program, and who helps it from outside. */
export interface Preparation {
  /** `CLONE_NEW…`, or'ed: the namespaces that it is born in. */
  readonly cloneFlags?: number
  readonly steps: readonly Step[]
  /** Descriptors for the steps, which name them as slots. They stay the caller's. */
  readonly handed?: Readonly<Record<string, number>>
  /** What is done when a step {@link askStep} asks for it, by its number. */
  readonly answers?: readonly ((pid: number) => Promise<void>)[]
  /** The op that starts it, of the facility whose steps these are. Default: that of `sys`, for {@link writeLabelStep} and nothing else. */
  readonly start?: StartProgram
}

/** An op in the shape of native/start.h, on the thread itself and off it. */
export type StartOp = (
  request: Uint8Array,
  result: Uint8Array,
  plan: Uint8Array,
  paths: Uint8Array,
  argv: Uint8Array,
  env: Uint8Array,
  cwd: string,
) => number
export type StartProgram = (...args: Parameters<StartOp>) => Promise<number>

const STARTER = slot('starter')

/** Waits until this side has done the answer of that number. */
export function askStep(question: number, about: string): Step {
  return {
    op: 'askStarter',
    args: [STARTER, question],
    about,
    hints: { ECANCELED: 'whoever started this has gone' },
  }
}

/** Goes on in a sibling: one enters a pid namespace only by being born there. */
export function cloneAgainStep(): Step {
  return { op: 'cloneAgain', args: [STARTER], about: 'be born in the new namespaces' }
}

/** Gets a signal when this process ends, whatever ends it. The last step: a change of ids would undo it. */
function endWithStarterStep(signal: number): Step {
  return { op: 'endWithStarter', args: [STARTER, signal], about: 'end when whoever started this ends' }
}

/** Runs a program after some steps in a child of this process. Resolves when the kernel has executed it. */
export async function startProgram(
  preparation: Preparation,
  argv: readonly string[],
  options: ProgramOptions,
): Promise<Program> {
  const { stdio = 'inherit', extraFds = [], signal, parentDeathSignal } = options
  signal?.throwIfAborted()
  const last = parentDeathSignal === undefined ? [] : [endWithStarterStep(signalNumber(parentDeathSignal))]
  const steps = [...preparation.steps, ...last]
  const streams = prepareStdio(stdio)
  try {
    const fds = [...streams.theirs, ...extraFds.map(descriptor)]
    const child = await begin({ ...preparation, steps }, fds, argv, options)
    streams.closeTheirs()
    return new Program(child, streams.ours, signal)
  } catch (error) {
    streams.close()
    throw error
  }
}

/** Applies steps in a child of this process, which then ends. */
export async function applyInChild(preparation: Preparation, signal?: AbortSignal): Promise<void> {
  const { pidfd } = await begin(preparation, [], [], { signal })
  pidfd.close()
}

interface Child {
  readonly pid: number
  readonly pidfd: OwnedFd
}

/** Two words and two numbers of the request come before the descriptors: see native/start.c. */
const HEAD = 16

async function begin(
  { cloneFlags = 0, steps, handed = {}, answers = [], start = native.async.startProgram }: Preparation,
  fds: readonly number[],
  argv: readonly string[],
  { env = environment, cwd = '', signal }: ProgramOptions,
): Promise<Child> {
  const own = fds.length
  const names = Object.keys(handed)
  const values = Object.fromEntries(names.map((name, i) => [name, own + 1 + i]))
  const plan = encodePlan(steps, { values: { ...values, starter: own } })
  const [socket, theirs] = socketPair()
  let child: Child
  try {
    const all = [...fds, theirs.fd, ...names.map(name => handed[name]!)]
    const request = new Uint8Array(HEAD + 4 * all.length)
    const view = new DataView(request.buffer)
    view.setBigUint64(0, BigInt(cloneFlags), true)
    view.setUint32(8, all.length, true)
    view.setUint32(12, own, true)
    all.forEach((fd, i) => {
      view.setInt32(HEAD + 4 * i, fd, true)
    })
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const paths = argv.length === 0 ? [] : searchPaths(argv[0]!, variables)
    const result = new Int32Array(2)
    checked(
      await start(
        request,
        new Uint8Array(result.buffer),
        plan.bytes,
        nulTerminated(paths),
        nulTerminated(argv),
        nulTerminated(variables),
        cwd,
      ),
      'clone3',
      undefined,
      { hint: 'a new namespace needs CAP_SYS_ADMIN, or a user namespace beside it that this host allows' },
    )
    child = { pid: result[0]!, pidfd: new OwnedFd(result[1]!) }
  } catch (error) {
    socket.close()
    throw error
  } finally {
    theirs.close()
  }
  const program = { file: argv[0], cwd }
  return await new Conversation(socket, child, plan.steps, answers, program, signal).untilItRuns()
}

/** The records of native/start.c. */
const ASK = 1
const CHILD = 2
const EXECUTING = 3
const FAILURE = 4
const NO_STEP = 0xffffffff
const GO_ON = Uint8Array.of(1)

/** This side of the socket, until the child executes its program or, without one, has ended. */
class Conversation {
  #child: Child
  #executing = false

  constructor(
    readonly socket: OwnedFd,
    child: Child,
    readonly steps: readonly Step[],
    readonly answers: readonly ((pid: number) => Promise<void>)[],
    readonly program: { readonly file: string | undefined; readonly cwd: string },
    readonly signal: AbortSignal | undefined,
  ) {
    this.#child = child
  }

  async untilItRuns(): Promise<Child> {
    try {
      while (await this.#nextRecord());
      if (!this.#executing) await this.#confirmEnd()
      return this.#child
    } catch (error) {
      killPidfd(this.#child.pidfd)
      if (!this.#child.pidfd.closed) await waitExit(this.#child.pidfd)
      this.#child.pidfd.close()
      throw error
    } finally {
      this.socket.close()
    }
  }

  /** False at the end of the stream. */
  async #nextRecord(): Promise<boolean> {
    await poll(this.socket.fd, POLLIN, { signal: this.signal })
    const record = receive(this.socket)
    if (record === undefined) return false
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    switch (view.getUint32(0, true)) {
      case ASK:
        await this.answers[view.getInt32(4, true)]?.(this.#child.pid)
        this.#goOn()
        break
      case CHILD:
        await this.#adopt(view.getInt32(4, true))
        this.#goOn()
        break
      case EXECUTING:
        this.#executing = true
        break
      case FAILURE:
        throw this.#failure(record)
    }
    return true
  }

  #goOn(): void {
    try {
      sendMessage(this.socket, GO_ON)
    } catch (error) {
      // It has died: the end of the stream says so.
      if (!isErrno(error, 'EPIPE', 'ECONNRESET')) throw error
    }
  }

  /** The second is our child as well, so its number is nobody else's until it is reaped. */
  async #adopt(pid: number): Promise<void> {
    const first = this.#child
    this.#child = { pid, pidfd: openPidfd(pid) }
    await waitExit(first.pidfd)
    first.pidfd.close()
  }

  async #confirmEnd(): Promise<void> {
    const status = await waitExit(this.#child.pidfd)
    this.#child.pidfd.close()
    if (this.program.file !== undefined || status.code !== 0) throw died(status)
  }

  #failure(record: Uint8Array): Error {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    if (view.getUint32(4, true) !== NO_STEP) return stepError(this.steps, record.subarray(4))
    const syscall = decodeUtf8(record.subarray(12, 44)).split('\0', 1)[0]!
    const { file, cwd } = this.program
    const hint =
      syscall === 'execve' && view.getInt32(8, true) === ENOENT
        ? 'there is no such program inside, or the interpreter that its first line names is not there'
        : undefined
    return new SyscallError(view.getInt32(8, true), syscall, { path: syscall === 'chdir' ? cwd : file, hint })
  }
}

const ENOENT = 2

/** A message, or `undefined` at the end. One that died with unread answers is told of first, and then what it had said. */
function receive(socket: OwnedFd): Uint8Array | undefined {
  try {
    return receiveMessage(socket, 256)?.bytes
  } catch (error) {
    if (isErrno(error, 'ECONNRESET')) return receiveMessage(socket, 256)?.bytes
    throw error
  }
}

function died({ code, signal }: ExitStatus): LibcontainerError {
  const how = signal === undefined ? `exit code ${code}` : `signal ${signal}`
  return new LibcontainerError('ProcessDied', `the child ended before its program ran (${how})`)
}
