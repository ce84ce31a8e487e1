import { visibleLine } from '@libcontainer/sys'
import type { Address } from '../address-messages.js'
import type { Link } from '../link.js'
import type { Neighbour } from '../neighbours.js'
import type { NextHop } from '../nexthops.js'
import type { Route } from '../route.js'
import type { Rule } from '../rule.js'
import type { LinkNames } from './link.js'

/** What a change is of. */
export interface Changed {
  link: Link
  addr: Address
  route: Route
  rule: Rule
  neigh: Neighbour
  nexthop: NextHop
  netns: { readonly id: number }
}

/** One change: it is there now, new or otherwise than before, or it is gone. */
export type Change = {
  [T in keyof Changed]: { readonly topic: T; readonly gone: boolean; readonly what: Changed[T] }
}[keyof Changed]

/** A line for people: `+ addr  eth0 192.0.2.1/24`. Pure. */
export function changeLine(change: Change, nameOf: LinkNames): string {
  const text = words(change, nameOf)
    .filter(word => word !== undefined && word !== '')
    .join(' ')
  return `${change.gone ? '-' : '+'} ${change.topic.padEnd(7)}  ${visibleLine(text)}\n`
}

type Words = readonly (string | number | undefined)[]

/** A word and what it is said of, where that is there. */
const pair = (word: string, value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : `${word} ${value}`

function words({ topic, gone, what }: Change, nameOf: LinkNames): Words {
  const link = (index: number | undefined): string | undefined =>
    index === undefined ? undefined : (nameOf(index) ?? `if${index}`)
  switch (topic) {
    case 'link': {
      const { index, name, kind, type, up, operstate, mtu, master } = what
      if (gone) return [`${index}: ${name}`]
      return [
        `${index}: ${name}`,
        kind ?? type,
        up ? operstate : 'down',
        pair('mtu', mtu),
        pair('master', link(master)),
      ]
    }
    case 'addr': {
      const { address, prefixLength, peer, scope } = what
      const shown = peer === undefined ? `${address}/${prefixLength}` : `${address} peer ${peer}/${prefixLength}`
      return [link(what.link), shown, pair('scope', scope)]
    }
    case 'route': {
      const { type, destination, nextHops, metric, table, protocol, nextHopId } = what
      const ways = (nextHops ?? [what]).flatMap(({ gateway, via, dev }) => [
        pair('via', gateway ?? via),
        pair('dev', link(dev)),
      ])
      const kind = type === 'unicast' ? undefined : type
      const rest = [pair('nexthop', nextHopId), pair('metric', metric), pair('proto', protocol), pair('table', table)]
      return [kind, destination, ...ways, ...rest]
    }
    case 'rule': {
      const { priority, not, from = 'all', to, iif, oif, action, table } = what
      const ends = [pair('to', to), pair('iif', iif), pair('oif', oif)]
      return [`${priority}:`, not ? 'not' : undefined, pair('from', from), ...ends, action, table]
    }
    case 'neigh':
      return [what.address, pair('dev', link(what.dev)), pair('lladdr', what.lladdr), gone ? undefined : what.state]
    case 'nexthop': {
      const { id, gateway, dev, group, blackhole } = what
      const members = group?.map(each => `${each.id}*${each.weight}`).join('/')
      return [
        id,
        pair('via', gateway),
        pair('dev', link(dev)),
        pair('group', members),
        blackhole ? 'blackhole' : undefined,
      ]
    }
    case 'netns':
      return [pair('id', what.id)]
  }
}
