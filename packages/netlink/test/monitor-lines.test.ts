import { expect, test } from 'vitest'
import type { NetlinkEvent } from '../src/events.js'
import type { Link } from '../src/link/link.js'
import { eventLine } from '../src/node/monitor-lines.js'

const nameOf = (index: number): string | undefined => ({ 2: 'br0', 3: 'a' })[index]
const link = {
  index: 3,
  name: 'a',
  kind: 'veth',
  type: 'ether',
  up: true,
  operstate: 'up',
  mtu: 1500,
  master: 2,
} as Link
const route = { family: 'inet', type: 'unicast', protocol: 'static', scope: 'global', table: 'main' } as const

test.each<[NetlinkEvent, string]>([
  [{ type: 'link', change: 'set', link }, '+ link       3: a veth up mtu 1500 master br0'],
  [{ type: 'link', change: 'deleted', link }, '- link       3: a'],
  [
    { type: 'link', change: 'present', link: { ...link, up: false, name: 'x\x1b[2J\n' } },
    '= link       3: x\\x1b[2J\\n veth down mtu 1500 master br0',
  ],
  [
    {
      type: 'address',
      change: 'set',
      address: {
        family: 'inet',
        link: 2,
        address: '10.0.0.1',
        prefixLength: 32,
        peer: '10.0.0.2',
        scope: 'global',
        flags: [],
        validLifetime: 'forever',
        preferredLifetime: 'forever',
      },
    },
    '+ address    br0 10.0.0.1 peer 10.0.0.2/32 scope global',
  ],
  [
    {
      type: 'route',
      change: 'set',
      route: {
        ...route,
        destination: 'default',
        nextHops: [
          { gateway: '10.0.0.1', dev: 2, weight: 1 },
          { via: 'fe80::1', dev: 9, weight: 1 },
        ],
      },
    },
    '+ route      default via 10.0.0.1 dev br0 via fe80::1 dev if9 proto static table main',
  ],
  [
    { type: 'route', change: 'deleted', route: { ...route, type: 'blackhole', destination: '10.0.0.0/8', metric: 5 } },
    '- route      blackhole 10.0.0.0/8 metric 5 proto static table main',
  ],
  [
    {
      type: 'rule',
      change: 'set',
      rule: { family: 'inet', priority: 100, action: 'lookup', table: 7, to: '10.0.0.0/8', not: true },
    },
    '+ rule       100: not from all to 10.0.0.0/8 lookup 7',
  ],
  [
    {
      type: 'neighbour',
      change: 'set',
      neighbour: { family: 'inet', address: '10.0.0.9', dev: 3, lladdr: '02:00:00:00:00:09', state: 'reachable' },
    },
    '+ neighbour  10.0.0.9 dev a lladdr 02:00:00:00:00:09 reachable',
  ],
  [
    {
      type: 'fdb',
      change: 'deleted',
      fdb: { mac: '02:00:00:00:00:09', dev: 3, state: 'permanent', master: 2, vlan: 5 },
    },
    '- fdb        02:00:00:00:00:09 dev a master br0 vlan 5',
  ],
  [
    {
      type: 'nexthop',
      change: 'set',
      nexthop: {
        id: 7,
        protocol: 'static',
        group: [
          { id: 1, weight: 2 },
          { id: 3, weight: 1 },
        ],
      },
    },
    '+ nexthop    7 group 1*2/3*1',
  ],
  [{ type: 'lost' }, '! more has changed than there was room for; what is there now:'],
])('NL-23 %j is a line', (event, line) => {
  expect(eventLine(event, nameOf)).toBe(`${line}\n`)
})
