import { checkFields, checkHostLink, checkInterface, interfaceFields } from '../fields.js'
import type { Strategy } from '../strategy.js'
import type { PhysNetwork } from '../types.js'
import { interfaceActs } from './interface.js'

/** A device of the host, lent. */
export const phys: Strategy<PhysNetwork> = {
  type: 'phys',
  named: false,
  check(network, field) {
    const fields = checkFields(network, field, [...interfaceFields, 'device'])
    checkHostLink(fields.device, `${field}.device`, 'a device')
    checkInterface(fields, field)
  },
  create: ({ device }, { name }) => [
    { act: 'move', about: `move ${device} in as ${name}`, device, name, giveBack: true },
  ],
  initialize: (network, { name }) => {
    const { macAddress, mtu, txQueueLen } = network
    // Before it has addresses: of less than 1280 bytes the kernel would take IPv6 away.
    const given = macAddress !== undefined || mtu !== undefined || txQueueLen !== undefined
    return [
      ...(given
        ? [{ act: 'set', about: `set ${name} up as it is asked for`, name, macAddress, mtu, txQueueLen } as const]
        : []),
      ...interfaceActs(network, name),
    ]
  },
}
