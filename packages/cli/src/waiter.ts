import { copyWindowSize, encodeTermios, getTermios, isTerminal, rawTermios, setTermios } from '@libcontainer/console'
import { initProgram } from '@libcontainer/init'
import {
  args,
  becomeProgram,
  encodeUtf8,
  LibcontainerError,
  memoryFile,
  O_PATH,
  type OwnedFd,
  openFile,
  POLLIN,
  poll,
  SyscallError,
} from '@libcontainer/sys'
import type { Session } from './attend.js'
import { forwarded } from './signals.js'

/** In milliseconds: a program that ends sooner is not worth the change. */
const SOON = 100

/** How a waiter is called, and what it becomes. */
export interface WaiterRequest {
  /** The name of the command line. */
  readonly program: string
  /** The command line that cleans up when the program has ended: the executable's name and its words; the status follows. */
  readonly finish?: readonly string[] | undefined
}

/**
 * Becomes the waiter of packages/init/native/waiter.c, which holds a fraction of the memory, and which becomes this executable again
 * at the end, where there is something to `finish`.
 *
 * Comes back where that cannot be, when somebody is to be told how the program ends, and when it has ended soon.
 */
export async function becomeWaiter(session: Session, { program: name, finish }: WaiterRequest): Promise<void> {
  // It may have ended, and been waited for, while poststart hooks ran.
  if (becomeProgram === undefined || session.process.ended || session.told !== undefined) return
  if (!relays(session) && (await endsSoon(session))) return
  let executable: OwnedFd | undefined
  let request: OwnedFd | undefined
  let raw: Taken | undefined
  try {
    const { program } = initProgram()
    if (finish !== undefined) executable = await openFile('/proc/self/exe', O_PATH)
    if (session.process.ended) return executable?.close()
    raw = takeTerminal(session)
    request = memoryFile('waiter', encodeRequest(session, executable?.fd, raw, finish))
    const { process, terminal, pipes } = session
    const kept = [process.pidfd, executable, request, terminal, ...pipes].filter(fd => fd !== undefined)
    // What it was called with follows for whoever looks at the list of processes.
    const words = ['waiter', String(request.fd), name, ...args]
    becomeProgram(
      program.fd,
      words,
      kept.map(({ fd }) => fd),
    )
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    raw?.restore()
    executable?.close()
    request?.close()
  }
}

const relays = ({ terminal, pipes }: Session): boolean => terminal !== undefined || pipes.some(fd => fd !== undefined)

async function endsSoon({ process }: Session): Promise<boolean> {
  try {
    await poll(process.pidfd.fd, POLLIN, { signal: AbortSignal.timeout(SOON) })
    return true
  } catch (error) {
    if (error instanceof SyscallError) throw error
    return false
  }
}

/** Our terminal, as it is to be again at the end. */
interface Taken {
  /** Whose size the program's terminal follows; -1 for none. */
  readonly fd: number
  readonly modes: Uint8Array | undefined
  restore(): void
}

/** Makes our terminal raw where its keys go to the program's, with the modes that the relay of package console sets. */
function takeTerminal({ terminal: master, plainNewlines }: Session): Taken {
  const none: Taken = { fd: -1, modes: undefined, restore: () => undefined }
  if (master === undefined) return none
  const fd = [0, 1].find(isTerminal)
  if (fd === undefined) return none
  copyWindowSize(fd, master.fd)
  if (fd !== 0) return { ...none, fd }
  const before = getTermios(fd)
  setTermios(fd, rawTermios(before, { keepOutput: plainNewlines }))
  return { fd, modes: encodeTermios(before), restore: () => setTermios(fd, before) }
}

const HEAD = 112
const MODES_AT = 68

/** struct request of waiter.c, and the arguments of the executable. */
function encodeRequest(
  { process, terminal, pipes }: Session,
  executable: number | undefined,
  taken: Taken,
  words: readonly string[] = [],
): Uint8Array {
  const text = encodeUtf8(`${words.join('\0')}\0`)
  const bytes = new Uint8Array(HEAD + text.length)
  const view = new DataView(bytes.buffer)
  const channels =
    terminal === undefined
      ? [
          [0, pipes[0]?.fd],
          [pipes[1]?.fd, 1],
          [pipes[2]?.fd, 2],
        ]
      : [
          [0, terminal.fd],
          [terminal.fd, 1],
        ]
  view.setInt32(0, process.pidfd.fd, true)
  view.setInt32(4, executable ?? -1, true)
  view.setInt32(8, taken.fd, true)
  view.setInt32(12, terminal?.fd ?? -1, true)
  view.setBigUint64(16, mask(forwarded), true)
  view.setUint32(24, taken.modes === undefined ? 0 : 1, true)
  view.setUint32(28, words.length, true)
  for (let i = 0; i < 3; i++) {
    const [from, to] = channels[i] ?? []
    const open = from !== undefined && to !== undefined
    view.setInt32(32 + 12 * i, open ? from : -1, true)
    view.setInt32(36 + 12 * i, open ? to : -1, true)
    view.setUint32(40 + 12 * i, i, true)
  }
  if (taken.modes !== undefined) bytes.set(taken.modes, MODES_AT)
  bytes.set(text, HEAD)
  return bytes
}

const mask = (signals: readonly number[]): bigint => signals.reduce((bits, n) => bits | (1n << BigInt(n - 1)), 0n)
