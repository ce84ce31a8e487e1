import type { OwnedFd, StdioRequest, Waiting } from '@libcontainer/sys'
import { type Connection, connect } from './connection.js'
import type { CriuReq, CriuResp } from './messages.js'
import type { Criu } from './place.js'

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

/** One request to its end, with what CRIU asks meanwhile: the response, whether or not it tells of success. */
export async function converse(connection: Connection, request: CriuReq, run: RunOptions): Promise<CriuResp> {
  let refused: { readonly error: unknown } | undefined
  await connection.send(request)
  for (;;) {
    const { response, fds } = await connection.receive(run)
    if (response.type !== 'NOTIFY') {
      for (const fd of fds) fd.close()
      if (refused !== undefined) throw refused.error
      return response
    }
    try {
      const { script = '', pid } = response.notify ?? {}
      const callback = refused === undefined ? run.onNotify?.[script as NotifyName] : undefined
      await callback?.({ name: script as NotifyName, pid, fd: fds[0] })
    } catch (error) {
      refused = { error }
    } finally {
      for (const fd of fds) fd.close()
    }
    await connection.send({ type: 'NOTIFY', notifySuccess: refused === undefined })
  }
}

/** A connection for one request: ended afterwards, and killed where the request came to no end. */
export async function perform(request: CriuReq, run: RunOptions): Promise<CriuResp> {
  const { criu = {}, inheritFds = [], stdio, signal } = run
  const connection = await connect(criu, { fds: inheritFds.map(({ fd }) => fd), stdio, signal })
  try {
    const response = await converse(connection, request, run)
    await connection.end()
    return response
  } catch (error) {
    await connection.kill()
    throw error
  }
}
