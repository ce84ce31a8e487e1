import { ConfigInvalid } from '@libcontainer/sys'
import { checkChoice, checkFields, checkHostLink, checkInterface, interfaceFields } from '../fields.js'
import { checkVlan } from '../port-vlans.js'
import type { Strategy } from '../strategy.js'
import { type IpvlanNetwork, ipvlanModes, type MacvlanNetwork, macvlanModes, type VlanNetwork } from '../types.js'
import { interfaceActs } from './interface.js'

const about = (name: string, kind: string, parent: string): string => `make ${name}, a ${kind} on ${parent}`

/** A link-layer address of its own on a link of the host. */
export const macvlan: Strategy<MacvlanNetwork> = {
  type: 'macvlan',
  named: true,
  check(network, field) {
    const fields = checkFields(network, field, [...interfaceFields, 'parent', 'mode'])
    checkHostLink(fields.parent, `${field}.parent`, 'a link')
    checkChoice(fields.mode, `${field}.mode`, macvlanModes)
    checkInterface(fields, field)
  },
  create: ({ parent, mode = 'bridge', macAddress, mtu, txQueueLen }, { name }) => [
    {
      act: 'upper',
      about: about(name, 'macvlan', parent),
      kind: 'macvlan',
      parent,
      name,
      mode,
      macAddress,
      mtu,
      txQueueLen,
    },
  ],
  initialize: (network, { name }) => interfaceActs(network, name),
}

/** IP addresses of its own behind the link-layer address of a link of the host. */
export const ipvlan: Strategy<IpvlanNetwork> = {
  type: 'ipvlan',
  named: true,
  check(network, field) {
    const { macAddress } = network as { macAddress?: unknown }
    if (macAddress !== undefined)
      throw new ConfigInvalid(
        `${field}.macAddress`,
        macAddress,
        'cannot be had: an ipvlan has the address of its parent',
      )
    const fields = checkFields(network, field, [...interfaceFields, 'parent', 'mode'])
    checkHostLink(fields.parent, `${field}.parent`, 'a link')
    checkChoice(fields.mode, `${field}.mode`, ipvlanModes)
    checkInterface(fields, field)
  },
  create: ({ parent, mode = 'l2', mtu, txQueueLen }, { name }) => [
    { act: 'upper', about: about(name, 'ipvlan', parent), kind: 'ipvlan', parent, name, mode, mtu, txQueueLen },
  ],
  initialize: (network, { name }) => interfaceActs(network, name),
}

/** A VLAN of a link of the host. */
export const vlan: Strategy<VlanNetwork> = {
  type: 'vlan',
  named: true,
  check(network, field) {
    const fields = checkFields(network, field, [...interfaceFields, 'parent', 'id'])
    checkHostLink(fields.parent, `${field}.parent`, 'a link')
    if (fields.id === undefined) throw new ConfigInvalid(`${field}.id`, undefined, 'must be given: 1 to 4094')
    checkVlan(fields.id, `${field}.id`)
    checkInterface(fields, field)
  },
  create: ({ parent, id, macAddress, mtu, txQueueLen }, { name }) => [
    {
      act: 'upper',
      about: about(name, `vlan ${id}`, parent),
      kind: 'vlan',
      parent,
      name,
      id,
      macAddress,
      mtu,
      txQueueLen,
    },
  ],
  initialize: (network, { name }) => interfaceActs(network, name),
}
