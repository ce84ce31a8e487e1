import type { Answer } from '@libcontainer/init'
import { namespacePath, openNamespaceFd, pinNamespace, unpinNamespace } from '@libcontainer/namespaces'
import {
  type Act,
  type AppliedNetworks,
  applyNetworks,
  expectedOf,
  type InterfaceStats,
  interfaceStats,
  lookUp,
  type MadeNetworks,
  type NamespaceWithPairs,
  type Network,
  type NetworkPlan,
  namespaceWithPairs,
  needsNoLookUp,
  type PairAct,
  type PartedActs,
  partActs,
  planNetworks,
  preparePairs,
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
  writeFileStep,
  writeText,
} from '@libcontainer/sys'
import { networkNamespace } from '../config/namespace-requests.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { NETWORK } from '../plan/container.js'
import { NETWORK_FILE } from './network.js'

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
  const path = config.namespaces.find(({ kind }) => kind === 'net')?.path
  if (path === undefined && (await needsNoLookUp(config))) return
  const host = await Side.open()
  let joined: Side | undefined
  try {
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

const isPair = (act: Act): act is PairAct => act.act === 'pair'

/** The networks of one start of a container. */
export class Networking {
  readonly #request: NetworkRequest
  readonly #plan: NetworkPlan
  readonly #parts: PartedActs
  /** What init does of them, in its own network namespace, when the rest is done. */
  readonly steps: readonly Step[]
  /** Where there is nothing else to be done from outside: they end with the first process, whose namespace their other ends are in. */
  readonly #pairs: readonly PairAct[] | undefined
  /** The process whose namespace they are made in: told by {@link make}. */
  readonly #place = new Expected<Place>()
  readonly #end = new AbortController()
  #making: Promise<AppliedNetworks | undefined> | undefined
  #there: NamespaceWithPairs | undefined
  #made: Promise<void> | undefined

  private constructor(request: NetworkRequest, plan: NetworkPlan) {
    this.#request = request
    this.#plan = plan
    this.#parts = this.#isNew ? partActs(plan.acts) : { outside: plan.acts, inside: [] }
    const { outside, inside } = this.#parts
    this.steps = inside.filter(act => !isLoopbackUp(act)).map(settingStep)
    this.#pairs = this.#isNew && outside.every(isPair) ? outside : undefined
  }

  /** Chooses names and addresses; touches nothing. */
  static plan(request: NetworkRequest): Networking {
    return new Networking(request, planNetworks(request.config, randomBytes))
  }

  get #isNew(): boolean {
    return networkNamespace(this.#request.config.namespaces) === 'new'
  }

  /** Whether there is something for {@link make}, which init waits for. */
  get waits(): boolean {
    return this.#makes && !this.isThere
  }

  get #makes(): boolean {
    return this.#parts.outside.length > 0
  }

  /** For the state, in the words of 2014: of the first pair. */
  get state(): NetworkState {
    const pair = this.#plan.chosen.find(({ hostName }) => hostName !== '')
    const ns_path = this.#request.config.namespaces.find(({ kind }) => kind === 'net')?.path
    return { veth_host: pair?.hostName, veth_child: pair?.name, ns_path }
  }

  /**
   * Whether its namespace is made without its first process, with the pairs in it: of a user namespace of the container's own it would not be. A name that was
   * asked for may be that of a container that runs, as who starts it a second time is told.
   */
  get isThere(): boolean {
    const { namespaces, networks = [] } = this.#request.config
    const isNamed = (network: Network): boolean => network.type === 'veth' && network.hostInterfaceName !== undefined
    return this.#makes && this.isQuick && !namespaces.some(({ kind }) => kind === 'user') && !networks.some(isNamed)
  }

  /** Readies the messages that make the namespace where that {@link isThere}: {@link close} lets go of it. */
  ready(): void {
    if (this.isThere) this.#there = namespaceWithPairs(this.#pairs!)
  }

  /** Begins to make what is ready. */
  begin(): void {
    this.#made = this.#there?.make()
    this.#made?.catch(() => {})
  }

  /** The namespace that {@link isThere}, for init. @throws {SyscallError} with `step` */
  async there(): Promise<Answer> {
    await this.#made
    return { fds: { [NETWORK]: this.#there!.namespace.fd } }
  }

  /** Does what needs no process, up to the messages that make the rest; what is wrong {@link make} tells. */
  prepare(): void {
    if (this.#pairs === undefined) this.#making ??= this.#apply()
    this.#making?.catch(() => {})
  }

  /**
   * Tell what {@link make} makes, before anybody but init can be in the namespace: until then it ends with init, whoever is killed, and a pair with it. What
   * takes more is told of before it is made.
   */
  get record(): Step[] {
    if (!this.isQuick || !this.#makes) return []
    return [writeFileStep(this.#file, stringifyJson(this.#expected), { mode: 0o600 })]
  }

  get #expected(): MadeNetworks {
    return expectedOf(this.#plan.acts)
  }

  get #file(): string {
    return `${this.#request.directory}/${NETWORK_FILE}`
  }

  #apply(): Promise<AppliedNetworks> {
    const { config, directory, warn } = this.#request
    return applyNetworks(
      config,
      { acts: this.#parts.outside },
      {
        namespace: this.#place.part('namespace'),
        kind: this.#isNew ? 'new' : 'joined',
        pid: this.#place.part('pid'),
        userNamespace: config.namespaces.some(each => each.kind === 'user'),
        directory,
        record: made => writeText(this.#file, stringifyJson(made), { mode: 0o600 }),
        keep: async fd => {
          const path = config.namespaces.find(each => each.kind === 'net')?.path
          return path ?? (await pinNamespace(fd, 'net', `${directory}/${PIN}`)).path
        },
        warn,
        signal: this.#end.signal,
      },
    )
  }

  /** Whether {@link make} does nothing but to ask the kernel, and so needs nobody to end it. */
  get isQuick(): boolean {
    return this.#pairs !== undefined
  }

  /**
   * Makes them, in the namespace of a process of ours, but for what the {@link steps} do. When any of it fails, nothing is left when it is undone.
   *
   * @throws {SyscallError} `ENOENT` where the process has ended
   */
  async make(pid: number, { signal }: Waiting = {}): Promise<void> {
    // Once, for everything: by its number the process could be another's by then.
    const namespace = openAtOnce(namespacePath('net', pid))
    this.#place.resolve({ pid, namespace })
    if (this.#pairs === undefined) this.prepare()
    else this.#making = preparePairs(this.#pairs, namespace)().then(() => undefined)
    const deaf = onAbort(signal, () => this.#end.abort(signal?.reason))
    try {
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
    if (this.isQuick) await releaseNetworks(this.#expected, { open: openPresent, warn: this.#request.warn })
    await releaseNetworking(this.#request)
  }

  /** Lets go of the namespace: when nobody is in it, it ends. */
  async close(): Promise<void> {
    this.#place.value?.namespace.close()
    // A message names it by its number, which may be another's when it is closed.
    await this.#made?.catch(() => {})
    this.#there?.namespace.close()
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
