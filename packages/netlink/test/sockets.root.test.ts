import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Netlink } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { inNetns, ip, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:ss', 'program:nsenter')

/** Listens on TCP and on an abstract name, and connects to itself by both; binds UDP. It ends with its standard input. */
const program = `
const net = require('net'), dgram = require('dgram')
const tcp = net.createServer().listen(8080, '127.0.0.1', 77, () => {
  const client = net.connect(8080, '127.0.0.1')
  tcp.on('connection', () => {
    const unix = net.createServer().listen('\\0lc-test', () => net.connect('\\0lc-test'))
    unix.on('connection', () => dgram.createSocket('udp6').bind(5353, '::1', () => console.log('ready')))
  })
})
process.stdin.resume().on('end', () => process.exit())
`

test('NL-24 the sockets of a namespace are those that ss lists there', needs, async () => {
  const netns = await ownNetns()
  ip(netns, 'link set lo up')
  const child = spawn('nsenter', [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, process.execPath, '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.stdin.end()
    await ended
  })
  expect(String(await once(child.stdout, 'data'))).toBe('ready\n')

  // As of a container: by the pid of one of its processes.
  await using net = await Netlink.open({ namespace: child.pid! })
  const all = await net.sockets()
  const listening = all.find(socket => socket.protocol === 'tcp' && socket.state === 'listen')
  expect(listening).toMatchObject({
    family: 'inet',
    localAddress: '127.0.0.1',
    localPort: 8080,
    remoteAddress: '0.0.0.0',
    remotePort: 0,
    uid: 0,
    receiveQueueBytes: 0,
    sendQueueBytes: 77,
  })
  expect(listening?.inode).toBeGreaterThan(0)
  const connected = all.filter(socket => socket.protocol === 'tcp' && socket.state === 'established')
  expect(connected).toHaveLength(2)
  expect(connected[0]).toMatchObject({ tcp: { sendMss: expect.any(Number) }, congestion: expect.any(String) })
  expect(all.filter(({ protocol }) => protocol === 'udp')).toMatchObject([
    { family: 'inet6', localAddress: '::1', localPort: 5353, state: 'close' },
  ])
  expect(all).toContainEqual(
    // Node.js binds to all the bytes that there are for a name.
    expect.objectContaining({ protocol: 'unix', type: 'stream', state: 'listen', name: '@lc-test'.padEnd(108, '@') }),
  )

  const theirs = (words: string) =>
    inNetns(netns, 'ss', words)
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.trim().split(/\s+/))
  expect(
    all
      .flatMap(socket => (socket.protocol === 'tcp' ? [socket] : []))
      .map(({ localAddress, localPort, remoteAddress, remotePort }) =>
        [`${localAddress}:${localPort}`, `${remoteAddress}:${remotePort === 0 ? '*' : remotePort}`].join(' '),
      )
      .sort(),
  ).toEqual(
    theirs('-Htan')
      .map(([, , , local, remote]) => `${local} ${remote}`)
      .sort(),
  )
  // Of Unix sockets: name, inode, and the other end's.
  expect(
    all
      .flatMap(socket => (socket.protocol === 'unix' ? [socket] : []))
      .map(({ name = '*', inode, peer = 0 }) => `${name} ${inode} ${peer}`)
      .sort(),
  ).toEqual(
    theirs('-Hxa')
      .map(([, , , , name, inode, , peer]) => `${name} ${inode} ${peer}`)
      .sort(),
  )

  const listens = await net.sockets({ protocols: ['tcp'], family: 'inet', states: ['listen'] })
  expect(listens.map(({ inode }) => inode)).toEqual([listening?.inode])
  expect(await net.sockets({ protocols: ['tcp'], family: 'inet6' })).toEqual([])
  await expect(net.sockets({ protocols: ['sctp' as 'tcp'] })).rejects.toMatchObject({ field: 'protocols[0]' })
})
