import type { Waiting } from '@libcontainer/sys'
import { AF_BRIDGE } from '../link/attributes.js'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import type { UnknownAttribute } from '../message/attributes.js'
import { type MessageBody, messageBody, type NetlinkRequest, readBody } from '../message/message.js'
import { NLM_F_APPEND, NLM_F_CREATE } from '../message/wire.js'
import { checkInteger, MAX_U8, wordIn } from '../message/words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { fdbAttributes, neighbourHeader } from './attributes.js'
import { NEIGHBOUR_MODES, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './neighbours.js'
import { type NeighbourFlag, NTF_MASTER, NTF_SELF, neighbourFlags } from './words.js'

const REACHABLE = 0x02
const STALE = 0x04
const NOARP = 0x40
const PERMANENT = 0x80

/**
 * - `permanent`: an address of the bridge or device itself, which packets are taken in for;
 * - `static`: of somebody behind the port, for ever;
 * - `dynamic`: likewise, until it is forgotten or found elsewhere;
 * - `stale`: about to be forgotten. It is not written.
 */
export type FdbState = 'permanent' | 'static' | 'dynamic' | 'stale'
const STATES: Readonly<Record<FdbState, number>> = {
  permanent: NOARP | PERMANENT,
  static: NOARP | REACHABLE,
  dynamic: REACHABLE,
  stale: STALE,
}

/** Behind which port of a bridge, or which end of a tunnel, a MAC is. What it does not have is absent. */
export interface FdbEntry {
  mac: string
  /** The number of the link: the port, or the device whose own table it is. */
  dev: number
  state: FdbState
  /** `self`: of the device's own table; `master`: of that of the bridge that it is a port of. */
  flags?: NeighbourFlag[]
  /** The number of the bridge. */
  master?: number
  vlan?: number
  /** Of a vxlan: the address of the other end. */
  destination?: string
  /** Of a vxlan: the UDP port of the other end. */
  port?: number
  vni?: number
  sourceVni?: number
  /** Of a vxlan: the number of the link that the other end is reached by. */
  via?: number
  nextHopId?: number
  unknown?: readonly UnknownAttribute[]
}

/**
 * An entry that is asked for: `mac` and `dev` have to be there; `state` is `permanent` unless it is given. Without `self` or `master` among the flags
 * it is `self`, as of bridge(8).
 */
export type FdbEntrySpec = { [K in keyof Omit<FdbEntry, 'mac' | 'dev' | 'via'>]?: FdbEntry[K] | undefined } & {
  mac: string
  /** A name, or a number. */
  dev: LinkReference
  via?: LinkReference | undefined
}

/** Which entry is meant: those of different VLANs are different. */
export type FdbKey = Pick<
  FdbEntrySpec,
  'mac' | 'dev' | 'vlan' | 'flags' | 'destination' | 'port' | 'vni' | 'via' | 'sourceVni'
>

export interface FdbFilter extends Waiting {
  /** Of this bridge. */
  bridge?: LinkReference | undefined
  /** Of this port, or device. */
  dev?: LinkReference | undefined
}

export interface AddFdbOptions extends Waiting {
  /**
   * What becomes of one that is there: `add` leaves it (`EEXIST`), `replace` changes or makes it, `change` changes it (`ENOENT`), `append` gives the
   * MAC of a vxlan another end, to which packets for it go, too. Default: `add`
   */
  mode?: FdbMode | undefined
}
export type FdbMode = keyof typeof MODES
const MODES = { ...NEIGHBOUR_MODES, append: NLM_F_CREATE | NLM_F_APPEND }

const MAX_VLAN = 4094
const FIELDS: readonly (keyof FdbEntrySpec)[] = [
  'mac',
  'dev',
  'state',
  'flags',
  'master',
  'vlan',
  'destination',
  'port',
  'vni',
  'sourceVni',
  'via',
  'nextHopId',
  'unknown',
]

/** The message that adds an entry. @param index - the numbers of the links. @throws {ConfigInvalid} that names the field */
export function fdbBody(spec: FdbEntrySpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
  const { state = 'permanent' } = spec
  return body(spec, wordIn(STATES, state, 'state'), index, { nextHopId: spec.nextHopId, unknown: spec.unknown })
}

function body(
  key: FdbKey,
  state: number,
  index: LinkIndex,
  more: { nextHopId?: number | undefined; unknown?: readonly UnknownAttribute[] | undefined } = {},
): MessageBody {
  const flags = neighbourFlags.mask(key.flags, 'flags')
  return messageBody(
    neighbourHeader,
    {
      family: AF_BRIDGE,
      dev: index(key.dev, 'dev'),
      state,
      flags: (flags & MAX_U8) | ((flags & (NTF_SELF | NTF_MASTER)) === 0 ? NTF_SELF : 0),
    },
    fdbAttributes,
    {
      destination: key.destination,
      mac: key.mac,
      vlan: key.vlan === undefined ? undefined : checkInteger(key.vlan, 'vlan', 1, MAX_VLAN),
      port: key.port,
      vni: key.vni,
      sourceVni: key.sourceVni,
      via: index(key.via, 'via'),
      ...more,
      extendedFlags: flags > MAX_U8 ? flags >>> 8 : undefined,
    },
  )
}

/** The entry in a message of the kernel; `undefined` for what is none. @throws {LibcontainerError} `EPROTO` */
export function decodeFdbEntry(payload: Uint8Array): FdbEntry | undefined {
  if (payload[0] !== AF_BRIDGE) return undefined
  const { header, attributes } = readBody(neighbourHeader, fdbAttributes, payload)
  const { mac, master, vlan, destination, port, vni, sourceVni, via, nextHopId, extendedFlags, unknown } = attributes
  if (mac === undefined) return undefined
  const entry: FdbEntry = { mac, dev: header.dev, state: stateOf(header.state) }
  const flags = neighbourFlags.words(header.flags | ((extendedFlags ?? 0) << 8))
  if (flags.length > 0) entry.flags = flags
  if (master !== undefined) entry.master = master
  if (vlan !== undefined) entry.vlan = vlan
  if (destination !== undefined) entry.destination = destination
  if (port !== undefined) entry.port = port
  if (vni !== undefined) entry.vni = vni
  if (sourceVni !== undefined) entry.sourceVni = sourceVni
  if (via !== undefined) entry.via = via
  if (nextHopId !== undefined) entry.nextHopId = nextHopId
  if (unknown !== undefined) entry.unknown = unknown
  return entry
}

/** The strongest that is said, as bridge(8) reads it. */
function stateOf(state: number): FdbState {
  if ((state & PERMANENT) !== 0) return 'permanent'
  if ((state & NOARP) !== 0) return 'static'
  return (state & STALE) !== 0 ? 'stale' : 'dynamic'
}

/** Forwarding tables of bridges and of devices that have their own: bridge(8), `bridge fdb`. */
export class Fdb {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: FdbFilter = {}): Promise<DumpedList<FdbEntry>> {
    const { bridge, dev } = filter
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { bridge, dev }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - links by their numbers */
  dump(filter: FdbFilter & { bridge?: number | undefined; dev?: number | undefined } = {}): Dump<FdbEntry> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /** @throws {ConfigInvalid} that names the field @throws {SyscallError} `EEXIST` where there is one, `EOPNOTSUPP` for a device without a table */
  async add(entry: FdbEntrySpec, { mode = 'add', signal }: AddFdbOptions = {}): Promise<void> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_NEWNEIGH,
      flags: wordIn(MODES, mode, 'mode'),
      body: fdbBody(entry, index),
      about: `${mode} ${entry.mac} in the forwarding table of ${entry.dev}`,
      hints: { EOPNOTSUPP: 'the flag master is for ports of a bridge; self is for devices with a table of their own' },
    })
    await requestWithLinks(this.#socket, { dev: entry.dev, via: entry.via }, make, { signal })
  }

  /** Adds one, or changes the one with this MAC. */
  async replace(entry: FdbEntrySpec, waiting: Waiting = {}): Promise<void> {
    await this.add(entry, { ...waiting, mode: 'replace' })
  }

  /** @throws {SyscallError} `ENOENT` where there is none */
  async delete(key: FdbKey, waiting: Waiting = {}): Promise<void> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_DELNEIGH,
      body: body(key, 0, index),
      about: `delete ${key.mac} from the forwarding table of ${key.dev}`,
    })
    await requestWithLinks(this.#socket, { dev: key.dev, via: key.via }, make, waiting)
  }
}

function dumpRequest({ bridge, dev, signal }: FdbFilter, index: LinkIndex = numbered): DumpRequest<FdbEntry> {
  return {
    type: RTM_GETNEIGH,
    body: messageBody(neighbourHeader, { family: AF_BRIDGE }, fdbAttributes, {
      via: index(dev, 'dev'),
      master: index(bridge, 'bridge'),
    }),
    about: 'list the forwarding tables',
    map: ({ payload }) => decodeFdbEntry(payload),
    signal,
  }
}
