import { ConfigInvalid } from '@libcontainer/sys'
import type { NetlinkRequest } from '../message/message.js'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from '../message/wire.js'
import type { NamespaceTarget } from '../namespace/namespace.js'
import {
  type LinkAttributes,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_DELLINKPROP,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_NEWLINKPROP,
  RTM_SETLINK,
} from './attributes.js'
import { encodeData, encodePort, needsLink, type PortData } from './kinds.js'
import type { GetOptions } from './link.js'
import { checkAlias, checkAlternativeName, checkLinkName } from './name.js'
import type { LinkChanges, LinkReference, NewLink } from './options.js'
import {
  bit,
  CHANGE_FIELDS,
  checkFields,
  checkIndex,
  checkVethMtu,
  LATER,
  LINK_FIELDS,
  linkBody,
  nameOfPeer,
  namespaceValues,
  nameValues,
  peerData,
  startValues,
  switches,
  targetBody,
} from './values.js'

const HINTS = {
  EPERM: 'links are changed with CAP_NET_ADMIN in the user namespace that the network namespace belongs to',
  EEXIST: 'a link has this name already, or this alternative name: take another, or delete that one',
  ENODEV: 'no link has this name or index in this namespace',
  ESRCH: 'no process has the number that the namespace was told by: it may have ended',
  EBADF: 'the descriptor that the namespace was told by is none',
}

/** The kernel does not say which: the other end of a veth has a name, too. */
const taken = (...names: string[]): string =>
  `a link has the name ${names.join(' or ')} already, or that alternative name: take another, or delete that one`

const NO_MASTER = 'the kernel has no such kind of link, or the link that is to be its master takes no ports'

const NO_BRIDGE_VLANS =
  'the bridges of this kernel keep no VLANs apart: it is built without CONFIG_BRIDGE_VLAN_FILTERING'

/** What it may mean that something is not supported, by what was asked for. @param kind - of a link that is to be made */
function unsupported(master: unknown, data: object | undefined, kind?: string): { readonly EOPNOTSUPP?: string } {
  if (data !== undefined && 'vlanFiltering' in data) return { EOPNOTSUPP: NO_BRIDGE_VLANS }
  if (master !== undefined && master !== null) return { EOPNOTSUPP: NO_MASTER }
  if (kind === undefined) return {}
  return { EOPNOTSUPP: `the kernel makes no links of the kind ${kind}: its module may not be there` }
}

/**
 * Makes a link; of a veth both ends. What `LinkLater` has follows by {@link setLink}.
 *
 * @throws {ConfigInvalid} by field; for other links by name: they are looked up by `Links`
 */
export function addLink(link: NewLink): NetlinkRequest {
  checkFields(link, LINK_FIELDS)
  const later = LATER.find(name => link[name] !== undefined)
  if (later !== undefined)
    throw new ConfigInvalid(later, link[later], 'must not be there: the kernel takes it of a link that is there alone')
  const { kind, data } = link
  if (typeof kind !== 'string' || kind === '')
    throw new ConfigInvalid('kind', kind, 'must be a kind of link such as dummy or bridge')
  checkLinkName(link.name)
  if (kind === 'tun')
    throw new ConfigInvalid('kind', kind, 'must not be tun: the kernel makes those by an ioctl alone, see openTun()')
  if (needsLink(kind) && link.link === undefined)
    throw new ConfigInvalid('link', undefined, `must be the link that a ${kind} is on top of`)
  if (kind === 'veth' && link.peer === undefined)
    throw new ConfigInvalid('peer', undefined, 'must be the name of the other end')
  if (kind === 'veth') checkVethMtu(link.mtu, 'mtu')
  if (kind !== 'veth' && link.peer !== undefined)
    throw new ConfigInvalid('peer', link.peer, `must not be there: a ${kind} has one end`)
  const values: LinkAttributes = {
    ...startValues(link, ''),
    ...(link.link !== undefined && { link: link.link as number }),
    ...(link.master !== undefined && { master: link.master as number }),
    ...namespaceValues(link.namespace),
    linkinfo: {
      kind,
      ...(link.peer !== undefined && { data: peerData(link.peer) }),
      ...(data !== undefined && { data: encodeData(kind, data) }),
    },
  }
  const header = { ...switches(link), index: link.index ?? 0 }
  const names = [link.name, ...(link.peer === undefined ? [] : [nameOfPeer(link.peer)])]
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(header, values, kind),
    about: `add the link ${link.name}`,
    path: link.name,
    hints: {
      ...HINTS,
      EEXIST: taken(...new Set(names)),
      ...unsupported(link.master, data, kind),
      ...(needsLink(kind) && {
        EINVAL: 'its MTU, if it has one, must not be above that of the link that it is on top of',
      }),
    },
  }
}

/**
 * Changes a link. One with `data` or ports' data must be told by its index: the kernel would take a group for the target where a name is missing.
 * A link becomes a port by one message, and has a port's data by the next.
 */
export function setLink(which: LinkReference, changes: LinkChanges): NetlinkRequest {
  checkFields(changes, CHANGE_FIELDS)
  const { name, master, data, kind, bridgePort, bondPort } = changes
  const extended = data !== undefined || bridgePort !== undefined || bondPort !== undefined
  if ((extended || name !== undefined) && typeof which !== 'number')
    throw new ConfigInvalid('which', which, 'must be an index where the name, the data or what a port has is changed')
  if (data !== undefined && kind === undefined)
    throw new ConfigInvalid('kind', kind, 'must be the kind that the data is of')
  if (bridgePort !== undefined && bondPort !== undefined)
    throw new ConfigInvalid('bondPort', bondPort, 'must not stand beside bridgePort: a link has one master')
  if (name !== undefined) checkLinkName(name)
  const values: LinkAttributes = {
    ...(typeof which === 'string' && nameValues(which)),
    ...startValues(changes, ''),
    ...(master !== undefined && { master: (master ?? 0) as number }),
    ...(changes.alias !== undefined && { ifalias: checkAlias(changes.alias) }),
    ...(changes.carrier !== undefined && { carrier: bit(changes.carrier, 'carrier') }),
    ...(changes.protoDown !== undefined && { protoDown: bit(changes.protoDown, 'protoDown') }),
    ...(changes.addressGeneration !== undefined && {
      afSpec: { inet6: { addressGeneration: changes.addressGeneration } },
    }),
  }
  if (extended)
    values.linkinfo = {
      ...(data !== undefined && { kind: kind!, data: encodeData(kind!, data) }),
      ...(bridgePort !== undefined && {
        portKind: 'bridge',
        portData: encodePort('bridge', bridgePort as PortData['bridge'], 'bridgePort'),
      }),
      ...(bondPort !== undefined && { portKind: 'bond', portData: encodePort('bond', bondPort, 'bondPort') }),
    }
  const header = { ...switches(changes), index: typeof which === 'number' ? checkIndex(which) : 0 }
  return {
    // RTM_SETLINK takes no notice of what is the kind's.
    type: extended ? RTM_NEWLINK : RTM_SETLINK,
    body: linkBody(header, values, kind, bridgePort === undefined ? 'bond' : 'bridge'),
    about: `set the link ${which}`,
    path: String(which),
    hints: {
      ...HINTS,
      ...(name !== undefined && { EEXIST: taken(name) }),
      ...unsupported(master, data),
    },
  }
}

/** Deletes a link, and with one end of a veth the other. */
export function deleteLink(which: LinkReference): NetlinkRequest {
  return {
    type: RTM_DELLINK,
    body: targetBody(which),
    about: `delete the link ${which}`,
    path: String(which),
    hints: {
      ...HINTS,
      EOPNOTSUPP: 'the loopback and hardware cannot be deleted: they end with their namespace or driver',
    },
  }
}

export interface MoveOptions {
  /** The name that it gets there; one `%d` stands for the lowest free number. Default: the one it has */
  name?: string | undefined
  /** The index that it gets there. Default: the one it has where that is free, else another */
  index?: number | undefined
}

/** Moves a link to another namespace, by its index where it gets a name. It is down there, and without addresses. */
export function moveLink(
  which: LinkReference,
  namespace: NamespaceTarget,
  { name, index }: MoveOptions = {},
): NetlinkRequest {
  if (name !== undefined && typeof which !== 'number')
    throw new ConfigInvalid('which', which, 'must be an index where the name is changed')
  const values: LinkAttributes = {
    ...(typeof which === 'string' && nameValues(which)),
    ...(name !== undefined && { ifname: checkLinkName(name, 'name', { template: true }) }),
    ...namespaceValues(namespace),
    ...(index !== undefined && { newIfindex: checkIndex(index, 'index') }),
  }
  const header = { index: typeof which === 'number' ? checkIndex(which) : 0 }
  return {
    type: RTM_SETLINK,
    body: linkBody(header, values),
    about: `move the link ${which}`,
    path: String(which),
    hints: { ...HINTS, EEXIST: 'a link of the other namespace has this name: give another by `name`' },
  }
}

/** Adds or removes alternative names, each of up to 127 bytes. */
export function alternativeNames(
  which: LinkReference,
  act: 'add' | 'remove',
  names: readonly string[],
): NetlinkRequest {
  if (names.length === 0) throw new ConfigInvalid('names', names, 'must hold a name')
  const propList = names.map((name, i) => checkAlternativeName(name, `names[${i}]`))
  const values = { ...(typeof which === 'string' && nameValues(which)), propList }
  return {
    type: act === 'add' ? RTM_NEWLINKPROP : RTM_DELLINKPROP,
    flags: act === 'add' ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0,
    body: linkBody({ index: typeof which === 'number' ? checkIndex(which) : 0 }, values),
    about: `${act} alternative names of the link ${which}`,
    path: String(which),
    hints: HINTS,
  }
}

/** @param field - what errors call the link */
export function getLink(which: LinkReference, field = 'which'): NetlinkRequest {
  return {
    type: RTM_GETLINK,
    body: targetBody(which, { extMask: RTEXT_FILTER_SKIP_STATS }, field),
    about: `get the link ${which}`,
    path: String(which),
    hints: { ...HINTS, ...(field !== 'which' && { ENODEV: `no link of this namespace is what ${field} names` }) },
  }
}

export interface ListLinksOptions extends GetOptions {
  /** Only links of this kind. */
  kind?: string | undefined
  /** Only ports of this bridge, bond or VRF. */
  master?: LinkReference | undefined
}

export function listLinks({ kind, master }: Omit<ListLinksOptions, 'statistics'> = {}): NetlinkRequest {
  const values: LinkAttributes = {
    extMask: RTEXT_FILTER_SKIP_STATS,
    ...(master !== undefined && { master: master as number }),
    ...(kind !== undefined && { linkinfo: { kind } }),
  }
  return { type: RTM_GETLINK, body: linkBody({}, values), about: 'list the links' }
}
