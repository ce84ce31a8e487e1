import { namespacePath, openNamespaceFd, pinNamespace, unpinNamespace } from '@libcontainer/namespaces'
import {
  type AppliedNetworks,
  applyNetworks,
  type InterfaceStats,
  interfaceStats,
  lookUp,
  type MadeNetworks,
  type NetworkPlan,
  type PartedActs,
  partActs,
  planNetworks,
  releaseNetworks,
  type Setting,
  Side,
  setAttached,
  settingStep,
} from '@libcontainer/network'
import {
  isErrno,
  type OwnedFd,
  onAbort,
  openAtOnce,
  parseJson,
  randomBytes,
  readTextIfPresent,
  removeFile,
  type Step,
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

interface Place {
  readonly pid: number
  readonly namespace: OwnedFd
}

/** What somebody waits for who was there before it. */
class Expected<T> {
  value: T | undefined
  readonly promise: Promise<T>
  reject: (cause: Error) => void = () => {}
  #resolve: (value: T) => void = () => {}

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => {})
  }

  resolve(value: T): void {
    this.value = value
    this.#resolve(value)
  }

  /** A part of it, of which nobody need hear that it does not come. */
  part<K extends keyof T>(name: K): Promise<T[K]> {
    const part = this.promise.then(value => value[name])
    part.catch(() => {})
    return part
  }
}

/** What every plan does for a new namespace. */
const isLoopbackUp = (act: Setting): boolean => act.act === 'set' && act.name === 'lo' && act.mtu === undefined

/** The networks of one start of a container. */
export class Networking {
  readonly #request: NetworkRequest
  readonly #plan: NetworkPlan
  readonly #parts: PartedActs
  /** The process whose namespace they are made in: told by {@link make}. */
  readonly #place = new Expected<Place>()
  readonly #end = new AbortController()
  #making: Promise<AppliedNetworks> | undefined

  private constructor(request: NetworkRequest, plan: NetworkPlan) {
    this.#request = request
    this.#plan = plan
    this.#parts = this.#isNew ? partActs(plan.acts) : { outside: plan.acts, inside: [] }
  }

  /** Chooses names and addresses; touches nothing. */
  static plan(request: NetworkRequest): Networking {
    return new Networking(request, planNetworks(request.config, randomBytes))
  }

  get #isNew(): boolean {
    return networkNamespace(this.#request.config.namespaces) === 'new'
  }

  /** What init does of them, in its own network namespace, when {@link make} has done the rest. */
  get steps(): Step[] {
    return this.#parts.inside.filter(act => !isLoopbackUp(act)).map(settingStep)
  }

  /** For the state, in the words of 2014: of the first pair. */
  get state(): NetworkState {
    const pair = this.#plan.chosen.find(({ hostName }) => hostName !== '')
    const ns_path = this.#request.config.namespaces.find(({ kind }) => kind === 'net')?.path
    return { veth_host: pair?.hostName, veth_child: pair?.name, ns_path }
  }

  /** Does what needs no process, up to the messages that make them; what is wrong {@link make} tells. */
  begin(): void {
    const { config, directory, warn } = this.#request
    this.#making = applyNetworks(
      config,
      { acts: this.#parts.outside },
      {
        namespace: this.#place.part('namespace'),
        kind: this.#isNew ? 'new' : 'joined',
        pid: this.#place.part('pid'),
        userNamespace: config.namespaces.some(each => each.kind === 'user'),
        directory,
        record: made => writeText(`${directory}/${NETWORK_FILE}`, stringifyJson(made), { mode: 0o600 }),
        keep: async fd => {
          const path = config.namespaces.find(each => each.kind === 'net')?.path
          return path ?? (await pinNamespace(fd, 'net', `${directory}/${PIN}`)).path
        },
        warn,
        signal: this.#end.signal,
      },
    )
    this.#making.catch(() => {})
  }

  /** Makes them, in the namespace of a process of ours. When any of it fails, nothing is left. */
  async make(pid: number, { signal }: Waiting = {}): Promise<void> {
    const deaf = onAbort(signal, () => this.#end.abort(signal?.reason))
    try {
      // Once, for everything: by its number the process could be another's when all is taken back.
      this.#place.resolve({ pid, namespace: openAtOnce(namespacePath('net', pid)) })
      await this.#making
    } finally {
      deaf()
    }
  }

  /** The container could not be started: all is taken back, as long as its namespace is held. */
  async undo(): Promise<void> {
    this.#place.reject(new Error('the container could not be started'))
    const applied = await this.#making?.catch(() => undefined)
    await applied?.undo()
    await releaseNetworking(this.#request)
  }

  /** Lets go of the namespace. */
  close(): void {
    this.#place.value?.namespace.close()
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

/** Takes a container off its bridges while it is saved, or puts it back. */
export async function attachNetworks({ directory, config }: NetworkRequest, attached: boolean): Promise<void> {
  const made = await recordedNetworks(directory)
  if (made !== undefined) await setAttached(config.networks ?? [], made.pairs, attached)
}

export async function networkStats(directory: string): Promise<InterfaceStats[]> {
  const made = await recordedNetworks(directory)
  return made === undefined ? [] : await interfaceStats(made)
}
