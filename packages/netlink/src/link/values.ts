import { ConfigInvalid, encodeUtf8 } from '@libcontainer/sys'
import { type AttributeTable, attributes, encodeAttributes } from '../message/attributes.js'
import { bytes } from '../message/codec.js'
import { type MessageBody, messageBody } from '../message/message.js'
import { checkInteger, MAX_U32 } from '../message/words.js'
import type { NamespaceTarget } from '../namespace/namespace.js'
import { type LinkAttributes, linkAttributes, linkHeader } from './attributes.js'
import { LINK_FLAGS } from './flags.js'
import { dataTable, type PortKind, portTable } from './kinds.js'
import { parseMac, parseUnicastMac } from './mac.js'
import { checkAlternativeName, checkLinkName, MAX_LINK_NAME } from './name.js'
import type { LinkReference, LinkStart, LinkSwitches, VethPeer } from './options.js'

/** VETH_INFO_*. The peer is a message in the message, a struct ifinfomsg first, and so without the flag of a nest. */
const vethTable = attributes({ peer: [1, bytes] })

/** What a link, its peer and a change may hold: a word that is none of it would change nothing, and nobody would be told. */
const START = [
  'name',
  'index',
  'mtu',
  'mac',
  'broadcast',
  'txQueueLength',
  'group',
  'txQueues',
  'rxQueues',
  'namespace',
]
const SWITCHES = ['up', 'promiscuous', 'allMulticast', 'multicast', 'arp']
export const LATER = ['alias', 'addressGeneration', 'protoDown', 'bridgePort', 'bondPort', 'alternativeNames'] as const
export const PEER_FIELDS: readonly string[] = START
export const LINK_FIELDS: readonly string[] = [
  ...START,
  ...SWITCHES,
  ...LATER,
  'kind',
  'data',
  'peer',
  'link',
  'master',
]
export const CHANGE_FIELDS: readonly string[] = [
  ...START.filter(name => !['index', 'txQueues', 'rxQueues', 'namespace'].includes(name)),
  ...SWITCHES,
  ...LATER.filter(name => name !== 'alternativeNames'),
  'kind',
  'data',
  'master',
  'carrier',
]

export function checkFields(given: object, known: readonly string[], field = ''): void {
  if (typeof given !== 'object' || given === null) throw new ConfigInvalid(field || 'link', given, 'must be an object')
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !known.includes(name))
      throw new ConfigInvalid(`${field}${name}`, value, `must not be there: known are ${known.join(', ')}`)
}

/** An index is positive: 0 would be none, of which some requests make all. */
export function checkIndex(index: number, field = 'which'): number {
  if (!Number.isInteger(index) || index < 1 || index > 0x7fffffff)
    throw new ConfigInvalid(field, index, 'must be the index of a link, a whole number from 1 on')
  return index
}

export function targetBody(which: LinkReference, values: LinkAttributes = {}, field = 'which'): MessageBody {
  if (typeof which === 'string') return linkBody({}, { ...nameValues(which, field), ...values })
  return linkBody({ index: checkIndex(which, field) }, values)
}

/** The attribute that finds a link by its name. One that only fits an alternative name is told apart by its length. */
export function nameValues(name: string, field = 'which'): LinkAttributes {
  checkAlternativeName(name, field)
  return encodeUtf8(name).length > MAX_LINK_NAME ? { altIfname: name } : { ifname: name }
}

export function startValues(start: Partial<LinkStart>, field: string): LinkAttributes {
  const { name, mtu, mac, broadcast, txQueueLength, group, txQueues, rxQueues, index } = start
  if (mac !== undefined) parseUnicastMac(mac, `${field}mac`)
  if (broadcast !== undefined) parseMac(broadcast, `${field}broadcast`)
  if (index !== undefined) checkIndex(index, `${field}index`)
  // dev_set_mtu takes an int; what a driver allows of it, it says itself.
  if (mtu !== undefined) checkInteger(mtu, `${field}mtu`, 0, 0x7fffffff)
  for (const [what, value] of Object.entries({ txQueueLength, group, txQueues, rxQueues }))
    if (value !== undefined) checkInteger(value, `${field}${what}`, 0, MAX_U32)
  return {
    ...(name !== undefined && { ifname: name }),
    ...(mtu !== undefined && { mtu }),
    ...(mac !== undefined && { address: mac }),
    ...(broadcast !== undefined && { broadcast }),
    ...(txQueueLength !== undefined && { txqlen: txQueueLength }),
    ...(group !== undefined && { group }),
    ...(txQueues !== undefined && { numTxQueues: txQueues }),
    ...(rxQueues !== undefined && { numRxQueues: rxQueues }),
  }
}

/** What moves a link, or has it made elsewhere. A path and a name are opened before: a descriptor of them stays the same namespace. */
export function namespaceValues(namespace: NamespaceTarget | undefined, field = 'namespace'): LinkAttributes {
  if (namespace === undefined) return {}
  if (typeof namespace === 'number') return { netNsPid: namespace }
  if (typeof namespace === 'object' && 'pid' in namespace) return { netNsPid: namespace.pid }
  if (typeof namespace !== 'object' || !('fd' in namespace))
    throw new ConfigInvalid(
      field,
      namespace,
      'must be a pid or a descriptor: a path and a name have to be opened before',
    )
  return { netNsFd: typeof namespace.fd === 'number' ? namespace.fd : namespace.fd.fd }
}

export const nameOfPeer = (peer: string | VethPeer): string => (typeof peer === 'string' ? peer : peer.name)

/** What the driver of veth takes, and else refuses without a word: ETH_MIN_MTU and ETH_MAX_MTU. */
export function checkVethMtu(mtu: number | undefined, field: string): void {
  if (mtu !== undefined) checkInteger(mtu, field, 68, 65535)
}

/** VETH_INFO_PEER: a message of its own in the message, without the flag of a nest, since a header comes first. */
export function peerData(peer: string | VethPeer): Uint8Array {
  const start = typeof peer === 'string' ? { name: peer } : peer
  checkFields(start, PEER_FIELDS, 'peer.')
  checkLinkName(start.name, typeof peer === 'string' ? 'peer' : 'peer.name')
  checkVethMtu(start.mtu, 'peer.mtu')
  const values = {
    ...startValues(start, 'peer.'),
    ...namespaceValues(typeof peer === 'string' ? undefined : peer.namespace, 'peer.namespace'),
  }
  const { bytes: message } = messageBody(linkHeader, { index: start.index ?? 0 }, linkAttributes, values, 'peer')
  return encodeAttributes(vethTable, { peer: message }, 'peer')
}

export function switches(of: LinkSwitches): { flags: number; change: number } {
  let flags = 0
  let change = 0
  const put = (bits: number, on: boolean | undefined, field: string) => {
    if (on === undefined) return
    change |= bits
    if (bit(on, field)) flags |= bits
  }
  put(LINK_FLAGS.up, of.up, 'up')
  put(LINK_FLAGS.promisc, of.promiscuous, 'promiscuous')
  put(LINK_FLAGS.allmulti, of.allMulticast, 'allMulticast')
  put(LINK_FLAGS.multicast, of.multicast, 'multicast')
  put(LINK_FLAGS.noarp, of.arp === undefined ? undefined : !bit(of.arp, 'arp'), 'arp')
  return { flags, change }
}

export function bit(value: boolean, field: string): 0 | 1 {
  if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
  return value ? 1 : 0
}

/** IFLA_LINKINFO, IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA. */
const INFO = 18
const INFO_DATA = 2
const INFO_PORT_DATA = 5
/** NLA_TYPE_MASK. */
const TYPE = 0x3fff

type LinkHeader = ReturnType<(typeof linkHeader)['read']>

/** The body, with a table in which errors find the attributes of the kind, too. */
export function linkBody(
  header: Partial<LinkHeader>,
  values: LinkAttributes,
  kind?: string,
  port?: PortKind,
): MessageBody {
  const body = messageBody(linkHeader, header, linkAttributes, values)
  if (kind === undefined && port === undefined) return body
  const plain: AttributeTable = linkAttributes as AttributeTable
  const info: AttributeTable = {
    ...plain.nestOf(INFO)!,
    nestOf(type) {
      if ((type & TYPE) === INFO_DATA && kind !== undefined) return dataTable(kind)
      return (type & TYPE) === INFO_PORT_DATA && port !== undefined ? portTable(port) : undefined
    },
  }
  return { ...body, table: { ...plain, nestOf: type => ((type & TYPE) === INFO ? info : plain.nestOf(type)) } }
}
