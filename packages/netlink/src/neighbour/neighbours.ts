import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { ofFamily } from '../address/codecs.js'
import { type Family, familyNumber, familyOf, familyWord, noAddress, parseAddress } from '../address/text.js'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import type { UnknownAttribute } from '../message/attributes.js'
import { type MessageBody, messageBody, type NetlinkRequest, readBody } from '../message/message.js'
import { type NetlinkMessage, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, protocolError } from '../message/wire.js'
import { MAX_U8, TICKS_PER_SECOND, wordIn } from '../message/words.js'
import { type RouteProtocol, routeProtocols } from '../route/words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { neighbourAttributes, neighbourHeader } from './attributes.js'
import { type NeighbourFlag, type NeighbourState, NTF_PROXY, neighbourFlags, neighbourStates } from './words.js'

export const RTM_NEWNEIGH = 28
export const RTM_DELNEIGH = 29
export const RTM_GETNEIGH = 30

/** An address on a link's network and the link-layer address that it has there. What it does not have is absent. */
export interface Neighbour {
  family: Family
  address: string
  /** The number of the link. */
  dev: number
  /** The link-layer address: a MAC, or of tunnels one that has an address's length. */
  lladdr?: string
  state: NeighbourState | number
  flags?: NeighbourFlag[]
  protocol?: RouteProtocol | number
  /** The link that the link is a port of. */
  master?: number
  vlan?: number
  vni?: number
  /** How often the kernel has asked. */
  probes?: number
  /** Seconds since it was confirmed, used, updated, and how many hold it. */
  cache?: { confirmedS: number; usedS: number; updatedS: number; references: number }
  unknown?: readonly UnknownAttribute[]
}

/**
 * A neighbour that is asked for: `address` and `dev` have to be there. `state` is `permanent` unless it is given. A neighbour that was read is one,
 * too; `cache`, `probes` and `master` are not written.
 */
export type NeighbourSpec = {
  [K in keyof Omit<Neighbour, 'address' | 'dev' | 'family'>]?: Neighbour[K] | undefined
} & {
  address: string
  /** A name, or a number. */
  dev: LinkReference
}

/** Which of them is meant: of `flags` only `proxy` counts, one that this machine answers for. */
export type NeighbourKey = Pick<NeighbourSpec, 'address' | 'dev' | 'flags'>

export interface NeighbourFilter extends Waiting {
  /** Default: both */
  family?: Family | undefined
  dev?: LinkReference | undefined
  /** Those on links that are ports of this one. */
  master?: LinkReference | undefined
  /** Those that this machine answers for, instead of those that it knows. Default: `false` */
  proxy?: boolean | undefined
}

export interface AddNeighbourOptions extends Waiting {
  /** What becomes of one that is there: `add` leaves it (`EEXIST`), `replace` changes or makes it, `change` changes it (`ENOENT`). Default: `add` */
  mode?: NeighbourMode | undefined
}
export type NeighbourMode = 'add' | 'replace' | 'change'

export const NEIGHBOUR_MODES: Readonly<Record<NeighbourMode, number>> = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
  change: NLM_F_REPLACE,
}

const FIELDS: readonly (keyof Neighbour)[] = [
  'family',
  'address',
  'dev',
  'lladdr',
  'state',
  'flags',
  'protocol',
  'master',
  'vlan',
  'vni',
  'probes',
  'cache',
  'unknown',
]

/** The message that adds a neighbour. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function neighbourBody(spec: NeighbourSpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
  const flags = neighbourFlags.mask(spec.flags, 'flags')
  if (spec.lladdr === undefined && (flags & NTF_PROXY) === 0 && spec.state === undefined)
    throw new ConfigInvalid('lladdr', undefined, 'must be given for one that is permanent: the flag proxy needs none')
  return messageBody(
    neighbourHeader,
    {
      family: familyNumber(familyOf(parseAddress(spec.address, 'address'))),
      dev: index(spec.dev, 'dev'),
      state: neighbourStates.number(spec.state ?? 'permanent', 'state'),
      flags: flags & MAX_U8,
    },
    neighbourAttributes,
    {
      address: spec.address,
      lladdr: spec.lladdr,
      vlan: spec.vlan,
      vni: spec.vni,
      protocol: routeProtocols.number(spec.protocol, 'protocol'),
      extendedFlags: flags > MAX_U8 ? flags >>> 8 : undefined,
      unknown: spec.unknown,
    },
  )
}

function keyBody({ address, dev, flags }: NeighbourKey, index: LinkIndex): MessageBody {
  return messageBody(
    neighbourHeader,
    {
      family: familyNumber(familyOf(parseAddress(address, 'address'))),
      dev: index(dev, 'dev'),
      flags: neighbourFlags.mask(flags, 'flags') & NTF_PROXY,
    },
    neighbourAttributes,
    { address },
  )
}

/** The neighbour in a message of the kernel; `undefined` for one of neither IPv4 nor IPv6. @throws {LibcontainerError} `EPROTO` */
export function decodeNeighbour(payload: Uint8Array): Neighbour | undefined {
  const family = familyWord(payload[0])
  if (family === undefined) return undefined
  const { header, attributes } = readBody(neighbourHeader, neighbourAttributes, payload)
  const { address, lladdr, cache, probes, vlan, vni, master, protocol, extendedFlags, unknown } = attributes
  const neighbour: Neighbour = {
    family,
    address: address === undefined ? noAddress(family) : ofFamily(family, address),
    dev: header.dev,
    state: neighbourStates.word(header.state),
  }
  if (lladdr !== undefined) neighbour.lladdr = lladdr
  const flags = neighbourFlags.words(header.flags | ((extendedFlags ?? 0) << 8))
  if (flags.length > 0) neighbour.flags = flags
  if (protocol !== undefined) neighbour.protocol = routeProtocols.word(protocol)
  if (master !== undefined) neighbour.master = master
  if (vlan !== undefined) neighbour.vlan = vlan
  if (vni !== undefined) neighbour.vni = vni
  if (probes !== undefined) neighbour.probes = probes
  if (cache !== undefined) {
    const { confirmed = 0, used = 0, updated = 0, references = 0 } = cache
    neighbour.cache = {
      confirmedS: confirmed / TICKS_PER_SECOND,
      usedS: used / TICKS_PER_SECOND,
      updatedS: updated / TICKS_PER_SECOND,
      references,
    }
  }
  if (unknown !== undefined) neighbour.unknown = unknown
  return neighbour
}

/** The request that adds a neighbour, for a batch of several: its link is a number. @throws {ConfigInvalid} that names the field */
export function addNeighbourRequest(
  neighbour: NeighbourSpec,
  mode: NeighbourMode = 'add',
  index?: LinkIndex,
): NetlinkRequest {
  return {
    type: RTM_NEWNEIGH,
    flags: wordIn(NEIGHBOUR_MODES, mode, 'mode'),
    body: neighbourBody(neighbour, index),
    about: `${mode} the neighbour ${neighbour.address} of ${neighbour.dev}`,
  }
}

/** Neighbours of a network namespace, which ARP and neighbour discovery find: ip-neighbour(8). */
export class Neighbours {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: NeighbourFilter = {}): Promise<DumpedList<Neighbour>> {
    const { dev, master } = filter
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { dev, master }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - links by their numbers */
  dump(filter: NeighbourFilter & { dev?: number | undefined; master?: number | undefined } = {}): Dump<Neighbour> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /** One, by its address. @throws {SyscallError} `ENOENT` where there is none */
  async get(key: NeighbourKey, waiting: Waiting = {}): Promise<Neighbour> {
    const answer = await this.#ask(RTM_GETNEIGH, 'find', key, waiting)
    const neighbour = answer && decodeNeighbour(answer.payload)
    if (neighbour === undefined) throw protocolError('tells of no neighbour')
    return neighbour
  }

  /** @throws {ConfigInvalid} that names the field @throws {SyscallError} `EEXIST` where there is one */
  async add(neighbour: NeighbourSpec, { mode = 'add', signal }: AddNeighbourOptions = {}): Promise<void> {
    const make = (index: LinkIndex) => addNeighbourRequest(neighbour, mode, index)
    await requestWithLinks(this.#socket, { dev: neighbour.dev }, make, { signal })
  }

  /** Adds one, or changes the one with this address. */
  async replace(neighbour: NeighbourSpec, waiting: Waiting = {}): Promise<void> {
    await this.add(neighbour, { ...waiting, mode: 'replace' })
  }

  /** @throws {SyscallError} `ENOENT` where there is none */
  async delete(key: NeighbourKey, waiting: Waiting = {}): Promise<void> {
    await this.#ask(RTM_DELNEIGH, 'delete', key, waiting)
  }

  #ask(type: number, act: string, key: NeighbourKey, waiting: Waiting): Promise<NetlinkMessage | undefined> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type,
      body: keyBody(key, index),
      about: `${act} the neighbour ${key.address} of ${key.dev}`,
      path: key.address,
    })
    return requestWithLinks(this.#socket, { dev: key.dev }, make, waiting)
  }
}

function dumpRequest(
  { family, dev, master, proxy = false, signal }: NeighbourFilter,
  index: LinkIndex = numbered,
): DumpRequest<Neighbour> {
  return {
    type: RTM_GETNEIGH,
    // Strict checking wants the link among the attributes, and nothing in the header.
    body: messageBody(
      neighbourHeader,
      { family: family === undefined ? 0 : familyNumber(family), flags: proxy ? NTF_PROXY : 0 },
      neighbourAttributes,
      { via: index(dev, 'dev'), master: index(master, 'master') },
    ),
    about: 'list the neighbours',
    map: ({ payload }) => decodeNeighbour(payload),
    signal,
  }
}
