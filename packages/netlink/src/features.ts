import { describeFeatures, type Features } from '@libcontainer/sys'
import { EVENT_SUBJECTS } from './events.js'

/** Kinds of links whose own settings have fields here; any other is made by its name, with its data as bytes. */
const kinds = [
  'bond',
  'bridge',
  'dummy',
  'ifb',
  'ipvlan',
  'ipvtap',
  'macvlan',
  'macvtap',
  'tun',
  'veth',
  'vlan',
  'vrf',
  'vxlan',
  'wireguard',
]

/** What this package can do, on whatever host. */
export function features(): Features<'links' | 'events'> {
  return describeFeatures({ links: kinds, events: EVENT_SUBJECTS })
}
