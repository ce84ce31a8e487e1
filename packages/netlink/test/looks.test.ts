import { ConfigInvalid, LibcontainerError } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import type { Address } from '../src/address/address.js'
import type { Link } from '../src/link/link.js'
import { addressColumns, scopeFilter } from '../src/node/addr.js'
import { linkColumns, linkNamed, nameLinks, pickLinks } from '../src/node/link.js'
import { parseLink, parseRoute } from '../src/node/options.js'
import { filterOf, routeColumns, routeLines, withNames } from '../src/node/route.js'
import { renderTable } from '../src/node/table.js'
import { UsageError } from '../src/node/usage-error.js'
import type { Route } from '../src/route/route.js'

function link(index: number, name: string, more: Partial<Link> = {}): Link {
  const usual = { alternativeNames: [], type: 'ether', up: true, flags: [], operstate: 'up', mtu: 1500 } as const
  return { index, name, ...usual, txQueueLength: 1000, group: 0, promiscuity: 0, ...more }
}

const links = [
  link(1, 'lo', { type: 'loopback', operstate: 'unknown', mtu: 65536, mac: '00:00:00:00:00:00' }),
  link(2, 'br0', { kind: 'bridge', mac: '02:00:00:00:00:01' }),
  link(3, 'a', { kind: 'veth', link: 4, master: 2, alternativeNames: ['port-of-a'] }),
  link(4, 'b', { kind: 'veth', link: 3, up: false, operstate: 'down' }),
  link(5, 'c', { kind: 'veth', link: 4, linkNamespaceId: 0 }),
]
const nameOf = nameLinks(links)
const table = (shown: readonly Link[]) => renderTable(linkColumns(nameOf), shown).split('\n')

describe('netlink link', () => {
  test('a table: who is below and above by name; a number of another namespace names nothing here', () => {
    expect(table(links)).toEqual([
      'INDEX  NAME  KIND      STATE      MTU  MAC                LOWER  MASTER  ALTERNATIVE NAMES',
      '    1  lo    loopback  unknown  65536  00:00:00:00:00:00  -      -       -',
      '    2  br0   bridge    up        1500  02:00:00:00:00:01  -      -       -',
      '    3  a     veth      up        1500  -                  b      br0     port-of-a',
      '    4  b     veth      down      1500  -                  a      -       -',
      '    5  c     veth      up        1500  -                  @if4   -       -',
      '',
    ])
    expect(table(links.slice(0, 1))[0]).toBe('INDEX  NAME  KIND      STATE      MTU  MAC')
  })

  const names = (...words: string[]): string[] => pickLinks(links, parseLink(words)).map(({ name }) => name)

  test('filters, and several of them', () => {
    expect(names()).toEqual(['lo', 'br0', 'a', 'b', 'c'])
    expect(names('--type', 'bridge')).toEqual(['br0'])
    expect(names('--type', 'loopback')).toEqual(['lo'])
    expect(names('--type', 'veth', '--up')).toEqual(['a', 'c'])
    expect(names('--down')).toEqual(['b'])
    expect(names('--master', 'br0')).toEqual(['a'])
    expect(names('port-of-a')).toEqual(['a'])
    // The kernel may have kinds that nobody has told us of.
    expect(names('--type', 'vlan')).toEqual([])
    expect(pickLinks([link(1, 'x', { kind: 'novel' })], parseLink(['--type', 'novel']))).toHaveLength(1)
  })

  test('what is not there is refused, with what may have been meant', () => {
    expect(() => names('br1')).toThrow(LibcontainerError)
    expect(() => names('br1')).toThrow("there is no link 'br1'; did you mean 'br0'?")
    expect(() => names('--master', 'nothing')).toThrow(/^there is no link 'nothing'$/)
    expect(() => names('--type', 'brigde')).toThrow(UsageError)
    expect(() => names('--type', 'brigde')).toThrow("no kind of link 'brigde'; did you mean 'bridge'?")
    expect(linkNamed(links, 'c')).toBe(5)
  })
})

describe('netlink addr', () => {
  const usual = {
    scope: 'global',
    flags: ['permanent'],
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  } as const
  const addresses: Address[] = [
    { ...usual, family: 'inet', link: 1, address: '127.0.0.1', prefixLength: 8, scope: 'host', label: 'lo' },
    { ...usual, family: 'inet', link: 2, address: '10.0.0.1', prefixLength: 32, peer: '10.0.0.2', label: 'br0:1' },
    {
      ...usual,
      family: 'inet6',
      link: 9,
      address: '2001:db8::1',
      prefixLength: 64,
      validLifetime: 3600,
      preferredLifetime: 0,
      flags: ['deprecated', 'temporary'],
    },
  ]

  test('a table', () => {
    expect(renderTable(addressColumns(nameOf), addresses).split('\n')).toEqual([
      'LINK  ADDRESS         PEER         SCOPE   LABEL    VALID  PREFERRED  FLAGS',
      'lo    127.0.0.1/8     -            host    -      forever    forever  -',
      'br0   10.0.0.1        10.0.0.2/32  global  br0:1  forever    forever  -',
      'if9   2001:db8::1/64  -            global  -         3600          0  deprecated temporary',
      '',
    ])
  })

  test('by scope, of which no other words are taken', () => {
    expect(addresses.filter(scopeFilter('host')).map(({ link }) => link)).toEqual([1])
    expect(addresses.filter(scopeFilter(undefined))).toHaveLength(3)
    expect(addresses.filter(scopeFilter('254')).map(({ link }) => link)).toEqual([1])
    expect(addresses.filter(scopeFilter('link'))).toHaveLength(0)
    expect(() => scopeFilter('gobal')).toThrow(ConfigInvalid)
    expect(() => scopeFilter('gobal')).toThrow(/^--scope: must be a number or one of global, /)
  })
})

describe('netlink route', () => {
  const usual = { family: 'inet', type: 'unicast', table: 'main', protocol: 'static', scope: 'global' } as const
  const routes: Route[] = [
    { ...usual, destination: 'default', gateway: '10.0.0.1', dev: 2, metric: 100 },
    {
      ...usual,
      destination: '10.1.0.0/16',
      nextHops: [
        { gateway: '10.0.0.2', dev: 2, weight: 1 },
        { via: 'fe80::1', dev: 9, weight: 3 },
      ],
    },
    { ...usual, family: 'inet6', type: 'blackhole', destination: '2001:db8::/32' },
    { ...usual, family: 'inet6', destination: 'default', nextHopId: 7 },
  ]

  test('a table: a line for each way', () => {
    const lines = renderTable(
      routeColumns,
      routes.flatMap(route => routeLines(route, nameOf)),
    ).split('\n')
    expect(lines).toEqual([
      'DESTINATION              VIA        DEV  WEIGHT  METRIC  SCOPE   PROTOCOL',
      'default                  10.0.0.1   br0       -     100  global  static',
      '10.1.0.0/16              10.0.0.2   br0       1       -  global  static',
      '-                        fe80::1    if9       3       -  global  static',
      'blackhole 2001:db8::/32  -          -         -       -  -       static',
      'default (IPv6)           nexthop 7  -         -       -  -       static',
      '',
    ])
  })

  test('for programs links have their names beside their numbers', () => {
    expect(withNames(routes[0]!, nameOf)).toEqual({ ...routes[0], devName: 'br0' })
    expect(withNames(routes[1]!, nameOf)).toMatchObject({
      nextHops: [{ devName: 'br0' }, { dev: 9, devName: undefined }],
    })
    expect(withNames(routes[2]!, nameOf)).toEqual(routes[2])
  })

  test('filters are words or numbers', () => {
    expect(filterOf(parseRoute(['--table', '100', '--protocol', 'bird', '--type', '7', '-6']))).toEqual({
      family: 'inet6',
      table: 100,
      protocol: 'bird',
      type: 7,
    })
  })
})
