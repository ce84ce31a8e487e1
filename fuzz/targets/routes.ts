import { decodeBridgeVlans } from '../../packages/netlink/src/link/bridge-vlans.js'
import { decodeFdbEntry, fdbBody } from '../../packages/netlink/src/neighbour/fdb.js'
import { decodeNeighbour, neighbourBody } from '../../packages/netlink/src/neighbour/neighbours.js'
import { decodeClass } from '../../packages/netlink/src/qdisc/classes.js'
import { formatHandle, parseHandle } from '../../packages/netlink/src/qdisc/handle.js'
import { qdiscKinds } from '../../packages/netlink/src/qdisc/kinds/index.js'
import { decodeQdisc } from '../../packages/netlink/src/qdisc/qdiscs.js'
import { decodeNextHop, nextHopBody } from '../../packages/netlink/src/route/nexthop.js'
import { anyRoute, decodeRoute } from '../../packages/netlink/src/route/route.js'
import { decodeRule, ruleBody } from '../../packages/netlink/src/route/rule.js'
import { routeBody } from '../../packages/netlink/src/route/spec.js'
import { usualRoute } from '../../packages/netlink/src/route/usual.js'
import { decodeInetSocket, decodeUnixSocket } from '../../packages/netlink/src/sock-diag/sock-diag.js'
import { golden } from '../../packages/netlink/test/golden/route-messages.js'
import { answer, same, textOf } from '../support/oracles.js'

/** What the kernel tells of routes and all that hangs on them: what is read can be written, and is read again. */
export function fuzz(data: Uint8Array): void {
  checkRoute(data)
  again(data, decodeRule, rule => ruleBody(rule, 'add').bytes, ['flags', 'protocol', 'table'])
  again(data, decodeNeighbour, neighbour => neighbourBody(neighbour).bytes, ['cache', 'probes', 'master'])
  again(data, decodeFdbEntry, entry => fdbBody(entry).bytes, ['master', 'flags'])
  again(data, decodeNextHop, nextHop => nextHopBody(nextHop).bytes, [
    'family',
    'scope',
    'flags',
    'resilient',
    'dev',
    'groupType',
  ])
  answer(() => decodeBridgeVlans(data), 'EPROTO')
  answer(() => decodeClass(data), 'EPROTO')
  answer(() => decodeInetSocket(data, 'tcp'), 'EPROTO')
  answer(() => decodeUnixSocket(data), 'EPROTO')
  answer(() => decodeQdisc(data), 'EPROTO')
  for (const kind of Object.values(qdiscKinds)) answer(() => kind.decode(data), 'EPROTO')
  const handle = answer(() => parseHandle(textOf(data)))
  if (handle !== undefined) same(parseHandle(formatHandle(handle)), handle, 'a handle as text')
}

function checkRoute(data: Uint8Array): void {
  const usual = data.length < 12 ? undefined : usualRoute(data)
  if (usual !== undefined) same(usual, anyRoute(data), 'a route without the table')
  again(data, decodeRoute, route => routeBody(route, 'add').bytes, [
    'flags',
    'mark',
    'uid',
    'iif',
    'expiresS',
    'nextHops',
    'metrics',
  ])
}

/** @param loose - fields that only the kernel tells, or that it keeps less exactly than they are told */
function again<T extends object>(
  data: Uint8Array,
  read: (data: Uint8Array) => T | undefined,
  write: (value: T) => Uint8Array,
  loose: readonly string[],
): void {
  const value = answer(() => read(data), 'EPROTO')
  if (value === undefined) return
  const written = answer(() => write(value))
  if (written === undefined) return
  const firm = (all: object) => Object.fromEntries(Object.entries(all).filter(([name]) => !loose.includes(name)))
  same(firm(read(written) ?? {}), firm(value), 'what was read, written and read again')
}

export function seeds(): (string | Uint8Array)[] {
  const messages = Object.values(golden).map(hex =>
    Uint8Array.from(hex.match(/../g) ?? [], byte => Number.parseInt(byte, 16)),
  )
  // The options of a discipline, without its message.
  const options = messages.filter(({ length }) => length > 60).map(message => message.subarray(36))
  return [...messages, ...options, '1:10', 'ffff:', 'root']
}
