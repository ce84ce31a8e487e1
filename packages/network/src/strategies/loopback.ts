import { checkFields, checkMtu } from '../fields.js'
import type { Strategy } from '../strategy.js'
import type { LoopbackNetwork } from '../types.js'

/** The loopback of the namespace, which the kernel has made. */
export const loopback: Strategy<LoopbackNetwork> = {
  type: 'loopback',
  named: false,
  check(network, field) {
    checkMtu(checkFields(network, field, ['type', 'mtu']).mtu, `${field}.mtu`)
  },
  create: () => [],
  initialize: ({ mtu }) => [{ act: 'set', about: 'bring lo up', name: 'lo', mtu, up: true }],
}
