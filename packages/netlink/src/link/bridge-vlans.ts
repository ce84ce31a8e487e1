import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { attributes, nested, repeated, string, struct, u16, u32 } from '../message/attributes.js'
import { type MessageBody, messageBody, type NetlinkRequest, readBody } from '../message/message.js'
import { protocolError } from '../message/wire.js'
import { checkInteger } from '../message/words.js'
import { dumpedList } from '../socket/dump.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { AF_BRIDGE, linkHeader, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK } from './attributes.js'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from './index-of.js'
import type { LinkReference } from './options.js'
import { checkFields } from './values.js'

/** BRIDGE_VLAN_INFO_* of linux/if_bridge.h. */
const PVID = 2
const UNTAGGED = 4
const RANGE_BEGIN = 8
const RANGE_END = 16
/** BRIDGE_FLAGS_SELF: the link is the bridge itself. */
const SELF = 2
/** RTEXT_FILTER_BRVLAN_COMPRESSED: VLANs in a row are told as one range. */
const COMPRESSED = 4
const MAX_VLAN = 4094
const FIELDS: readonly (keyof BridgeVlanSpec)[] = ['dev', 'vid', 'vidEnd', 'pvid', 'untagged', 'self']

/** struct bridge_vlan_info. */
const vlanInfo = struct({ flags: u16, vid: u16 }, { whole: true })

/** IFLA_BRIDGE_*, in IFLA_AF_SPEC of a link that is a bridge or a port of one. */
const bridgeAttributes = attributes({ flags: [0, u16], mode: [1, u16], vlans: [2, repeated(vlanInfo)] })
const bridgeLinkAttributes = attributes({
  name: [3, string],
  master: [10, u32],
  bridge: [26, nested(bridgeAttributes)],
  extMask: [29, u32],
})

/** VLANs in a row that a port of a bridge, or the bridge itself, is a member of. */
export interface BridgeVlan {
  /** The number of the link. */
  dev: number
  /** 1 to 4094. */
  vid: number
  /** The last of them, where there are several. */
  vidEnd?: number
  /** Packets without a tag that come in belong to it. */
  pvid?: boolean
  /** Packets that go out lose their tag. */
  untagged?: boolean
}

/** VLANs that are asked for. */
export interface BridgeVlanSpec {
  /** A port of a bridge, or the bridge: a name, or a number. */
  dev: LinkReference
  /** 1 to 4094. */
  vid: number
  /** The last of them. Default: `vid` alone */
  vidEnd?: number | undefined
  /** Packets without a tag that come in belong to it, and to no other VLAN any more. One VLAN alone. Default: `false` */
  pvid?: boolean | undefined
  /** Packets that go out lose their tag. Default: `false` */
  untagged?: boolean | undefined
  /** `dev` is the bridge itself: what it takes in and sends. Default: `false` */
  self?: boolean | undefined
}

export type BridgeVlanKey = Pick<BridgeVlanSpec, 'dev' | 'vid' | 'vidEnd' | 'self'>

export interface BridgeVlanFilter extends Waiting {
  dev?: LinkReference | undefined
}

/** The message that adds or deletes VLANs. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function bridgeVlanBody(spec: BridgeVlanSpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
  const { dev, pvid = false, untagged = false, self = false } = spec
  const vid = checkInteger(spec.vid, 'vid', 1, MAX_VLAN)
  const end = spec.vidEnd === undefined ? vid : checkInteger(spec.vidEnd, 'vidEnd', vid, MAX_VLAN)
  if (pvid && end !== vid)
    throw new ConfigInvalid('pvid', true, 'must not be given for several VLANs: packets without a tag belong to one')
  const flags = (pvid ? PVID : 0) | (untagged ? UNTAGGED : 0)
  const vlans =
    end === vid
      ? [{ flags, vid }]
      : [
          { flags: flags | RANGE_BEGIN, vid },
          { flags: flags | RANGE_END, vid: end },
        ]
  return messageBody(linkHeader, { family: AF_BRIDGE, index: index(dev, 'dev') }, bridgeLinkAttributes, {
    bridge: { flags: self ? SELF : undefined, vlans },
  })
}

/** The VLANs of the link in a message of the kernel. @throws {LibcontainerError} `EPROTO` */
export function decodeBridgeVlans(payload: Uint8Array): BridgeVlan[] {
  if (payload[0] !== AF_BRIDGE) return []
  const { header, attributes } = readBody(linkHeader, bridgeLinkAttributes, payload)
  const found: BridgeVlan[] = []
  let begin: number | undefined
  for (const { flags = 0, vid = 0 } of attributes.bridge?.vlans ?? []) {
    if ((flags & RANGE_BEGIN) !== 0) {
      begin = vid
      continue
    }
    const vlan: BridgeVlan = { dev: header.index, vid }
    if ((flags & RANGE_END) !== 0) {
      if (begin === undefined || begin > vid) throw protocolError(`has a range of VLANs that ends with ${vid} alone`)
      vlan.vid = begin
      vlan.vidEnd = vid
    }
    begin = undefined
    if ((flags & PVID) !== 0) vlan.pvid = true
    if ((flags & UNTAGGED) !== 0) vlan.untagged = true
    found.push(vlan)
  }
  return found
}

/** VLANs of bridges that filter them, and of their ports: bridge(8), `bridge vlan`. */
export class BridgeVlans {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, by link. VLANs in a row that are alike are one entry. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: BridgeVlanFilter = {}): Promise<DumpedList<BridgeVlan>> {
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    const links = await this.#socket.list(await withLinks(this.#socket, { dev: filter.dev }, make, filter))
    return dumpedList(links.flat(), links.interrupted)
  }

  /** {@link list}, link by link, as the kernel tells them. @param filter - the link by its number */
  dump(filter: BridgeVlanFilter & { dev?: number | undefined } = {}): Dump<BridgeVlan[]> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /**
   * Makes a port, or the bridge itself, a member of VLANs; flags of one that it was a member of before are changed.
   *
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EOPNOTSUPP` for a link that is no port of a bridge
   */
  async add(vlan: BridgeVlanSpec, waiting: Waiting = {}): Promise<void> {
    await requestWithLinks(this.#socket, { dev: vlan.dev }, index => addBridgeVlanRequest(vlan, index), waiting)
  }

  /** One that it is no member of is fine, so that all are deleted by `{ vid: 1, vidEnd: 4094 }`. @throws {SyscallError} `EOPNOTSUPP` as {@link add} */
  async delete(key: BridgeVlanKey, waiting: Waiting = {}): Promise<void> {
    await requestWithLinks(this.#socket, { dev: key.dev }, index => deleteBridgeVlanRequest(key, index), waiting)
  }
}

const HINTS = { EOPNOTSUPP: 'the link is no port of a bridge: of the bridge itself set self' }

const called = ({ vid, vidEnd = vid }: BridgeVlanKey): string =>
  vidEnd === vid ? `VLAN ${vid}` : `VLANs ${vid}-${vidEnd}`

/** The message that makes a port, or the bridge itself, a member of VLANs. @param vlan - with the number of the link. @throws {ConfigInvalid} that names the field */
export function addBridgeVlanRequest(vlan: BridgeVlanSpec, index?: LinkIndex): NetlinkRequest {
  const about = `add the ${called(vlan)} to ${vlan.dev}`
  return { type: RTM_SETLINK, body: bridgeVlanBody(vlan, index), about, hints: HINTS }
}

/** The message that takes it out of VLANs again. @param key - with the number of the link. @throws {ConfigInvalid} that names the field */
export function deleteBridgeVlanRequest({ dev, vid, vidEnd, self }: BridgeVlanKey, index?: LinkIndex): NetlinkRequest {
  const key = { dev, vid, vidEnd, self }
  const about = `delete the ${called(key)} from ${dev}`
  return { type: RTM_DELLINK, body: bridgeVlanBody(key, index), about, hints: HINTS }
}

function dumpRequest({ dev, signal }: BridgeVlanFilter, index: LinkIndex = numbered): DumpRequest<BridgeVlan[]> {
  const wanted = index(dev, 'dev')
  return {
    type: RTM_GETLINK,
    body: messageBody(linkHeader, { family: AF_BRIDGE }, bridgeLinkAttributes, { extMask: COMPRESSED }),
    about: 'list the VLANs of bridges',
    map({ payload }) {
      const vlans = decodeBridgeVlans(payload)
      return vlans.length === 0 || (wanted !== undefined && vlans[0]?.dev !== wanted) ? undefined : vlans
    },
    signal,
  }
}
