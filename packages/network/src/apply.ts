import { addLinkRequest } from '@libcontainer/netlink'
import type { OwnedFd, Waiting } from '@libcontainer/sys'
import type { Act, HelperAct, MoveAct, PairAct, RunAct, UpperAct } from './acts.js'
import { endHelper, startHelper } from './helper.js'
import { type HostLinks, lookUp } from './look-up.js'
import { expectedOf, type LentDevice, type MadeNetworks, needsNamespace } from './made.js'
import { giveBack, isOnHost, moveDevice, rememberDevice, settleRequests } from './net-devices.js'
import { identityOf, openOwnNamespace } from './own-namespace.js'
import { pairRequest } from './pair.js'
import type { NetworkPlan } from './plan.js'
import { applyPort, portRequests } from './port.js'
import { deletePair, ifPresent } from './release.js'
import { isSetting, LOOPBACK, leading, type Setting, settingRequest } from './settings.js'
import { Sides, type Wanted } from './side.js'
import type { NetworkConfig } from './types.js'

export interface ApplyOptions extends Waiting {
  /** Of the container. It stays the caller's, and is used for everything. One that is on its way is waited for when all that needs none is done. */
  readonly namespace: OwnedFd | Promise<OwnedFd>
  /** Whether the namespace ends with the container, or was joined. */
  readonly kind: 'new' | 'joined'
  /** A process in it: for helpers, and for strategies of others. */
  readonly pid?: number | Promise<number> | undefined
  /** It has a user namespace of its own. Default: false. */
  readonly userNamespace?: boolean | undefined
  /** Of the container's own, for files of helpers. */
  readonly directory: string
  /** Keeps what there is to be taken back, whoever is killed: before anything is made, and when more is known. */
  readonly record: (made: MadeNetworks) => Promise<void>
  /** Makes the namespace able to be found after the container's end; answers with a path. Asked only where something is lent. */
  readonly keep?: ((namespace: OwnedFd) => Promise<string>) | undefined
  readonly warn?: ((message: string) => void) | undefined
}

/** Networks that were made. */
export interface AppliedNetworks {
  readonly made: MadeNetworks
  /** Takes all of it back, devices too that would stay: for a container that could not be started, while its namespace is there. */
  undo(): Promise<void>
}

/**
 * Makes the networks of a container as they are planned. When any of it fails, all is taken back and nothing is left.
 *
 * @throws {ConfigInvalid} for what is not there, or is in the way, before anything is touched
 * @throws {SyscallError} with `step`, for what the kernel refused
 */
export async function applyNetworks(
  config: NetworkConfig,
  plan: Pick<NetworkPlan, 'acts'>,
  options: ApplyOptions,
): Promise<AppliedNetworks> {
  const { namespace, kind, signal } = options
  const { acts } = plan
  return await withSides(
    namespace,
    async sides => {
      const joined = kind === 'joined' && isInside(acts) ? await sides.container() : undefined
      const links = await lookUp(config, sides.host, joined)
      signal?.throwIfAborted()
      const work = new Work(sides, links, acts, options)
      try {
        await work.run()
      } catch (error) {
        await work.undo()
        throw error
      }
      const undo = (): Promise<void> => withSides(namespace, sides => work.undo(sides)).catch(work.leave)
      return { made: work.made, undo }
    },
    { signal },
  )
}

/** Whether there is anything to do in the container by ourselves. */
const isInside = (acts: readonly Act[]): boolean =>
  acts.some(({ act }) => act !== 'helper' && act !== 'run' && act !== 'port')

async function withSides<T>(
  namespace: ApplyOptions['namespace'],
  act: (sides: Sides) => Promise<T>,
  waiting: Waiting = {},
): Promise<T> {
  const sides = await Sides.open(namespace, waiting)
  try {
    return await act(sides)
  } finally {
    sides.close()
  }
}

type Undo = (sides: Sides) => Promise<void>

/** One that is done, act by act, and can be taken back. */
class Work {
  made: MadeNetworks
  readonly #sides: Sides
  readonly #links: HostLinks
  readonly #acts: readonly Act[]
  readonly #options: ApplyOptions
  readonly #undo: Undo[] = []
  /** Those of the container, by the names that the plan has for them. Others are looked up. */
  readonly #inside = new Map([['lo', LOOPBACK]])
  #recorded: MadeNetworks | undefined

  constructor(sides: Sides, links: HostLinks, acts: readonly Act[], options: ApplyOptions) {
    this.#sides = sides
    this.#links = links
    this.#acts = acts
    this.#options = options
    this.made = expectedOf(acts)
  }

  async run(): Promise<void> {
    await this.#begin()
    for (let i = 0; i < this.#acts.length; ) {
      this.#options.signal?.throwIfAborted()
      // What the container's interfaces get goes in one system call.
      const settings = leading(this.#acts.slice(i), isSetting)
      if (settings.length > 0) await this.#meanwhile(() => this.#settle(settings))
      else await this.#make(this.#acts[i] as Making)
      i += Math.max(settings.length, 1)
    }
    await this.#record()
  }

  /** Tells what has become known, where there is something. */
  async #record(): Promise<void> {
    if (this.made === this.#recorded) return
    this.#recorded = this.made
    await this.#options.record(this.made)
  }

  /** Acts while what is known is told: neither goes on behind our back when the other fails. */
  async #meanwhile(act: () => Promise<void>): Promise<void> {
    const [acted, told] = await Promise.allSettled([act(), this.#record()])
    for (const each of [acted, told]) if (each.status === 'rejected') throw each.reason
  }

  /** Takes back all that was done, the last first, whatever fails. */
  async undo(sides = this.#sides): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo(sides)
      } catch (error) {
        this.leave(error)
      }
    }
  }

  /** Nothing else of the container waits for what cannot be taken back. */
  readonly leave = (error: unknown): void => {
    this.#options.warn?.(`not all of the networks is taken back: ${(error as Error).message}`)
  }

  async #begin(): Promise<void> {
    const { kind, keep } = this.#options
    const lent: LentDevice[] = []
    for (const act of this.#acts)
      if (act.act === 'move') lent.push(await rememberDevice(this.#sides.host, act.device, act.giveBack))
    const found = needsNamespace(this.#acts, kind)
    const namespace = found ? await this.#options.namespace : undefined
    const identities = namespace && { host: await identityOf(), container: await identityOf(namespace) }
    this.made = { ...this.made, lent, ...identities }
    // Before the pin, too, which whoever removes the container has to find.
    await this.#record()
    if (namespace === undefined || keep === undefined) return
    this.made = { ...this.made, path: await keep(namespace) }
    await this.#record()
  }

  async #make(act: Making): Promise<void> {
    switch (act.act) {
      case 'pair':
        return await this.#makePair(act)
      case 'upper':
        return await this.#makeUpper(act)
      case 'move':
        return await this.#move(act)
      case 'helper':
        return await this.#startHelper(act)
      case 'port':
        return await applyPort(this.#sides.host, act)
      case 'run':
        return await this.#runOther(act)
    }
  }

  async #makePair(act: PairAct): Promise<void> {
    const { host } = this.#sides
    const request = pairRequest(act, this.#links.get(act.bridge)!.index, await this.#options.namespace)
    // By its address: whoever else has the name keeps it.
    this.#undo.push(sides => deletePair(sides.host, act))
    await host.run([{ about: act.about, request }])
    if (act.hairpinMode || act.vlans !== undefined)
      await host.run(portRequests(act, await host.links.index(act.hostName)))
  }

  async #makeUpper(act: UpperAct): Promise<void> {
    const { about, kind, parent, name, mode, id, macAddress, mtu, txQueueLen } = act
    const { host } = this.#sides
    const common = {
      name,
      mac: macAddress,
      mtu,
      txQueueLength: txQueueLen,
      link: this.#links.get(parent)!.index,
      namespace: await this.#options.namespace,
    }
    const request =
      kind === 'vlan'
        ? addLinkRequest({ ...common, kind, data: { id } })
        : kind === 'macvlan'
          ? addLinkRequest({ ...common, kind, data: { mode: mode as 'bridge' } })
          : addLinkRequest({ ...common, kind, data: { mode: mode as 'l2' } })
    await host.run([{ about, request }])
    const index = await (await this.#sides.container()).links.index(name)
    this.#undo.push(async sides => ifPresent((await sides.container()).links.delete(index)))
    this.#inside.set(name, index)
    if (this.#options.kind === 'joined')
      this.made = { ...this.made, inside: [...this.made.inside, { name, index, kind }] }
  }

  async #move({ device, name, giveBack: back }: MoveAct): Promise<void> {
    const { namespace, warn = () => {} } = this.#options
    const lent = this.made.lent.find(each => each.name === device)!
    let moved = lent
    this.#undo.push(async sides => {
      if (await isOnHost(sides.host, lent)) return
      const own = await openOwnNamespace()
      const both = { host: sides.host, container: await sides.container() }
      await giveBack(both, moved, own, warn).finally(() => own.close())
    })
    const both = { host: this.#sides.host, container: await this.#sides.container() }
    const inside = await moveDevice(both, lent, name, await namespace)
    moved = { ...lent, inside }
    this.#inside.set(name, inside)
    this.made = { ...this.made, lent: this.made.lent.map(each => (each === lent ? moved : each)) }
    if (!back) await both.container.run(settleRequests(lent, inside))
  }

  async #startHelper({ helper, name, mtu }: HelperAct): Promise<void> {
    const { userNamespace = false, directory } = this.#options
    const pid = await this.#options.pid
    if (pid === undefined) throw new TypeError('a helper needs a process in the namespace')
    const running = await startHelper(helper, { name, mtu, pid, userNamespace }, directory)
    this.#undo.push(() => endHelper(running))
    this.made = { ...this.made, helpers: [...this.made.helpers, running] }
    // It does not end with anybody: that is known before anything else can fail.
    await this.#record()
  }

  async #runOther({ run }: RunAct): Promise<void> {
    const { pid, namespace } = this.#options
    const undo = await run({ pid: await pid, namespace: (await namespace).fd })
    this.#undo.push(undo)
  }

  async #settle(acts: readonly Setting[]): Promise<void> {
    const container = await this.#sides.container()
    const names = new Set(acts.map(({ name }) => name).filter(name => name !== undefined))
    for (const name of names) if (!this.#inside.has(name)) this.#inside.set(name, await container.links.index(name))
    const indexOf = (name: string): number => this.#inside.get(name)!
    await container.run(acts.map((act): Wanted => ({ about: act.about, request: settingRequest(act, indexOf) })))
  }
}

type Making = Exclude<Act, Setting>
