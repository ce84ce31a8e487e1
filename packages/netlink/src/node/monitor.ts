import { parseAddressMessage } from '../address-messages.js'
import { parseLink } from '../link.js'
import { Links } from '../links.js'
import { Monitor } from '../monitor.js'
import { decodeNamespaceId } from '../namespace-ids.js'
import { decodeNeighbour } from '../neighbours.js'
import { decodeNextHop } from '../nexthops.js'
import { decodeRoute } from '../route.js'
import { decodeRule } from '../rule.js'
import type { NetlinkMessage } from '../wire.js'
import { type Change, type Changed, changeLine } from './monitor-lines.js'
import type { MonitorRequest, Topic } from './options.js'
import { write } from './output.js'
import { openIn } from './place.js'
import { jsonOf } from './table.js'

/** Where the kernel tells of a topic: groups RTNLGRP_*, and RTM_NEW* for what is there; RTM_DEL* is the next number. */
interface Reader<T> {
  readonly groups: readonly number[]
  readonly type: number
  readonly read: (payload: Uint8Array) => T | undefined
}

const AF_BRIDGE = 7

const readers: { readonly [T in Topic]: Reader<Changed[T]> } = {
  // What a bridge tells of its ports is of the same type: that a port was taken out would be read as the end of the link.
  link: { groups: [1], type: 16, read: payload => (payload[0] === AF_BRIDGE ? undefined : parseLink(payload)) },
  addr: { groups: [5, 9], type: 20, read: parseAddressMessage },
  route: { groups: [7, 11], type: 24, read: decodeRoute },
  rule: { groups: [8, 19], type: 32, read: decodeRule },
  neigh: { groups: [3], type: 28, read: decodeNeighbour },
  nexthop: { groups: [32], type: 104, read: decodeNextHop },
  netns: { groups: [28], type: 88, read: payload => withId(decodeNamespaceId(payload)) },
}

const withId = (id: number | undefined): Changed['netns'] | undefined => (id === undefined ? undefined : { id })

/** The change that a message tells of; `undefined` for one of other topics. Pure. */
export function readChange(topics: readonly Topic[], { type, payload }: NetlinkMessage): Change | undefined {
  const topic = topics.find(each => type === readers[each].type || type === readers[each].type + 1)
  const what = topic && readers[topic].read(payload)
  return what === undefined ? undefined : ({ topic, gone: type !== readers[topic!].type, what } as Change)
}

/** `monitor`: tells until this process is ended, or nobody reads any more. */
export async function monitor({ namespace, topics, json }: MonitorRequest): Promise<number> {
  await using socket = await openIn(namespace)
  await using events = await Monitor.open(socket, {
    groups: topics.flatMap(topic => readers[topic].groups),
    read: message => readChange(topics, message),
  })
  const names = new Map((await new Links(socket).list()).map(({ index, name }) => [index, name]))
  for await (const event of events) {
    if ('type' in event) {
      await write(
        json ? '{"topic":"lost"}\n' : '! more has changed than there was room for: something is missing here\n',
      )
      continue
    }
    if (event.topic === 'link') names.set(event.what.index, event.what.name)
    await write(json ? `${jsonOf(event)}\n` : changeLine(event, index => names.get(index)))
  }
  return 0
}
