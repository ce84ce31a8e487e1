import { visibleLine } from '@libcontainer/sys'
import type { NetlinkEvent } from '../events.js'
import type { LinkNames } from './link.js'

/** It is there, made or changed; it is gone; it was found there after events were lost. */
const SIGNS = { set: '+', deleted: '-', present: '=' } as const

/** A line for people: `+ address    eth0 192.0.2.1/24`. Pure. */
export function eventLine(event: NetlinkEvent, nameOf: LinkNames): string {
  if (event.type === 'lost') return '! more has changed than there was room for; what is there now:\n'
  const text = words(event, nameOf)
    .filter(word => word !== undefined && word !== '')
    .join(' ')
  return `${SIGNS[event.change]} ${event.type.padEnd(WIDTH)}  ${visibleLine(text)}\n`
}

const WIDTH = 'neighbour'.length

type Words = readonly (string | number | undefined)[]

/** A word and what it is said of, where that is there. */
const pair = (word: string, value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : `${word} ${value}`

function words(event: Exclude<NetlinkEvent, { type: 'lost' }>, nameOf: LinkNames): Words {
  const gone = event.change === 'deleted'
  const link = (index: number | undefined): string | undefined =>
    index === undefined ? undefined : (nameOf(index) ?? `if${index}`)
  switch (event.type) {
    case 'link': {
      const { index, name, kind, type, up, operstate, mtu, master } = event.link
      if (gone) return [`${index}: ${name}`]
      return [
        `${index}: ${name}`,
        kind ?? type,
        up ? operstate : 'down',
        pair('mtu', mtu),
        pair('master', link(master)),
      ]
    }
    case 'address': {
      const { address, prefixLength, peer, scope } = event.address
      const shown = peer === undefined ? `${address}/${prefixLength}` : `${address} peer ${peer}/${prefixLength}`
      return [link(event.address.link), shown, pair('scope', scope)]
    }
    case 'route': {
      const { type, destination, nextHops, metric, table, protocol, nextHopId } = event.route
      const ways = (nextHops ?? [event.route]).flatMap(({ gateway, via, dev }) => [
        pair('via', gateway ?? via),
        pair('dev', link(dev)),
      ])
      const kind = type === 'unicast' ? undefined : type
      const rest = [pair('nexthop', nextHopId), pair('metric', metric), pair('proto', protocol), pair('table', table)]
      return [kind, destination, ...ways, ...rest]
    }
    case 'rule': {
      const { priority, not, from = 'all', to, iif, oif, action, table } = event.rule
      const ends = [pair('to', to), pair('iif', iif), pair('oif', oif)]
      return [`${priority}:`, not ? 'not' : undefined, pair('from', from), ...ends, action, table]
    }
    case 'neighbour': {
      const { address, dev, lladdr, state } = event.neighbour
      return [address, pair('dev', link(dev)), pair('lladdr', lladdr), gone ? undefined : state]
    }
    case 'fdb': {
      const { mac, dev, master, vlan, destination } = event.fdb
      return [mac, pair('dev', link(dev)), pair('master', link(master)), pair('vlan', vlan), pair('dst', destination)]
    }
    case 'nexthop': {
      const { id, gateway, dev, group, blackhole } = event.nexthop
      const members = group?.map(each => `${each.id}*${each.weight}`).join('/')
      return [
        id,
        pair('via', gateway),
        pair('dev', link(dev)),
        pair('group', members),
        blackhole ? 'blackhole' : undefined,
      ]
    }
  }
}
