import type { EventSubject } from '../events.js'
import { Netlink } from '../netlink.js'
import { eventLine } from './monitor-lines.js'
import type { MonitorRequest, Topic } from './options.js'
import { write } from './output.js'
import { openIn } from './place.js'
import { jsonOf } from './table.js'

const subjects: { readonly [T in Topic]: EventSubject } = {
  link: 'link',
  addr: 'address',
  route: 'route',
  rule: 'rule',
  neigh: 'neighbour',
  fdb: 'fdb',
  nexthop: 'nexthop',
}

/** `monitor`: tells until this process is ended, or nobody reads any more. */
export async function monitor({ namespace, topics, json }: MonitorRequest): Promise<number> {
  await using net = new Netlink(await openIn(namespace))
  // First this: what changes while names are asked for is told, too.
  await using events = await net.monitor({ events: topics.map(topic => subjects[topic]) })
  const names = new Map((await net.links.list()).map(({ index, name }) => [index, name]))
  for await (const event of events) {
    if (event.type === 'link') names.set(event.link.index, event.link.name)
    await write(json ? `${jsonOf(event)}\n` : eventLine(event, index => names.get(index)))
  }
  return 0
}
