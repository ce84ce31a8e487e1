import { openNamespaceFd, pinNamespace, unpinNamespace } from '@libcontainer/namespaces'
import {
  type AppliedNetworks,
  applyNetworks,
  type InterfaceStats,
  interfaceStats,
  lookUp,
  type MadeNetworks,
  type NetworkPlan,
  planNetworks,
  releaseNetworks,
  Side,
} from '@libcontainer/network'
import {
  isErrno,
  type OwnedFd,
  openFile,
  parseJson,
  readFd,
  readTextIfPresent,
  removeFile,
  stringifyJson,
  type Waiting,
  writeText,
} from '@libcontainer/sys'
import { networkNamespace } from './namespace-requests.js'
import { NETWORK_FILE } from './network.js'
import type { ResolvedConfig } from './resolve.js'

/* The networks of a container: made when its namespace is there and before its root is, recorded, released. */

export type { InterfaceStats }

type Config = Pick<ResolvedConfig, 'namespaces' | 'networks' | 'routes' | 'netDevices'>

export interface NetworkRequest {
  /** Of its state. */
  readonly directory: string
  readonly config: Config
  readonly warn?: ((message: string) => void) | undefined
}

export type Release = Pick<NetworkRequest, 'directory' | 'warn'>

/** A pin of the namespace of a container that has something of the host's, by which it is given back when no process is left. */
const PIN = 'netns'

/** As 2014 has it in a state. */
export interface NetworkState {
  readonly veth_host?: string | undefined
  readonly veth_child?: string | undefined
  readonly ns_path?: string | undefined
}

/** @throws {ConfigInvalid} for what is not there, or is in the way */
export async function confirmNetworking(config: Config): Promise<void> {
  const host = await Side.open()
  let joined: Side | undefined
  try {
    const path = config.namespaces.find(({ kind }) => kind === 'net')?.path
    if (path !== undefined) joined = await Side.open(path)
    await lookUp(config, host, joined)
  } finally {
    joined?.close()
    host.close()
  }
}

/** The networks of one start of a container. */
export class Networking {
  readonly #request: NetworkRequest
  readonly #plan: NetworkPlan
  #namespace: OwnedFd | undefined
  #applied: AppliedNetworks | undefined

  private constructor(request: NetworkRequest, plan: NetworkPlan) {
    this.#request = request
    this.#plan = plan
  }

  /** Chooses names and addresses; makes nothing. */
  static async plan(request: NetworkRequest): Promise<Networking> {
    const { config } = request
    const bytes = await randomBytes(16 * (config.networks?.length ?? 0))
    let used = 0
    const random = (count: number): Uint8Array => {
      used += count
      return bytes.subarray(used - count, used)
    }
    return new Networking(request, planNetworks(config, random))
  }

  /** For the state, in the words of 2014: of the first pair. */
  get state(): NetworkState {
    const pair = this.#plan.chosen.find(({ hostName }) => hostName !== '')
    const ns_path = this.#request.config.namespaces.find(({ kind }) => kind === 'net')?.path
    return { veth_host: pair?.hostName, veth_child: pair?.name, ns_path }
  }

  /** Makes them, in the namespace of a process. When any of it fails, nothing is left. */
  async make(pid: number, { signal }: Waiting = {}): Promise<void> {
    const { config, directory, warn } = this.#request
    // Once, for everything: by its name the process could be another's by then.
    const namespace = await openNamespaceFd(pid, 'net')
    this.#namespace = namespace
    const kind = networkNamespace(config.namespaces) === 'joined' ? 'joined' : 'new'
    this.#applied = await applyNetworks(config, this.#plan, {
      namespace,
      kind,
      pid,
      userNamespace: config.namespaces.some(each => each.kind === 'user'),
      directory,
      record: made => writeText(`${directory}/${NETWORK_FILE}`, stringifyJson(made), { mode: 0o600 }),
      keep: async fd => {
        const path = config.namespaces.find(each => each.kind === 'net')?.path
        return path ?? (await pinNamespace(fd, 'net', `${directory}/${PIN}`)).path
      },
      warn,
      signal,
    })
  }

  /** The container could not be started: all is taken back, as long as its namespace is held. */
  async undo(): Promise<void> {
    await this.#applied?.undo()
    await releaseNetworking(this.#request)
  }

  /** Lets go of the namespace. */
  close(): void {
    this.#namespace?.close()
  }
}

/** Takes away what was made, and gives back what was lent; what cannot be is told. */
export async function releaseNetworking({ directory, warn }: Release): Promise<void> {
  const made = await recordedNetworks(directory)
  if (made !== undefined) await releaseNetworks(made, { open: openPresent, warn })
  await unpinNamespace(`${directory}/${PIN}`)
  await removeFile(`${directory}/${NETWORK_FILE}`)
}

async function openPresent(path: string): Promise<OwnedFd | undefined> {
  try {
    return await openNamespaceFd(path, 'net')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** `undefined` for none, and for one that was being written: nothing was made yet. */
async function recordedNetworks(directory: string): Promise<MadeNetworks | undefined> {
  const text = await readTextIfPresent(`${directory}/${NETWORK_FILE}`)
  try {
    const made = parseJson(text ?? 'null') as Partial<MadeNetworks> | null
    const { pairs, lent, inside, helpers } = made ?? {}
    return [pairs, lent, inside, helpers].every(Array.isArray) ? (made as MadeNetworks) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export async function networkStats(directory: string): Promise<InterfaceStats[]> {
  const made = await recordedNetworks(directory)
  return made === undefined ? [] : await interfaceStats(made)
}

async function randomBytes(count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count)
  const file = await openFile('/dev/urandom')
  try {
    if (count > 0) await readFd(file.fd, bytes)
    return bytes
  } finally {
    file.close()
  }
}
