import { decodeMessage, encodeMessage, messageSize } from '../../packages/cgroups/src/dbus/message.js'
import { answer, hold, same } from '../support/oracles.js'

/** Messages of a bus, in either order of bytes: what is read says the same when it is written and read again; a length that lies holds nothing. */
export function fuzz(data: Uint8Array): void {
  const size = answer(() => messageSize(data), 'EPROTO')
  if (size !== undefined) hold(size >= 16 && size <= 2 ** 27, `a message of ${size} bytes`)
  const message = answer(() => decodeMessage(data), 'EPROTO')
  if (message === undefined) return
  for (const littleEndian of [true, false]) {
    const bytes = answer(() => encodeMessage(message, { littleEndian }), 'EPROTO')
    // A name of no letters is as good as none.
    const given = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ''))
    if (bytes !== undefined) same(decodeMessage(bytes), given, 'written and read again')
  }
}

export function seeds(): Uint8Array[] {
  const call = { type: 1, serial: 5, path: '/org/x', interface: 'org.x.Y', member: 'Z', destination: 'org.x' }
  return [
    encodeMessage({ ...call, body: [] }),
    encodeMessage({
      ...call,
      signature: 'sa(sv)',
      body: [
        'x',
        [
          ['a', { type: 't', value: 5n }],
          ['b', { type: 'as', value: ['c'] }],
        ],
      ],
    }),
    encodeMessage(
      { ...call, signature: 'aybdxn', body: [new Uint8Array([1, 2]), true, 1.5, -5n, -3] },
      { littleEndian: false },
    ),
    encodeMessage({ type: 3, serial: 1, replySerial: 5, errorName: 'org.x.No', signature: 's', body: ['no'] }),
    encodeMessage({
      type: 4,
      serial: 2,
      path: '/',
      interface: 'a.b',
      member: 'c',
      signature: 'v',
      body: [{ type: 'v', value: { type: 'y', value: 1 } }],
    }),
  ]
}
