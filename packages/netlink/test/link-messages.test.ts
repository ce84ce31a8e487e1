import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { addLink, alternativeNames, deleteLink, getLink, listLinks, moveLink, setLink } from '../src/link/messages.js'
import type { NewLink } from '../src/link/options.js'
import { attributeAt } from '../src/message/attributes.js'
import type { MessageBody, NetlinkRequest } from '../src/message/message.js'
import { golden } from './golden/messages.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const hex = ({ body }: NetlinkRequest) => Buffer.from((body as MessageBody).bytes).toString('hex')
const MAKE = { type: 16, flags: 0x600 }

test('NL-03 NL-06 NL-08 a link is asked for as the kernel’s headers lay it out', () => {
  const request = addLink({
    name: 'd0',
    kind: 'dummy',
    mtu: 1400,
    mac: '02:42:ac:11:00:02',
    txQueueLength: 77,
    group: 5,
    txQueues: 2,
    rxQueues: 3,
    up: true,
    master: 9,
    namespace: { pid: 4711 },
  })
  expect(request).toMatchObject({ ...MAKE, path: 'd0' })
  expect(hex(request)).toBe(golden.dummy)
})

test('NL-10 both ends of a veth are in one message', () => {
  const peer = { name: 'b', mac: '02:00:00:00:00:0b', txQueueLength: 100, namespace: { fd: 13 } }
  const request = addLink({ name: 'a', kind: 'veth', txQueueLength: 100, peer })
  expect(request).toMatchObject(MAKE)
  expect(hex(request)).toBe(golden.veth)
})

test.each<[keyof typeof golden, NewLink]>([
  [
    'bridge',
    {
      name: 'br0',
      kind: 'bridge',
      data: {
        forwardDelay: 400,
        helloTime: 200,
        maxAge: 2000,
        ageingTime: 30000,
        stpState: 1,
        priority: 4096,
        vlanFiltering: true,
        vlanProtocol: '802.1ad',
        groupForwardMask: 8,
        groupAddress: '01:80:c2:00:00:0e',
        multicastRouter: 2,
        multicastSnooping: false,
        multicastQuerier: true,
        multicastHashMax: 512,
        multicastQueryInterval: 12500n,
        callIptables: true,
        vlanDefaultPvid: 7,
        vlanStatistics: true,
        mldVersion: 2,
        options: { value: 1, mask: 3 },
      },
    },
  ],
  [
    'macvlan',
    {
      name: 'm0',
      kind: 'macvlan',
      link: 2,
      data: {
        mode: 'source',
        flags: ['nopromisc'],
        macMode: 'set',
        macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
        broadcastQueueLength: 500,
      },
    },
  ],
  ['macvtap', { name: 't0', kind: 'macvtap', link: 2, data: { mode: 'bridge' } }],
  ['ipvlan', { name: 'i0', kind: 'ipvlan', link: 2, data: { mode: 'l3s', flags: ['vepa'] } }],
  [
    'vlan',
    {
      name: 'v100',
      kind: 'vlan',
      link: 2,
      data: {
        id: 100,
        flags: ['reorderHeader', 'looseBinding'],
        egressPriorities: [{ from: 1, to: 5 }],
        protocol: '802.1ad',
      },
    },
  ],
  [
    'vxlan',
    {
      name: 'vx0',
      kind: 'vxlan',
      data: {
        id: 0xabcdef,
        link: 2,
        ttl: 16,
        learning: false,
        ageing: 300,
        portRange: { low: 32768, high: 61000 },
        port: 4789,
        udpChecksum: true,
        groupPolicy: true,
        collectMetadata: false,
        label: 0x12345,
        dontFragment: 'set',
        group: '239.1.1.1',
        local: '192.0.2.1',
      },
    },
  ],
  ['vxlan6', { name: 'vx6', kind: 'vxlan', data: { id: 1, group: 'ff05::100', local: '2001:db8::1' } }],
  [
    'bond',
    {
      name: 'bond0',
      kind: 'bond',
      data: {
        mode: 'active-backup',
        activeSlave: 3,
        miimon: 100,
        upDelay: 200,
        downDelay: 300,
        useCarrier: true,
        arpInterval: 1000,
        arpIpTargets: ['192.0.2.1', '192.0.2.2'],
        arpValidate: 'all',
        arpAllTargets: 'all',
        primary: 3,
        primaryReselect: 'failure',
        failOverMac: 'active',
        xmitHashPolicy: 'layer3+4',
        resendIgmp: 2,
        peerNotifications: 4,
        allSlavesActive: true,
        minLinks: 1,
        lpInterval: 2,
        packetsPerSlave: 8,
        lacpRate: 'fast',
        adSelect: 'count',
        adActorSystemPriority: 1000,
        adUserPortKey: 11,
        adActorSystem: '02:00:00:00:00:09',
        tlbDynamicBalancing: false,
        peerNotificationDelay: 500,
        lacpActive: true,
        missedMax: 5,
        nsIp6Targets: ['2001:db8::1'],
      },
    },
  ],
  ['vrf', { name: 'red', kind: 'vrf', data: { table: 10 } }],
])('NL-11 NL-12 NL-24 the data of %s is laid out as in the kernel’s headers', (name, link) => {
  expect(hex(addLink(link))).toBe(golden[name])
})

test('NL-19 what a link has as a port goes by a message that the kernel reads it in', () => {
  const bridge = setLink(4, {
    bridgePort: {
      state: 'forwarding',
      priority: 16,
      cost: 5,
      hairpin: true,
      guard: true,
      protect: false,
      fastLeave: true,
      learning: false,
      flood: false,
      proxyArp: true,
      multicastRouter: 1,
      multicastFlood: false,
      vlanTunnel: true,
      broadcastFlood: false,
      neighbourSuppression: true,
      isolated: true,
      backupPort: 6,
      locked: true,
    },
  })
  expect(bridge).toMatchObject({ type: 16 })
  expect(bridge.flags).toBeUndefined()
  expect(hex(bridge)).toBe(golden.bridgePort)
  expect(hex(setLink(4, { bondPort: { queueId: 2, priority: -3 } }))).toBe(golden.bondPort)
})

test('NL-05 NL-06 NL-07 NL-09 a change says what it changes, and nothing else', () => {
  const request = setLink(3, {
    name: 'new',
    mtu: 9000,
    master: null,
    alias: 'to the world',
    carrier: true,
    protoDown: false,
    addressGeneration: 'none',
    up: false,
    promiscuous: true,
    arp: true,
  })
  expect(request).toMatchObject({ type: 19 })
  expect(hex(request)).toBe(golden.set)
  expect(hex(setLink('eth0', { up: false }))).toBe(golden.down)
  expect(hex(setLink(7, { kind: 'bridge', data: { stpState: 0 } }))).toBe(golden.change)
})

test('NL-08 NL-30 a move is one message of index, new name and namespace', () => {
  const request = moveLink(3, { fd: 21 }, { name: 'eth%d', index: 8 })
  expect(request).toMatchObject({ type: 19 })
  expect(hex(request)).toBe(golden.move)
})

test('NL-04 NL-21 links are told by name, by alternative name, or by index', () => {
  expect(deleteLink('a-name-of-more-than-fifteen-bytes')).toMatchObject({ type: 17 })
  expect(hex(deleteLink('a-name-of-more-than-fifteen-bytes'))).toBe(golden.byAlternativeName)
  expect(hex(getLink(3))).toBe(golden.get)
  expect(hex(listLinks({ master: 9, kind: 'veth' }))).toBe(golden.list)
  const names = alternativeNames(3, 'add', ['first', 'second-and-longer-than-15'])
  expect(names).toMatchObject({ type: 108, flags: 0xe00 })
  expect(hex(names)).toBe(golden.alternativeNames)
  expect(alternativeNames(3, 'remove', ['first'])).toMatchObject({ type: 109 })
})

test('NL-01 the kernel’s offset of what it refused leads to the attribute of the kind, too', () => {
  const { body } = addLink({ name: 'v100', kind: 'vlan', link: 2, data: { id: 100, protocol: '802.1ad' } })
  const { bytes, table, attributesAt } = body as MessageBody
  const name = (offset: number) => attributeAt(table!, bytes.subarray(attributesAt), offset)?.path
  const at = Buffer.from(bytes.subarray(attributesAt)).indexOf(Buffer.from('0600010064000000', 'hex'))
  expect(at).toBeGreaterThan(0)
  expect(name(0)).toBe('ifname')
  expect(name(at)).toBe('linkinfo.data.id')
  expect(name(at + 8)).toBe('linkinfo.data.protocol')
})

test('NL-03 NL-12 EV-060 EV-064 what cannot be is refused by its field before anything is asked', () => {
  const bad: [field: string, link: object][] = [
    ['name', { kind: 'dummy' }],
    ['name', { kind: 'dummy', name: '' }],
    ['name', { kind: 'dummy', name: 'a'.repeat(16) }],
    ['name', { kind: 'dummy', name: 'eth%d' }],
    ['kind', { name: 'a' }],
    ['kind', { name: 'a', kind: '' }],
    ['kind', { name: 'a', kind: 'tun' }],
    ['link', { name: 'a', kind: 'vlan', data: { id: 1 } }],
    ['link', { name: 'a', kind: 'macvlan', link: 'eth0' }],
    ['master', { name: 'a', kind: 'dummy', master: 'br0' }],
    ['peer', { name: 'a', kind: 'veth' }],
    ['peer', { name: 'a', kind: 'veth', peer: 'b/c' }],
    ['peer.name', { name: 'a', kind: 'veth', peer: { name: 'b:c' } }],
    ['peer.mac', { name: 'a', kind: 'veth', peer: { name: 'b', mac: '02:00' } }],
    ['peer.namespace', { name: 'a', kind: 'veth', peer: { name: 'b', namespace: 'red' } }],
    ['peer', { name: 'a', kind: 'dummy', peer: 'b' }],
    ['mtu', { name: 'a', kind: 'dummy', mtu: -1 }],
    ['mtu', { name: 'a', kind: 'dummy', mtu: 1500.5 }],
    ['mac', { name: 'a', kind: 'dummy', mac: '01:00:5e:00:00:01' }],
    ['txQueueLength', { name: 'a', kind: 'dummy', txQueueLength: -1 }],
    ['index', { name: 'a', kind: 'dummy', index: 0 }],
    ['up', { name: 'a', kind: 'dummy', up: 1 }],
    ['txqueuelen', { name: 'a', kind: 'dummy', txqueuelen: 1 }],
    ['alias', { name: 'a', kind: 'dummy', alias: 'x' }],
    ['peer.up', { name: 'a', kind: 'veth', peer: { name: 'b', up: true } }],
    ['data', { name: 'a', kind: 'dummy', data: { mode: 1 } }],
    ['data.mode', { name: 'a', kind: 'macvlan', link: 1, data: { mode: 'bridged' } }],
    ['data.flags[0]', { name: 'a', kind: 'macvlan', link: 1, data: { flags: ['x'] } }],
    ['data.nothing', { name: 'a', kind: 'bridge', data: { nothing: 1 } }],
    ['data.rootPort', { name: 'a', kind: 'bridge', data: { rootPort: 1 } }],
    ['data.rootId', { name: 'a', kind: 'bridge', data: { rootId: '8000.02:00:00:00:00:01' } }],
    ['data.vlanFiltering', { name: 'a', kind: 'bridge', data: { vlanFiltering: 1 } }],
    ['data.id', { name: 'a', kind: 'vlan', link: 1, data: { id: 4096 } }],
    ['data.id', { name: 'a', kind: 'vxlan', data: { id: 1 << 24 } }],
    ['data.local', { name: 'a', kind: 'vxlan', data: { id: 1, group: '239.1.1.1', local: '::1' } }],
    ['data.group', { name: 'a', kind: 'vxlan', data: { id: 1, group: 'nowhere' } }],
    ['data.arpIpTargets[0]', { name: 'a', kind: 'bond', data: { arpIpTargets: ['::1'] } }],
  ]
  for (const [field, link] of bad) expect(() => addLink(link as NewLink), JSON.stringify(link)).toThrow(refused(field))
  expect(() => addLink({ name: 'a', kind: 'macvlan', link: 1, data: { mode: 'x' as 'vepa' } })).toThrow(
    'data.mode: must be a number or one of private, vepa, bridge, passthru, source (got "x")',
  )
})

test('NL-07 NL-09 NL-30 changes and moves that cannot be are refused by their field', () => {
  expect(() => setLink('a', { name: 'b' })).toThrow(refused('which'))
  expect(() => setLink(0, { up: true })).toThrow(refused('which'))
  expect(() => setLink('', { up: true })).toThrow(refused('which'))
  expect(() => setLink(1, { data: { stpState: 1 } })).toThrow(refused('kind'))
  expect(() => setLink(1, { name: 'a b' })).toThrow(refused('name'))
  expect(() => setLink(1, { link: 2 } as object)).toThrow(refused('link'))
  expect(() => setLink(1, { alias: 'a'.repeat(256) })).toThrow(refused('alias'))
  expect(() => setLink(1, { bridgePort: {}, bondPort: {} })).toThrow(refused('bondPort'))
  expect(() => setLink(1, { bridgePort: { designatedPort: 1 } })).toThrow(refused('bridgePort.designatedPort'))
  expect(() => deleteLink(0)).toThrow(refused('which'))
  expect(() => deleteLink('a/b')).toThrow(refused('which'))
  expect(() => moveLink('a', { fd: 3 }, { name: 'b' })).toThrow(refused('which'))
  expect(() => moveLink(1, { fd: 3 }, { name: 'b%s' })).toThrow(refused('name'))
  expect(() => moveLink(1, '/run/netns/a')).toThrow(refused('namespace'))
  expect(() => alternativeNames(1, 'add', [])).toThrow(refused('names'))
  expect(() => alternativeNames(1, 'add', ['a', 'b c'])).toThrow(refused('names[1]'))
})

test(
  'NL-02 what is recorded is what the headers of this machine say',
  requires('program:gcc', 'header:linux/if_link.h'),
  () => {
    using folder = temporaryDirectory('netlink-golden-')
    const source = fileURLToPath(new URL('./golden/links.c', import.meta.url))
    const program = join(folder.path, 'links')
    execFileSync('gcc', ['-o', program, source])
    const written = readFileSync(new URL('./golden/messages.ts', import.meta.url), 'utf8')
    const hexadecimal = (text: string) => text.match(/\b[0-9a-f]{16,}\b/g)
    expect(hexadecimal(execFileSync(program, { encoding: 'utf8' }))).toEqual(hexadecimal(written))
  },
)
