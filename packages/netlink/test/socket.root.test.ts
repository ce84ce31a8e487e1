import { spawn, spawnSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { readlinkSync } from 'node:fs'
import {
  attributes,
  type DumpRequest,
  decodeAttributes,
  messageBody,
  NETNS_DIRECTORY,
  type NetlinkRequest,
  NetlinkSocket,
  Netns,
  NLM_F_CREATE,
  NLM_F_EXCL,
  nested,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
} from '@libcontainer/netlink'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { Exchange } from '../dist/socket/exchange.js'
import { ip, namespacesOfThreads, openDescriptors, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const header = struct({ family: u8, type: u16, index: s32, flags: u32, change: u32 })
const table = attributes({
  name: [3, string],
  mtu: [4, u32],
  info: [18, nested(attributes({ kind: [1, string] }))],
})
const nameOf: DumpRequest<string>['map'] = ({ payload }) => decodeAttributes(table, payload, header.size).name
/** What kernels with tunnels put into each new namespace. */
const FALLBACK = /^(tunl|gre|gretap|erspan|sit|ip6tnl|ip6gre|ip_vti|ip6_vti)0$/
const links = (signal?: AbortSignal): DumpRequest<string> => ({
  type: RTM_GETLINK,
  body: messageBody(header, {}),
  map: message => {
    const name = nameOf(message)
    return name !== undefined && FALLBACK.test(name) ? undefined : name
  },
  signal,
})
const get = (index: number): NetlinkRequest => ({ type: RTM_GETLINK, body: messageBody(header, { index }, table, {}) })
const add = (name: string, kind: string): NetlinkRequest => ({
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: messageBody(header, {}, table, { name, info: { kind } }),
  about: `add the link ${name}`,
  path: name,
})

async function open(netns: Netns): Promise<NetlinkSocket> {
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  return socket
}

/** So many veth links, in pairs, by one ip(8). */
const addVeths = (netns: Netns, count: number): string =>
  ip(
    netns,
    '-batch -',
    Array.from({ length: count / 2 }, (_, i) => `link add a${i} type veth peer name b${i}\n`).join(''),
  )

afterEach(() => {
  // Whatever was opened where: no thread of ours has left its namespace.
  expect(namespacesOfThreads()).toEqual([readlinkSync('/proc/self/ns/net')])
})

describe('NL-22 a socket in a namespace', () => {
  test(
    'by descriptor, path, pid and name; it sees what ip makes there, and its maker stays where it is',
    needs,
    async () => {
      const name = `lc-test-${process.pid}`
      const netns = await ownNetns()
      await netns.pin(name)
      onTestFinished(async () => void (await Netns.delete(name)))
      ip(netns, 'link add seen type veth peer name other')
      const program = spawn('nsenter', [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, 'sleep', '1000'])
      onTestFinished(() => void program.kill('SIGKILL'))
      await until('the program is in the namespace', () => {
        return readlinkSync(`/proc/${program.pid}/ns/net`) === readlinkSync(`/proc/self/fd/${netns.fd.fd}`)
      })
      for (const namespace of [netns, netns.fd, `${NETNS_DIRECTORY}/${name}`, name, program.pid!]) {
        const socket = await NetlinkSocket.open({ namespace })
        expect((await socket.list(links())).sort()).toEqual(['lo', 'other', 'seen'])
        socket.close()
      }
      const own = await NetlinkSocket.open()
      expect(await own.list(links())).not.toContain('seen')
      own.close()
    },
  )

  test('lives on when the name it was opened by is gone, and keeps the namespace', needs, async () => {
    const netns = await Netns.create()
    const socket = await open(netns)
    ip(netns, 'link add kept type veth peer name other')
    netns.close()
    expect(await socket.list(links())).toContain('kept')
  })

  test('what is none is refused by name; a process that has ended is ENOENT', needs, async () => {
    const { pid } = spawnSync('true')
    await expect(NetlinkSocket.open({ namespace: pid })).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(NetlinkSocket.open({ namespace: '/proc/self/ns/uts' })).rejects.toMatchObject({ field: 'namespace' })
    await expect(NetlinkSocket.open({ namespace: '/dev/null' })).rejects.toMatchObject({ field: 'namespace' })
    await expect(NetlinkSocket.open({ namespace: 'a/b' })).rejects.toMatchObject({ field: 'namespace' })
    await expect(NetlinkSocket.open({ namespace: 'lc-no-such' })).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(NetlinkSocket.open({ protocol: 31 })).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' })
  })
})

describe('NL-01 requests', () => {
  test('a refusal is the errno, with the kernel’s words and the attribute that it names', needs, async () => {
    const socket = await open(await ownNetns())
    const error = await socket.request(add('x0', 'no-such-kind')).catch(error => error)
    expect(error).toMatchObject({ code: 'EOPNOTSUPP', path: 'x0' })
    expect(error.message).toMatch(/^add the link x0: EOPNOTSUPP: .*Unknown device type/)
    await expect(socket.request({ ...get(0), body: messageBody(header, {}, table, { name: 'none' }) })).rejects.toThrow(
      'ENODEV',
    )
  })

  test('an attribute of a type that the kernel refuses is named by its path', needs, async () => {
    const socket = await open(await ownNetns())
    const mistaken = attributes({ name: [3, string], mtu: [4, u8] })
    const body = messageBody(header, { index: 1 }, mistaken, { mtu: 3 })
    await expect(socket.request({ type: RTM_NEWLINK, body })).rejects.toThrow(/attribute mtu/)
  })

  test('a thousand at once: each gets its own answer', needs, async () => {
    const netns = await ownNetns()
    addVeths(netns, 20)
    const socket = await open(netns)
    const names = await socket.list(links())
    const byIndex = new Map<number, string>()
    for (const [i] of names.entries()) byIndex.set(i + 1, nameOf((await socket.request(get(i + 1)))!)!)
    const numbers = Array.from({ length: 1000 }, (_, i) => (i % names.length) + 1)
    const answers = await Promise.all(numbers.map(async index => nameOf((await socket.request(get(index)))!)))
    expect(answers).toEqual(numbers.map(index => byIndex.get(index)))
  })

  test('a batch: the kernel goes on behind what it refuses, and each is told how it went', needs, async () => {
    const netns = await ownNetns()
    const socket = await open(netns)
    const answers = await socket.batch([add('one', 'veth'), add('one', 'veth'), add('two', 'veth'), get(1)])
    expect(answers.map(({ error }) => error?.code)).toEqual([undefined, 'EEXIST', undefined, undefined])
    expect(nameOf(answers[3]!.answer!)).toBe('lo')
    expect(ip(netns, '-br link')).toMatch(/one[\s\S]*two|two[\s\S]*one/)
  })

  test('answers that the queue could not hold are told as lost, and those to later requests come', needs, async () => {
    const netns = await ownNetns()
    const socket = await open(netns)
    addVeths(netns, 40)
    const { fd, port } = await socket.openAnother(socket.protocol, {}, 8192)
    const exchange = new Exchange(fd, port)
    onTestFinished(() => exchange.close())
    const indexes = Array.from({ length: 32 }, (_, i) => i + 1)
    const outcomes = await Promise.all(indexes.map(index => exchange.send(get(index))))
    const lost = outcomes.filter(({ error }) => error !== undefined)
    expect(lost.length).toBeGreaterThan(0)
    for (const { error } of lost)
      expect(error).toMatchObject({ code: 'ENOBUFS', hint: expect.stringMatching(/carried out/) })
    for (const index of indexes) expect((await exchange.send(get(index))).answer?.payload[4]).toBe(index)
  })

  test('one that cannot be sent fails by itself', needs, async () => {
    const socket = await open(await ownNetns())
    const huge = { type: RTM_GETLINK, body: new Uint8Array(8 * 1024 * 1024), about: 'ask for too much' }
    const answers = await Promise.allSettled([get(1), get(1), huge, get(1)].map(each => socket.request(each)))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(answers[2]).toMatchObject({
      reason: { code: 'EMSGSIZE', message: expect.stringMatching(/^ask for too much/) },
    })
  })

  test(
    'what is not from the kernel does not reach it: nobody forges an answer, or fills the queue',
    requires('root', 'program:python3'),
    async () => {
      const socket = await NetlinkSocket.open()
      onTestFinished(() => socket.close())
      const { port } = (await socket.request(get(1)))!
      // An acknowledgement with the next sequence numbers, a thousand times.
      const forger = `
import socket, struct
s = socket.socket(16, 3, 0)
s.bind((0, 0))
sent = 0
for i in range(1000):
    try: sent += s.sendto(struct.pack('=IHHIIi', 36, 2, 0, i % 50, ${port}, -1) + bytes(16), socket.MSG_DONTWAIT, (${port}, 0)) > 0
    except ConnectionRefusedError: pass
print(sent)`
      const { stdout, stderr } = spawnSync('python3', ['-c', forger], { encoding: 'utf8' })
      expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
      for (let i = 0; i < 50; i++) await socket.request(get(1))
      expect(nameOf((await socket.request(get(1)))!)).toBe('lo')
    },
  )

  test('a signal ends the wait, before and during; no listener is left on it', needs, async () => {
    const socket = await open(await ownNetns())
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(socket.request({ ...get(1), signal: aborted })).rejects.toThrow('enough')
    await expect(socket.list(links(aborted))).rejects.toThrow('enough')
    const controller = new AbortController()
    const { signal } = controller
    // Node.js takes many listeners on one signal for a leak, and says so.
    const requests = Array.from({ length: 20 }, () => socket.request({ ...get(1), signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await Promise.all(requests)
    await socket.batch([get(1), get(1)], { signal })
    await socket.list(links(signal))
    for await (const _ of socket.dump(links(signal))) break
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const waiting = socket.request({ ...get(1), signal })
    controller.abort(new Error('now'))
    await expect(waiting).rejects.toThrow('now')
    expect(nameOf((await socket.request(get(1)))!)).toBe('lo')
  })
})

describe('NL-01 dumps', () => {
  test('of many datagrams, streamed and at once, several at the same time', needs, async () => {
    const netns = await ownNetns()
    addVeths(netns, 200)
    const socket = await open(netns)
    const streamed: string[] = []
    const [listed, again] = await Promise.all([
      socket.list(links()),
      socket.list(links()),
      (async () => {
        for await (const name of socket.dump(links())) {
          streamed.push(name)
          // Others are answered while this one is read slowly.
          if (streamed.length === 5) expect(nameOf((await socket.request(get(1)))!)).toBe('lo')
        }
      })(),
    ])
    expect(listed.length).toBe(201)
    expect(again.sort()).toEqual([...listed].sort())
    expect(streamed.sort()).toEqual([...listed].sort())
    expect(listed.interrupted).toBe(false)
  })

  test('one that is left early, and one that the kernel refuses, leave no descriptor', needs, async () => {
    const netns = await ownNetns()
    addVeths(netns, 100)
    const before = openDescriptors()
    const socket = await NetlinkSocket.open({ namespace: netns })
    for (let i = 0; i < 10; i++) for await (const _ of socket.dump(links())) break
    const strict = { ...links(), body: messageBody(header, { change: 1 }), about: 'list links' }
    await expect(socket.list(strict)).rejects.toThrow(/^list links: EINVAL: .*\(.+\)$/)
    expect((await socket.list(links())).length).toBe(101)
    await socket[Symbol.asyncDispose]()
    await until('all sockets are closed', () => openDescriptors().length <= before.length)
  })

  test('while links come and go every list is whole, or says that it may not be', needs, async () => {
    const netns = await ownNetns()
    // More than is received ahead: 2 MiB.
    addVeths(netns, 1600)
    const socket = await open(netns)
    const dump = socket.dump(links())
    let before = true
    for await (const _ of dump) {
      if (before) await socket.request(add('more', 'veth'))
      before = false
    }
    expect(dump.interrupted).toBe(true)
    const changes = 'link add c0 type veth peer name c1\nlink del c0\n'.repeat(40)
    const changing = spawn('nsenter', [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, 'ip', '-batch', '-'])
    onTestFinished(() => void changing.kill('SIGKILL'))
    changing.stdin.end(changes)
    let over = false
    changing.once('exit', () => {
      over = true
    })
    while (!over) {
      const names = await socket.list(links())
      const stable = names.filter(name => !name.startsWith('c'))
      if (!names.interrupted) expect(new Set(stable).size).toBe(1603)
    }
  })

  test('close ends dumps and requests that go on, and whatever comes later', needs, async () => {
    const netns = await ownNetns()
    addVeths(netns, 40)
    const socket = await NetlinkSocket.open({ namespace: netns })
    const reading = (async () => {
      for await (const _ of socket.dump(links())) socket.close()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ECONNABORTED' })
    await expect(socket.request(get(1))).rejects.toMatchObject({ code: 'ECONNABORTED' })
    await expect(socket.list(links())).rejects.toMatchObject({ code: 'ECONNABORTED' })
    expect(socket.closed).toBe(true)
    socket.close()
  })
})

test('NL-01 deleting what was added leaves nothing', needs, async () => {
  const netns = await ownNetns()
  const socket = await open(netns)
  await socket.request(add('gone', 'veth'))
  await socket.request({ type: RTM_DELLINK, body: messageBody(header, {}, table, { name: 'gone' }) })
  expect(await socket.list(links())).toEqual(['lo'])
})
