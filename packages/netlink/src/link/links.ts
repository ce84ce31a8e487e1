import { ConfigInvalid, isErrno, type OwnedFd, type Waiting } from '@libcontainer/sys'
import type { NetlinkRequest } from '../message/message.js'
import { type NetlinkMessage, protocolError } from '../message/wire.js'
import { checkTaken, youngerLinkOptions } from '../message/younger.js'
import { type NamespaceTarget, openNamespace } from '../namespace/namespace.js'
import type { Dump, DumpedList, NetlinkSocket } from '../socket/socket.js'
import { RTM_NEWLINK } from './attributes.js'
import { askLink, linkIndex } from './index-of.js'
import { linksIn } from './kinds.js'
import { type GetOptions, type Link, type LinkIdentity, parseLink, parseLinkIdentity, parseLinkIndex } from './link.js'
import {
  addLink,
  alternativeNames,
  deleteLink,
  type ListLinksOptions,
  listLinks,
  type MoveOptions,
  moveLink,
  setLink,
} from './messages.js'
import type { LinkChanges, LinkReference, NewLink } from './options.js'
import type { LinkStatistics } from './statistics.js'

async function orNone<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (isErrno(error, 'ENODEV')) return undefined
    throw error
  }
}

/** The network devices of a namespace. Each is told by its name, an alternative name, or its index. */
export class Links {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All links, or those of a kind or a master, at once. */
  async list({ signal, master, ...options }: ListLinksOptions & Waiting = {}): Promise<DumpedList<Link>> {
    const wanted = { ...options, master: await this.#index(master, 'master', { signal }) }
    return await this.#socket.list({ ...listLinks(wanted), signal, map: linkOf(wanted) })
  }

  /** The same one by one, as they come. @param options.master - by its index */
  dump({ signal, ...options }: ListLinksOptions & { master?: number | undefined } & Waiting = {}): Dump<Link> {
    return this.#socket.dump({ ...listLinks(options), signal, map: linkOf(options) })
  }

  /** @throws {SyscallError} `ENODEV` for none */
  async get(which: LinkReference, { signal, ...options }: GetOptions & Waiting = {}): Promise<Link> {
    return parseLink(await askLink(this.#socket, which, { signal }), options)
  }

  /** {@link get}, or `undefined` for none. */
  async find(which: LinkReference, options: GetOptions & Waiting = {}): Promise<Link | undefined> {
    return await orNone(this.get(which, options))
  }

  /** What a link is, which takes less; `undefined` for none. */
  async identify(which: LinkReference, waiting: Waiting = {}): Promise<LinkIdentity | undefined> {
    return await orNone(askLink(this.#socket, which, waiting).then(parseLinkIdentity))
  }

  /** The index of a link. @throws {SyscallError} `ENODEV` for none */
  async index(which: LinkReference, waiting: Waiting = {}): Promise<number> {
    return parseLinkIndex(await askLink(this.#socket, which, waiting))
  }

  /** What a link has counted. */
  async statistics(which: LinkReference, waiting: Waiting = {}): Promise<LinkStatistics> {
    const { statistics } = await this.get(which, { ...waiting, statistics: true })
    if (statistics === undefined) throw protocolError('of a link lacks its statistics')
    return statistics
  }

  /**
   * Makes a link: of a veth both ends, by one message. What the kernel takes of a link that is there alone (`alias`, `addressGeneration`, `protoDown`,
   * `bridgePort`, `bondPort`, `alternativeNames`) follows, and when that fails the link is deleted.
   *
   * @throws {ConfigInvalid} for what is wrong with a field, before anything is made
   * @throws {SyscallError} `EEXIST` when a name is taken, `EOPNOTSUPP` for a kind or an option that the kernel does not have, `EPERM` without
   * CAP_NET_ADMIN
   */
  async add(link: NewLink, { signal }: Waiting = {}): Promise<void> {
    const { start, later, names } = parted(link)
    const younger = youngerLinkOptions(start.kind, start)
    const done = later === undefined && names === undefined && younger.length === 0
    if (link.namespace !== undefined && !done) {
      const what = nameOf(later) ?? (names === undefined ? `data.${younger[0]!.name}` : 'alternativeNames')
      throw new ConfigInvalid('namespace', link.namespace, `must not be given with ${what}: set it there`)
    }
    // Both are looked at before there is a link that would have to go again.
    if (later !== undefined) setLink(1, { ...later, bridgePort: withoutLinks(later.bridgePort) })
    if (names !== undefined) alternativeNames(1, 'add', names)
    using held = new Held()
    const resolved = { ...(await this.#resolved(start, { signal })) }
    if (resolved.namespace !== undefined) resolved.namespace = await held.hold(resolved.namespace, 'namespace')
    if (typeof resolved.peer === 'object' && resolved.peer.namespace !== undefined)
      resolved.peer = { ...resolved.peer, namespace: await held.hold(resolved.peer.namespace, 'peer.namespace') }
    signal?.throwIfAborted()
    // The kernel acts and answers at once. Nobody who gives up waiting should have to guess whether there is a link now.
    await this.#socket.request(addLink(resolved))
    if (done) return
    let made: LinkReference = link.name
    try {
      made = await this.index(made)
      if (younger.length > 0) checkTaken(younger, await this.get(made), link.name)
      if (names !== undefined) await this.#socket.request({ ...alternativeNames(made, 'add', names), path: link.name })
      if (later !== undefined) await this.#set(made, link.name, later, { signal })
    } catch (error) {
      await this.#socket.request(deleteLink(made)).catch(() => undefined)
      throw error
    }
  }

  /**
   * Changes what is given, and leaves the rest. The name of a link that is up can be changed from Linux 6.2 on.
   *
   * @throws {ConfigInvalid} for what is wrong with a field, before anything is changed
   * @throws {SyscallError} `EOPNOTSUPP` for an option that the kernel does not have: all others are set; where it refuses a value, what is
   * ahead of it in the message may be changed
   */
  async set(which: LinkReference, changes: LinkChanges, waiting: Waiting = {}): Promise<void> {
    const { name, data, bridgePort, bondPort } = changes
    const needsIndex = [name, data, bridgePort, bondPort].some(value => value !== undefined)
    const target = needsIndex ? await linkIndex(this.#socket, which, 'which', waiting) : which
    await this.#set(target, String(which), changes, waiting)
  }

  /** @param called - what errors call it */
  async #set(which: LinkReference, called: string, changes: LinkChanges, waiting: Waiting): Promise<void> {
    let { data, kind, master, bridgePort } = changes
    if (data !== undefined) kind ??= (await this.get(which, waiting)).kind
    if (data !== undefined && kind !== undefined) data = await this.#withIndices(data, linksIn(kind), 'data', waiting)
    bridgePort = await this.#withIndices(bridgePort, ['backupPort'], 'bridgePort', waiting)
    if (master !== undefined && master !== null) master = (await this.#index(master, 'master', waiting))!
    const all: LinkChanges = { ...changes, data, kind, master, bridgePort }
    for (const request of setRequests(which, all))
      await this.#socket.request({ ...request, about: `set the link ${called}`, path: called, ...waiting })
    const younger = youngerLinkOptions(kind, changes)
    if (younger.length > 0) checkTaken(younger, await this.get(which, waiting), called)
  }

  /** Deletes a link: of a veth both ends. @throws {SyscallError} `ENODEV` for none, `EOPNOTSUPP` for hardware */
  async delete(which: LinkReference, { signal }: Waiting = {}): Promise<void> {
    await this.#socket.request({ ...deleteLink(which), signal })
  }

  /**
   * Moves a link to another namespace, in which it is down and has no addresses, and gives it another name or index there where asked.
   *
   * @throws {SyscallError} `EEXIST` when a link there has the name, `EINVAL` for one that cannot leave, such as `lo`
   */
  async move(
    which: LinkReference,
    namespace: NamespaceTarget,
    { signal, ...options }: MoveOptions & Waiting = {},
  ): Promise<void> {
    using held = new Held()
    const there = await held.hold(namespace, 'namespace')
    const target = options.name === undefined ? which : await linkIndex(this.#socket, which, 'which', { signal })
    await this.#socket.request({ ...moveLink(target, there, options), path: String(which), signal })
  }

  async addAlternativeNames(which: LinkReference, names: readonly string[], { signal }: Waiting = {}): Promise<void> {
    await this.#socket.request({ ...alternativeNames(which, 'add', names), signal })
  }

  async removeAlternativeNames(
    which: LinkReference,
    names: readonly string[],
    { signal }: Waiting = {},
  ): Promise<void> {
    await this.#socket.request({ ...alternativeNames(which, 'remove', names), signal })
  }

  async #resolved(link: NewLink, waiting: Waiting): Promise<NewLink> {
    const [master, below, data] = await Promise.all([
      this.#index(link.master, 'master', waiting),
      this.#index(link.link, 'link', waiting),
      this.#withIndices(link.data, linksIn(link.kind), 'data', waiting),
    ])
    return { ...link, master, link: below, data } as NewLink
  }

  async #index(which: LinkReference | undefined, field: string, waiting: Waiting): Promise<number | undefined> {
    return which === undefined ? undefined : await linkIndex(this.#socket, which, field, waiting)
  }

  async #withIndices<T extends object | undefined>(
    data: T,
    fields: readonly string[],
    field: string,
    waiting: Waiting,
  ): Promise<T> {
    if (typeof data !== 'object' || data === null || data instanceof Uint8Array) return data
    const found: Record<string, unknown> = { ...data }
    for (const name of fields)
      found[name] = await this.#index(found[name] as LinkReference | undefined, `${field}.${name}`, waiting)
    return found as T
  }
}

/** A kernel that does not know the kind, or is older than the filters, answers with more links than were asked for. */
function linkOf({ kind, master, ...options }: ListLinksOptions): (message: NetlinkMessage) => Link | undefined {
  return ({ type, payload }) => {
    if (type !== RTM_NEWLINK) return undefined
    const link = parseLink(payload, options)
    return (kind ?? link.kind) === link.kind && (master ?? link.master) === link.master ? link : undefined
  }
}

/** The kernel looks for the master before it reads what a port has: a link that becomes a port has that by a second message. */
function setRequests(which: LinkReference, changes: LinkChanges): NetlinkRequest[] {
  const { master, bridgePort, bondPort, ...rest } = changes
  if (master === undefined || (bridgePort === undefined && bondPort === undefined)) return [setLink(which, changes)]
  return [setLink(which, { ...rest, master }), setLink(which, { bridgePort, bondPort })]
}

/** What a new link begins with, and what the kernel only takes of one that is there. */
function parted(link: NewLink): {
  start: NewLink
  later: LinkChanges | undefined
  names: readonly string[] | undefined
} {
  const { alias, addressGeneration, protoDown, bridgePort, bondPort, alternativeNames: names, ...start } = link
  const later: LinkChanges = { alias, addressGeneration, protoDown, bridgePort, bondPort }
  const some = Object.values(later).some(value => value !== undefined)
  return { start: start as NewLink, later: some ? later : undefined, names }
}

const nameOf = (later: LinkChanges | undefined): string | undefined =>
  Object.entries(later ?? {}).find(([, value]) => value !== undefined)?.[0]

function withoutLinks(port: LinkChanges['bridgePort']): LinkChanges['bridgePort'] {
  return port === undefined ? undefined : { ...port, backupPort: undefined }
}

/** Descriptors of namespaces that were opened by path or name, once for all that is done. */
class Held implements Disposable {
  readonly #fds: OwnedFd[] = []

  async hold(namespace: NamespaceTarget, field: string): Promise<NamespaceTarget> {
    const isOpen =
      typeof namespace === 'number' || (typeof namespace === 'object' && ('pid' in namespace || 'fd' in namespace))
    if (isOpen) return namespace
    const fd = await openNamespace(namespace, field)
    this.#fds.push(fd)
    return fd
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) fd.close()
  }
}
