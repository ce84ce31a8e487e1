import { reportsListener } from '@libcontainer/init'
import { connectAgent, type Profile, sendListener } from '@libcontainer/seccomp'
import { type OwnedFd, SyscallError, stat } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { seccompOf } from '../plan/seccomp.js'
import { OCI_VERSION, type OciState } from '../state/oci-state.js'

type Filtered = Pick<ContainerConfig, 'seccomp' | 'capabilities'>

const S_IFMT = 0o170000
const S_IFSOCK = 0o140000

const HINT = 'the agent at listenerPath answers for SCMP_ACT_NOTIFY: it has to listen before a process starts'

/** Who answers the notifications of a container's filter: its agent, connected to before there is a process. */
export class SeccompAgent {
  readonly #path: string
  readonly #metadata: string | undefined
  #connection: OwnedFd | undefined

  private constructor(path: string, metadata: string | undefined, connection: OwnedFd) {
    this.#path = path
    this.#metadata = metadata
    this.#connection = connection
  }

  /** `undefined` for a filter that tells of nothing. @throws {SyscallError} when nobody listens */
  static async connect(config: Filtered): Promise<SeccompAgent | undefined> {
    const agent = agentOf(config)
    return agent && new SeccompAgent(agent.path, agent.metadata, await connect(agent.path))
  }

  /** For a process that waits to be started, by whoever: then its agent is connected to. @throws {SyscallError} where there is no socket */
  static async confirm(config: Filtered): Promise<void> {
    const agent = agentOf(config)
    if (agent === undefined) return
    const { mode } = await hinted(() => stat(agent.path))
    if ((mode & S_IFMT) !== S_IFSOCK) throw new SyscallError(-ENOTSOCK, 'connect', { path: agent.path, hint: HINT })
  }

  /** Hands a listener over, which is closed here then. Of a second one, a hook's, on a connection of its own. */
  async take(listener: OwnedFd, pid: number, state: OciState): Promise<void> {
    let connection = this.#connection
    this.#connection = undefined
    try {
      connection ??= await connect(this.#path)
      await hinted(() =>
        sendListener(connection!, listener, { ociVersion: OCI_VERSION, pid, metadata: this.#metadata, state }),
      )
    } finally {
      connection?.close()
      listener.close()
    }
  }

  close(): void {
    this.#connection?.close()
  }
}

function agentOf(config: Filtered): { path: string; metadata: string | undefined } | undefined {
  if (!config.seccomp || !seccompOf(config).some(reportsListener)) return undefined
  const { listenerPath, listenerMetadata } = config.seccomp as Profile
  return { path: listenerPath!, metadata: listenerMetadata ?? undefined }
}

const ENOTSOCK = 88

const connect = (path: string): Promise<OwnedFd> => hinted(() => connectAgent(path))

async function hinted<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    const { errno, syscall, path } = error
    throw new SyscallError(errno, syscall, { path, hint: HINT })
  }
}
