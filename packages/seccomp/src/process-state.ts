import {
  atSocketPath,
  connectUnix,
  decodeUtf8,
  encodeUtf8,
  isErrno,
  LibcontainerError,
  type OwnedFd,
  POLLIN,
  POLLOUT,
  parseJson,
  poll,
  receiveMessage,
  SOCK_STREAM,
  sendMessage,
  sendSome,
  type Waiting,
} from '@libcontainer/sys'
import { NotifyListener } from './listener.js'

/** What OCI calls the listener among the descriptors of a container process state. */
const LISTENER = 'seccompFd'

/** A container process state is text of a few hundred bytes, and the annotations of its container. */
const MAX_STATE = 1 << 20

/** OCI's container process state, without its descriptors: runtime.md, config-linux.md. */
export interface ProcessState {
  readonly ociVersion: string
  /** Of the process, as the runtime sees it. */
  readonly pid: number
  /** The profile's `listenerMetadata`. */
  readonly metadata?: string | undefined
  /** OCI's state of the container. */
  readonly state: object
}

/** A connection to an agent at a profile's `listenerPath`: made before a container is, so that an agent's absence is told in time. */
export async function connectAgent(path: string): Promise<OwnedFd> {
  return await atSocketPath(path, (name, directory) => connectUnix(name, SOCK_STREAM, { directory }))
}

/**
 * Sends a listener and what it is of, in the form that OCI has for agents: one for each connection.
 *
 * @param listener - stays the caller's
 * @throws {SyscallError} `EPIPE` when the agent has hung up
 */
export async function sendListener(
  agent: OwnedFd,
  listener: OwnedFd,
  { ociVersion, pid, metadata = '', state }: ProcessState,
  waiting: Waiting = {},
): Promise<void> {
  let bytes = encodeUtf8(JSON.stringify({ ociVersion, fds: [LISTENER], pid, metadata, state }))
  let fds: readonly number[] = [listener.fd]
  while (bytes.length > 0) {
    await poll(agent.fd, POLLOUT, waiting)
    try {
      bytes = bytes.subarray(fds.length > 0 ? sendMessage(agent, bytes, fds) : sendSome(agent, bytes))
      fds = []
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
    }
  }
}

/** A filter's listener, and what it is of. */
export interface ReceivedListener extends ProcessState {
  /** The receiver's, to serve and to close. */
  readonly listener: NotifyListener
}

/**
 * Receives what a runtime sends to an agent.
 *
 * @throws {LibcontainerError} `ERR_PROCESS_STATE` for anything else, whose descriptors are closed
 */
export async function receiveListener(connection: OwnedFd, waiting: Waiting = {}): Promise<ReceivedListener> {
  const parts: Uint8Array[] = []
  const fds: OwnedFd[] = []
  try {
    for (let size = 0; size <= MAX_STATE; ) {
      await poll(connection.fd, POLLIN, waiting)
      const message = receiveMessage(connection)
      if (message === undefined) break
      fds.push(...message.fds)
      parts.push(message.bytes)
      size += message.bytes.length
      // Some runtimes hang up behind it and some wait: it is whole when it can be read.
      const state = parse(parts, size)
      if (state !== undefined) return take(state, fds)
    }
  } finally {
    for (const fd of fds) fd.close()
  }
  throw new LibcontainerError('ERR_PROCESS_STATE', 'the peer sent no container process state')
}

function parse(parts: readonly Uint8Array[], size: number): unknown {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  try {
    return parseJson(decodeUtf8(bytes))
  } catch {
    return undefined
  }
}

function take(value: unknown, fds: OwnedFd[]): ReceivedListener {
  const { ociVersion, fds: names, pid, metadata, state } = (value ?? {}) as Record<string, unknown>
  const at = Array.isArray(names) ? names.indexOf(LISTENER) : -1
  const listener = fds[at]
  if (listener === undefined || typeof pid !== 'number' || typeof state !== 'object' || state === null)
    throw new LibcontainerError('ERR_PROCESS_STATE', `a container process state has ${LISTENER}, a pid and a state`)
  const known = {
    ociVersion: String(ociVersion),
    pid,
    metadata: typeof metadata === 'string' ? metadata : undefined,
    state,
  }
  return { ...known, listener: NotifyListener.of(listener.release()) }
}
