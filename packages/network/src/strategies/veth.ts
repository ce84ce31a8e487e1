import { checkLinkName } from '@libcontainer/netlink/text'
import { ConfigInvalid, encodeUtf8 } from '@libcontainer/sys'
import type { PortSettings } from '../acts.js'
import { checkFields, checkFlag, checkHostLink, checkInterface, interfaceFields } from '../fields.js'
import { portVlans } from '../port-vlans.js'
import type { Strategy } from '../strategy.js'
import type { VethNetwork } from '../types.js'
import { interfaceActs } from './interface.js'

const FIELDS = [
  ...interfaceFields,
  'bridge',
  'hostInterfaceName',
  'hostInterfacePrefix',
  'hairpinMode',
  'vlan',
  'vlanTrunk',
]
/** What random digits leave of a name. */
const MAX_PREFIX = 8

/** A pair of interfaces, its other end in a bridge of the host. */
export const veth: Strategy<VethNetwork> = {
  type: 'veth',
  named: true,
  check(network, field) {
    const fields = checkFields(network, field, FIELDS)
    const { hostInterfaceName, hostInterfacePrefix } = network
    checkHostLink(fields.bridge, `${field}.bridge`, 'a bridge')
    if (hostInterfaceName !== undefined) checkLinkName(hostInterfaceName, `${field}.hostInterfaceName`)
    if (hostInterfacePrefix !== undefined) {
      checkLinkName(hostInterfacePrefix, `${field}.hostInterfacePrefix`)
      if (encodeUtf8(hostInterfacePrefix).length > MAX_PREFIX)
        throw new ConfigInvalid(
          `${field}.hostInterfacePrefix`,
          hostInterfacePrefix,
          `must have at most ${MAX_PREFIX} bytes`,
        )
      if (hostInterfaceName !== undefined)
        throw new ConfigInvalid(`${field}.hostInterfacePrefix`, hostInterfacePrefix, 'goes without hostInterfaceName')
    }
    checkFlag(fields.hairpinMode, `${field}.hairpinMode`)
    portVlans(network, field)
    checkInterface(fields, field)
  },
  create: (network, { name, hostName, hostMac }) => {
    const { bridge, macAddress, mtu, txQueueLen } = network
    const about = `make ${name} and ${hostName}, its end in ${bridge}`
    const inside = { name, macAddress, mtu, txQueueLen }
    return [{ act: 'pair', about, hostName, hostMac, bridge, ...portSettings(network), ...inside }]
  },
  initialize: (network, { name }) => interfaceActs(network, name),
  attach: (network, { hostName, hostMac }) => {
    const { bridge } = network
    return [
      { act: 'port', about: `put ${hostName} into ${bridge}`, hostName, hostMac, bridge, ...portSettings(network) },
    ]
  },
  detach: ({ bridge }, { hostName, hostMac }) => [
    { act: 'port', about: `take ${hostName} out of ${bridge}`, hostName, hostMac, bridge: undefined },
  ],
}

const portSettings = (network: VethNetwork): PortSettings => ({
  hairpinMode: network.hairpinMode ?? false,
  vlans: portVlans(network, ''),
})
