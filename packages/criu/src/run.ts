import { type OwnedFd, processStat, type StdioRequest, type Waiting } from '@libcontainer/sys'
import { type Connection, connect } from './connection.js'
import type { Attempt } from './leftovers.js'
import type { CriuReq, CriuResp } from './messages.js'
import type { Criu } from './place.js'
import { ready } from './ready.js'

/** What CRIU tells of while it works, in the order in which it does. */
export type NotifyName =
  | 'pre-dump'
  | 'post-dump'
  | 'pre-restore'
  | 'post-restore'
  | 'network-lock'
  | 'network-unlock'
  | 'setup-namespaces'
  | 'post-setup-namespaces'
  | 'pre-resume'
  | 'post-resume'
  | 'orphan-pts-master'
  | 'status-ready'
  | 'query-ext-files'

/** A notification. */
export interface Notification {
  readonly name: NotifyName
  /** The first process of the tree that is restored, as this process sees it: of `setup-namespaces` and `post-restore`. */
  readonly pid?: number | undefined
  /** The master of the tree's terminal: of `orphan-pts-master`. Closed after the callback, unless that closes it or takes it away with `release()`. */
  readonly fd?: OwnedFd | undefined
}

/** Called while CRIU waits. When it throws, CRIU gives up and takes back what it did, and the failure has what was thrown as its cause. */
export type NotifyCallback = (notification: Notification) => void | Promise<void>

export interface RunOptions extends Waiting {
  readonly criu?: Criu | undefined
  /** By the notification's name. */
  readonly onNotify?: Readonly<Partial<Record<NotifyName, NotifyCallback>>> | undefined
  /** Descriptors in place of files that the tree had from outside: `key` is what a dump said of them, `pipe:[123]`, `socket:[123]` or a path without its first `/`. */
  readonly inheritFds?: readonly { readonly key: string; readonly fd: number | OwnedFd }[] | undefined
  /** The standard streams of CRIU itself; a shell job is restored on the terminal of its input. Default: none */
  readonly stdio?: StdioRequest | undefined
}

/** What a request came to. */
interface Outcome {
  readonly response: CriuResp
  /** What a callback threw, on which CRIU gave up. */
  readonly refused: { readonly error: unknown } | undefined
}

export interface Manners {
  /** An abort is told to CRIU when it next asks, and CRIU takes everything back itself. Default: `false`, it is killed at once. */
  readonly gentle?: boolean | undefined
  /** Called where the request came to no good end: CRIU may still run. */
  readonly cleanUp?: ((attempt: Attempt) => Promise<void>) | undefined
}

/**
 * Starts CRIU once for all: what these options take of it is asked over the connection on which `act` asks for them. Nothing of it is left afterwards.
 *
 * @throws as {@link ready}
 */
export async function connected<T>(
  options: Parameters<typeof ready>[0],
  run: RunOptions,
  act: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { criu = {}, inheritFds = [], stdio, signal } = run
  const connection = await connect(criu, { fds: inheritFds.map(({ fd }) => fd), stdio, signal })
  try {
    await ready(options, { ...criu, connection })
    signal?.throwIfAborted()
    return await act(connection)
  } finally {
    await connection.kill()
  }
}

/** One request, with what CRIU asks meanwhile. The connection ends with it, and is killed where the request came to no end. */
export async function perform(
  connection: Connection,
  request: CriuReq,
  run: RunOptions,
  { gentle, cleanUp }: Manners = {},
): Promise<CriuResp> {
  const { program } = connection
  let told: number | undefined
  let since = 0n
  const fail = async (): Promise<void> => {
    if (program !== undefined) await cleanUp?.({ criu: program, since, told })
    await connection.kill()
  }
  try {
    if (program !== undefined && cleanUp !== undefined) since = (await processStat(program.pid))?.startTime ?? 0n
    const { response, refused } = await converse(connection, request, run, gentle ?? false, pid => {
      told = pid
    })
    if (refused !== undefined) throw refused.error
    if (!response.success) await fail()
    else await connection.end()
    return response
  } catch (error) {
    await fail()
    throw error
  }
}

async function converse(
  connection: Connection,
  request: CriuReq,
  { onNotify, signal }: RunOptions,
  gentle: boolean,
  onPid: (pid: number) => void,
): Promise<Outcome> {
  let refused: Outcome['refused']
  await connection.send(request)
  for (;;) {
    const { response, fds } = await connection.receive({ signal: gentle ? undefined : signal })
    if (response.restore !== undefined) onPid(response.restore.pid)
    if (response.type !== 'NOTIFY') {
      for (const fd of fds) fd.close()
      return { response, refused }
    }
    const { script = '', pid } = response.notify ?? {}
    if (pid !== undefined) onPid(pid)
    try {
      signal?.throwIfAborted()
      if (refused === undefined)
        await onNotify?.[script as NotifyName]?.({ name: script as NotifyName, pid, fd: fds[0] })
    } catch (error) {
      refused ??= { error }
    } finally {
      for (const fd of fds) fd.close()
    }
    await connection.send({ type: 'NOTIFY', notifySuccess: refused === undefined })
  }
}
