import { warn } from '@libcontainer/cli'
import type { NotifySocket } from '@libcontainer/cli/notify-socket'
import type { Container, ContainerConfig, ProcessSpec } from '@libcontainer/container'
import { environment } from '@libcontainer/sys'

/* A service manager that has started us wants to know when the program is ready: sd_notify(3). */

/** A container whose program can say so. */
export interface Notifying {
  readonly config: ContainerConfig
  readonly process: ProcessSpec
  /** Makes what is bound into it, once its directory is there. */
  prepare(): Promise<void>
}

/** @param directory - of the container's state */
export async function notifying(config: ContainerConfig, process: ProcessSpec, directory: string): Promise<Notifying> {
  if (!environment.NOTIFY_SOCKET) return { config, process, prepare: async () => undefined }
  const { makeNotifyDirectory, notifyRequest } = await import('@libcontainer/cli/notify-socket')
  const { mount, variable } = notifyRequest(directory)
  return {
    config: { ...config, mounts: [...(config.mounts ?? []), mount] },
    process: { ...process, env: [...((process.env ?? []) as readonly string[]), variable] },
    prepare: () => makeNotifyDirectory(directory),
  }
}

/** What is told to the service manager when the program is ready. */
export interface Readiness {
  /**
   * Waits until the program is ready or has ended, and tells it. The program runs by then: what fails is a warning.
   *
   * @param options.handOver - the service manager is to watch the program in place of this process
   */
  tell(container: Container, options?: { handOver?: boolean }): Promise<void>
  close(): void
}

/**
 * Listens to a program that is about to start; `undefined` where nobody wants to know.
 *
 * @param mayStart - whether this process may be the one that starts it
 * @throws {SyscallError} `EAGAIN` while another process is listening
 */
export async function listenForReadiness(
  directory: string,
  mayStart: () => Promise<boolean> = async () => true,
): Promise<Readiness | undefined> {
  const manager = environment.NOTIFY_SOCKET
  if (!manager || !(await mayStart())) return undefined
  const { NotifySocket } = await import('@libcontainer/cli/notify-socket')
  const socket = await NotifySocket.open(directory)
  if (socket === undefined) return undefined
  return {
    tell: (container, { handOver = false } = {}) => tell(socket, manager, container, handOver),
    close: () => socket.close(),
  }
}

async function tell(socket: NotifySocket, manager: string, container: Container, handOver: boolean): Promise<void> {
  const over = new AbortController()
  const end = new AbortController()
  const watching = container
    .ended({ signal: over.signal })
    .catch(() => {})
    .then(() => end.abort())
  try {
    const watched = handOver ? { mainPid: (await container.state()).init_process_pid } : {}
    await socket.forward(manager, { signal: end.signal, ...watched })
  } catch (error) {
    if (end.signal.aborted) return
    warn(`$NOTIFY_SOCKET: ${(error as Error).message}`)
  } finally {
    over.abort()
    await watching
    socket.close()
  }
}
