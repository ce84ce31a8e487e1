import { ConfigInvalid, notYet } from '@libcontainer/sys'
import { Fields, isGiven } from './fields.js'

const TEXTS = 'name bridge veth_prefix mac_address address gateway ipv6_address ipv6_gateway host_interface_name'.split(
  ' ',
)

export interface NetworkFacts {
  /** The path of the network namespace that the container joins, which 2014 has among its networks. */
  readonly joined: string | undefined
}

/**
 * Reads the networks of any year. The loopback of a new network namespace is brought up in any case, so it may be asked for; what else would
 * have to be made is refused.
 *
 * @param hasOwn - the container has a new network namespace
 */
export function readNetworks(fields: Fields, hasOwn: boolean, warn: (text: string) => void): NetworkFacts {
  let joined: string | undefined
  fields.list('networks', (value, at) => {
    const network = new Fields(value, at)
    const type = network.text('type')
    if (type === 'netns') joined = network.text('ns_path')
    if (type === 'netns' && joined === undefined)
      throw new ConfigInvalid(`${at}.ns_path`, undefined, 'must be the path of a network namespace')
    if (type !== 'loopback' && type !== 'netns') {
      const known = type === 'veth'
      throw known
        ? notYet(at, '@libcontainer/network', { value })
        : new ConfigInvalid(`${at}.type`, type, 'must be loopback, veth or netns')
    }
    if (type === 'loopback' && !hasOwn)
      throw new ConfigInvalid(at, value, 'needs a network namespace of the container’s own: NEWNET')
    network.text('ns_path')
    // What libcontainer never looked at for loopback, but for the mtu, which it stopped setting.
    for (const name of TEXTS) network.text(name)
    for (const name of ['mtu', 'txqueuelen']) {
      if (isGiven(network.number(name, 0)) && type === 'loopback')
        warn(`${at}.${name}: changes nothing, the loopback interface keeps its own`)
    }
    network.flag('hairpin_mode')
    network.end('a network')
  })
  fields.refuse('routes', '@libcontainer/network')
  return { joined }
}

/** The loopback interface that every new network namespace gets. */
export function writeNetworks(hasOwn: boolean): object[] | null {
  return hasOwn ? [{ type: 'loopback', address: '127.0.0.1/0', gateway: 'localhost' }] : null
}
