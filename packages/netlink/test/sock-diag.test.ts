import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MessageBody } from '../src/message/message.js'
import { decodeInetSocket, decodeUnixSocket, socketRequests } from '../src/sock-diag/sock-diag.js'
import { golden } from './golden/route-messages.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))
const bodies = (filter: Parameters<typeof socketRequests>[0]) =>
  socketRequests(filter).map(({ body }) => hex((body as MessageBody).bytes))

test('NL-24 requests for sockets are those of the kernel’s headers', () => {
  expect(bodies({ protocols: ['tcp'], family: 'inet6', states: ['listen'] })).toEqual([golden.tcpRequest])
  expect(bodies({ protocols: ['unix'], states: ['listen'] })).toEqual([golden.unixRequest])
  expect(bodies({})).toHaveLength(5)
  const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
  expect(() => socketRequests({ protocols: ['tcp', 'sctp' as 'udp'] })).toThrow(refused('protocols[1]'))
  expect(() => socketRequests({ states: ['open' as 'listen'] })).toThrow(refused('states[0]'))
})

test('NL-24 a connection of TCP, with an older kernel’s shorter account of it', () => {
  const socket = decodeInetSocket(bytes('tcp'), 'tcp')
  expect(socket).toMatchObject({
    protocol: 'tcp',
    family: 'inet',
    state: 'established',
    localAddress: '192.0.2.1',
    localPort: 80,
    remoteAddress: '192.0.2.2',
    remotePort: 40_000,
    dev: 3,
    uid: 1000,
    inode: 4711,
    cookie: (1n << 32n) | 9n,
    receiveQueueBytes: 1,
    sendQueueBytes: 2,
    congestion: 'cubic',
    mark: 6,
    tcp: { rttUs: 250, congestionWindow: 10, bytesAcked: 0 },
  })
  expect(decodeInetSocket(bytes('tcp'), 'udp')).not.toHaveProperty('tcp')
})

test('NL-24 a Unix socket that listens, of an abstract name', () => {
  expect(decodeUnixSocket(bytes('unix'))).toEqual({
    protocol: 'unix',
    type: 'stream',
    state: 'listen',
    name: '@bus',
    uid: 1000,
    inode: 4712,
    cookie: 3n,
    waiting: [11, 12],
    receiveQueueBytes: 2,
    sendQueueBytes: 128,
  })
})

test('NL-02 what is no socket is EPROTO or nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 2, 10), fc.uint8Array({ maxLength: 120 }), (family, rest) => {
      for (const decode of [(all: Uint8Array) => decodeInetSocket(all, 'tcp'), decodeUnixSocket]) {
        try {
          decode(Uint8Array.of(family, ...rest))
        } catch (error) {
          expect(error).toMatchObject({ code: 'EPROTO' })
        }
      }
    }),
    { numRuns: 1000 },
  )
})
