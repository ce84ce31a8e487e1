import { Netlink, type Netns } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { inNetns, ip, ipJson, isKernel, ownNetns, toolJson } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:tc', 'program:nsenter')
const emulation = together(needs, requires('qdisc:netem'))
const fair = together(needs, requires('qdisc:fq_codel'))
const code = (name: string) => expect.objectContaining({ code: name })

async function lab(): Promise<{ netns: Netns; net: Netlink; a: number }> {
  const netns = await ownNetns()
  ip(netns, '-batch -', 'link add name a type veth peer name b\nlink set dev a up\nlink set dev b up\n')
  const net = await Netlink.open({ namespace: netns })
  onTestFinished(() => net.close())
  return { netns, net, a: ipJson<{ ifindex: number }[]>(netns, 'link show dev a')[0]!.ifindex }
}

interface TcQdisc {
  kind: string
  handle: string
  root?: boolean
  parent?: string
  options: Record<string, unknown>
}
const theirs = (netns: Netns, dev: string) => toolJson<TcQdisc[]>(netns, 'tc', `qdisc show dev ${dev}`)
const tc = (netns: Netns, words: string) => inNetns(netns, 'tc', words)

test('NL-24 tbf: what we write tc reads, what tc writes we read; changed, replaced, deleted', needs, async () => {
  const { netns, net, a } = await lab()
  const options = { rateBytesPerSecond: 125_000, burstBytes: 5000, limitBytes: 10_000 }
  await net.qdiscs.add({ dev: 'a', handle: '1:', tbf: options })
  const [found] = theirs(netns, 'a')
  expect(found).toMatchObject({ kind: 'tbf', handle: '1:', root: true, options: { rate: 125_000 } })
  // To the tick that the kernel counts in.
  expect(Math.abs(Number(found!.options.burst) - 5000)).toBeLessThanOrEqual(8)
  const [ours] = await net.qdiscs.list({ dev: 'a' })
  expect(ours).toMatchObject({ dev: a, kind: 'tbf', handle: '1:', parent: 'root', tbf: options })
  expect(ours?.statistics).toMatchObject({ queueLength: 0, backlogBytes: 0 })

  await expect(net.qdiscs.add({ dev: 'a', handle: '2:', tbf: options })).rejects.toThrow(code('EEXIST'))
  await net.qdiscs.change({ dev: 'a', tbf: { ...options, rateBytesPerSecond: 250_000 } })
  expect(theirs(netns, 'a')[0]).toMatchObject({ handle: '1:', options: { rate: 250_000 } })
  await net.qdiscs.replace({
    dev: 'a',
    handle: '3:',
    tbf: { ...options, rateBytesPerSecond: 6e9, burstBytes: 100_000 },
  })
  expect((await net.qdiscs.list({ dev: a }))[0]).toMatchObject({ handle: '3:', tbf: { rateBytesPerSecond: 6e9 } })

  tc(netns, 'qdisc add dev b root handle 2: tbf rate 1mbit burst 5kb latency 50ms peakrate 2mbit mtu 1600')
  const [read] = await net.qdiscs.list({ dev: 'b' })
  expect(read).toMatchObject({
    kind: 'tbf',
    handle: '2:',
    tbf: { rateBytesPerSecond: 125_000, peakRateBytesPerSecond: 250_000 },
  })
  expect(Math.abs(read!.tbf!.burstBytes - 5120)).toBeLessThanOrEqual(8)
  expect(Math.abs(read!.tbf!.peakBurstBytes! - 1600)).toBeLessThanOrEqual(16)
  await net.qdiscs.delete({ dev: 'a' })
  await net.qdiscs.delete(read!)
  expect([...theirs(netns, 'a'), ...theirs(netns, 'b')].filter(({ kind }) => kind === 'tbf')).toEqual([])
})

test('NL-24 htb: a tree of classes, and queues below them', needs, async () => {
  const { netns, net } = await lab()
  await net.qdiscs.add({ dev: 'a', handle: '1:', htb: { defaultMinor: 0x20 } })
  const class_ = (classid: string, parent: string, rate: number, priority?: number, ceil = 1_250_000) =>
    net.classes.add({
      dev: 'a',
      classid,
      parent,
      htb: { rateBytesPerSecond: rate, ceilBytesPerSecond: ceil, priority, quantumBytes: 1600 },
    })
  await class_('1:1', '1:', 1_250_000)
  await class_('1:10', '1:1', 125_000, 3)
  await class_('1:20', '1:1', 250_000, 0, 6e9)
  await net.qdiscs.add({ dev: 'a', parent: '1:10', handle: '10:', kind: 'pfifo', options: Uint8Array.of(5, 0, 0, 0) })
  const words = tc(netns, 'class show dev a')
  expect(words).toMatch(/class htb 1:1 root rate 10Mbit ceil 10Mbit/)
  expect(words).toMatch(/class htb 1:10 parent 1:1 leaf 10: prio 3 rate 1Mbit ceil 10Mbit/)
  expect(words).toMatch(/class htb 1:20 parent 1:1 prio 0 rate 2Mbit ceil 48Gbit/)
  expect(theirs(netns, 'a')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'htb', handle: '1:', root: true }),
      expect.objectContaining({ kind: 'pfifo', handle: '10:', parent: '1:10', options: { limit: 5 } }),
    ]),
  )
  expect((await net.qdiscs.list({ dev: 'a' })).find(({ kind }) => kind === 'htb')?.htb).toMatchObject({
    defaultMinor: 0x20,
    rateToQuantum: 10,
  })
  await expect(class_('1:10', '1:1', 1)).rejects.toThrow(code('EEXIST'))

  tc(netns, 'qdisc add dev b root handle 1: htb default 5')
  tc(netns, 'class add dev b parent 1: classid 1:5 htb rate 1mbit ceil 2mbit burst 10kb prio 2')
  const [read] = await net.classes.list({ dev: 'b' })
  expect(read).toMatchObject({
    kind: 'htb',
    classid: '1:5',
    parent: 'root',
    htb: { rateBytesPerSecond: 125_000, ceilBytesPerSecond: 250_000, priority: 2 },
  })
  expect(Math.abs(read!.htb!.burstBytes! - 10_240)).toBeLessThanOrEqual(8)
  const ours = await net.classes.list({ dev: 'a', qdisc: '1:' })
  expect(ours.map(({ classid, parent, leaf }) => [classid, parent, leaf]).sort()).toEqual([
    ['1:1', 'root', undefined],
    ['1:10', '1:1', '10:'],
    ['1:20', '1:1', undefined],
  ])

  await net.classes.replace({ dev: 'a', classid: '1:20', parent: '1:1', htb: { rateBytesPerSecond: 500_000 } })
  expect(tc(netns, 'class show dev a')).toMatch(/class htb 1:20 parent 1:1 prio 0 rate 4Mbit ceil 4Mbit/)
  await expect(net.classes.delete({ dev: 'a', classid: '1:1' })).rejects.toThrow(code('EBUSY'))
  await net.classes.delete({ dev: 'a', classid: '1:20' })
  await expect(net.classes.delete({ dev: 'a', classid: '1:20' })).rejects.toThrow(code('ENOENT'))
  await net.qdiscs.delete({ dev: 'a' })
  expect(await net.classes.list({ dev: 'a' })).toEqual([])
})

test('NL-24 what takes packets that come in, and kinds and devices that are not there', needs, async () => {
  const { netns, net } = await lab()
  await net.qdiscs.add({ dev: 'a', kind: 'clsact' })
  expect(theirs(netns, 'a')).toContainEqual(expect.objectContaining({ kind: 'clsact', handle: 'ffff:' }))
  expect((await net.qdiscs.list({ dev: 'a' })).find(({ kind }) => kind === 'clsact')).toMatchObject({
    parent: 'ingress',
    handle: 'ffff:',
  })
  await net.qdiscs.delete({ dev: 'a', parent: 'ingress' })
  expect(theirs(netns, 'a').map(({ kind }) => kind)).not.toContain('clsact')
  await expect(net.qdiscs.add({ dev: 'a', kind: 'lc_none' })).rejects.toThrow(code('ENOENT'))
  await expect(net.qdiscs.add({ dev: 'none0', kind: 'pfifo' })).rejects.toMatchObject({ code: 'ENODEV', path: 'none0' })
  await expect(net.qdiscs.add({ dev: 'a', parent: '9:1', kind: 'pfifo' })).rejects.toThrow(code('ENOENT'))
  await expect(
    net.classes.add({ dev: 'a', classid: '1:1', parent: '1:', htb: { rateBytesPerSecond: 1 } }),
  ).rejects.toThrow(code('ENOENT'))
})

test('NL-24 netem: what we write tc reads, what tc writes we read', emulation, async () => {
  const { netns, net } = await lab()
  const options = {
    delayUs: 100_000,
    jitterUs: 10_000,
    delayCorrelationPercent: 25,
    lossPercent: 1,
    lossCorrelationPercent: 50,
    duplicatePercent: 2,
    corruptPercent: 0.5,
    reorderPercent: 10,
    gapPackets: 5,
    rateBytesPerSecond: 125_000,
    limitPackets: 500,
  }
  await net.qdiscs.add({ dev: 'a', handle: '1:', netem: options })
  const shown = tc(netns, 'qdisc show dev a')
  for (const part of [
    'netem 1: root',
    'limit 500',
    'delay 100ms  10ms 25%',
    'loss 1% 50%',
    'duplicate 2%',
    'reorder 10%',
    'gap 5',
    'corrupt 0.5%',
    'rate 1Mbit',
  ])
    expect(shown).toContain(part)
  expect((await net.qdiscs.list({ dev: 'a' }))[0]?.netem).toMatchObject(options)
  tc(netns, 'qdisc add dev b root netem delay 50ms 5ms loss gemodel 1% 10% 70% 0.1% rate 40gbit')
  expect((await net.qdiscs.list({ dev: 'b' }))[0]?.netem).toMatchObject({
    delayUs: 50_000,
    jitterUs: 5000,
    lossModel: { model: 'gilbert', toBadPercent: 1, toGoodPercent: 10, badLossPercent: 70, goodLossPercent: 0.1 },
    rateBytesPerSecond: 5e9,
  })
  await net.qdiscs.change({ dev: 'a', netem: { delayUs: 1 } })
  expect((await net.qdiscs.list({ dev: 'a' }))[0]?.netem).toMatchObject({ delayUs: 1, limitPackets: 1000 })
  await net.qdiscs.delete({ dev: 'a' })
  expect(tc(netns, 'qdisc show dev a')).not.toContain('netem')
  // Younger than some kernels, which ignore it.
  const add = net.qdiscs.add({ dev: 'a', netem: { delayUs: 1, seed: 7n } })
  if (isKernel(6, 6)) {
    await add
    expect((await net.qdiscs.list({ dev: 'a' }))[0]?.netem).toMatchObject({ seed: 7n })
  } else {
    await expect(add).rejects.toMatchObject({ code: 'EOPNOTSUPP', message: expect.stringContaining('netem.seed') })
    expect(tc(netns, 'qdisc show dev a')).not.toContain('netem')
  }
})

test('NL-24 fq_codel: what we write tc reads, what tc writes we read', fair, async () => {
  const { netns, net } = await lab()
  const options = { limitPackets: 1000, flows: 64, targetUs: 4000, intervalUs: 80_000, ecn: false, quantumBytes: 300 }
  await net.qdiscs.add({ dev: 'a', handle: '1:', fq_codel: options })
  expect(tc(netns, 'qdisc show dev a')).toMatch(
    /fq_codel 1: root .*limit 1000p flows 64 quantum 300 target 4ms interval 80ms/,
  )
  // The kernel keeps times in units of 1024 ns.
  const [{ fq_codel: found } = {}] = await net.qdiscs.list({ dev: 'a' })
  expect(found).toMatchObject({ limitPackets: 1000, flows: 64, ecn: false, quantumBytes: 300 })
  expect(Math.abs(found!.targetUs! - 4000)).toBeLessThanOrEqual(2)
  tc(netns, 'qdisc add dev b root fq_codel limit 77 memory_limit 1mb ecn')
  expect((await net.qdiscs.list({ dev: 'b' }))[0]?.fq_codel).toMatchObject({
    limitPackets: 77,
    memoryLimitBytes: 1 << 20,
    ecn: true,
  })
})
