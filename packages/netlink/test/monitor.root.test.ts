import {
  attributes,
  decodeAttributes,
  type LostEvents,
  Monitor,
  type MonitorOptions,
  messageBody,
  NetlinkSocket,
  string,
  struct,
  u8,
  u16,
  u32,
} from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { ip, openDescriptors, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')
const RTNLGRP_LINK = 1
const header = struct({ family: u8, type: u16, index: u32, flags: u32, change: u32 })
const table = attributes({ name: [3, string] })

interface LinkEvent {
  readonly type: number
  readonly name: string | undefined
}

async function listen(
  socket: NetlinkSocket,
  options?: MonitorOptions,
  resynchronise = false,
): Promise<Monitor<LinkEvent>> {
  const monitor = await Monitor.open<LinkEvent>(
    socket,
    {
      groups: [RTNLGRP_LINK],
      read: ({ type, payload }) => ({ type, name: decodeAttributes(table, payload, header.size).name }),
      now: resynchronise
        ? ({ signal }) =>
            socket.dump({
              type: 18,
              body: messageBody(header, {}),
              signal,
              map: ({ payload }) => ({ type: 0, name: decodeAttributes(table, payload, header.size).name }),
            })
        : undefined,
    },
    options,
  )
  onTestFinished(() => monitor.close())
  return monitor
}

/** Events until one that is wanted, which leaves the loop and so closes the monitor. */
async function upTo(
  monitor: Monitor<LinkEvent>,
  wanted: (event: LinkEvent | LostEvents) => boolean,
): Promise<(LinkEvent | LostEvents)[]> {
  const found: (LinkEvent | LostEvents)[] = []
  for await (const event of monitor) {
    found.push(event)
    if (wanted(event)) break
  }
  return found
}

const isDeleted = (name: string) => (event: LinkEvent | LostEvents) =>
  event.type === 17 && (event as LinkEvent).name === name

test(
  'NL-23 what happens after it was opened is told, also when nobody read yet; leaving the loop closes it',
  needs,
  async () => {
    const netns = await ownNetns()
    const socket = await NetlinkSocket.open({ namespace: netns })
    onTestFinished(() => socket.close())
    ip(netns, 'link add before type veth peer name before1')
    const open = openDescriptors()
    const monitor = await listen(socket)
    ip(netns, 'link add one type veth peer name two')
    ip(netns, 'link del one')
    const found = await upTo(monitor, isDeleted('one'))
    const names = found.map(event => (event as LinkEvent).name)
    expect(names).toContain('two')
    expect(names).not.toContain('before')
    await until('its socket is closed', () => openDescriptors().length <= open.length)
  },
)

test('NL-23 events that the queue could not hold are told as lost, and what is there now follows', needs, async () => {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const monitor = await listen(socket, { room: 65536 }, true)
  ip(netns, '-batch -', `link add gone type veth peer name gone1\nlink del gone\n`.repeat(50))
  ip(netns, 'link add there type veth peer name there1')
  const found = await upTo(monitor, event => event.type === 0 && (event as LinkEvent).name === 'there')
  expect(found.filter(({ type }) => type === 'lost').length).toBeGreaterThan(0)
})

test('NL-23 it goes on after a loss', needs, async () => {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const monitor = await listen(socket, { room: 65536 })
  ip(netns, '-batch -', `link add gone type veth peer name gone1\nlink del gone\n`.repeat(50))
  const reading = upTo(monitor, isDeleted('last'))
  // Until the queue is empty nothing more gets into it: the last comes and goes until it is told.
  let over = false
  void reading.then(() => {
    over = true
  })
  await until('the deletion is told', () => {
    ip(netns, 'link add last type veth peer name last1')
    ip(netns, 'link del last')
    return over
  })
  expect((await reading).some(({ type }) => type === 'lost')).toBe(true)
})

test('NL-23 a signal ends it with its reason, close() without, the socket’s end with an error', needs, async () => {
  const socket = await NetlinkSocket.open({ namespace: await ownNetns() })
  const never = (): boolean => false
  const controller = new AbortController()
  const first = upTo(await listen(socket, { signal: controller.signal }), never)
  controller.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  const second = await listen(socket)
  const reading = upTo(second, never)
  second.close()
  expect(await reading).toEqual([])
  const third = upTo(await listen(socket), never)
  socket.close()
  await expect(third).rejects.toMatchObject({ code: 'ECONNABORTED' })
})

test('NL-23 closing it between two events closes its socket, whoever reads it further or not', needs, async () => {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const before = openDescriptors()
  const monitor = await listen(socket)
  const events = monitor[Symbol.asyncIterator]()
  ip(netns, 'link set lo up')
  expect((await events.next()).done).toBe(false)
  monitor.close()
  expect(openDescriptors()).toEqual(before)
  expect((await events.next()).done).toBe(true)
})

test('NL-23 a group that is none is refused, and leaves no socket', needs, async () => {
  const socket = await NetlinkSocket.open({ namespace: await ownNetns() })
  onTestFinished(() => socket.close())
  const before = openDescriptors()
  await expect(Monitor.open(socket, { groups: [100_000], read: () => undefined })).rejects.toMatchObject({
    code: 'EINVAL',
  })
  expect(openDescriptors()).toEqual(before)
})
