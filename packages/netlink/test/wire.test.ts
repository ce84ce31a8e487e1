import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HEADER_SIZE, messagesOf, type NetlinkMessage, writeMessage } from '../src/message/wire.js'

const message = fc.record({
  type: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  sequence: fc.nat(0xffff_ffff),
  port: fc.nat(0xffff_ffff),
  payload: fc.uint8Array({ maxLength: 40 }),
})

function datagram(messages: readonly NetlinkMessage[]): Uint8Array {
  const bytes = new Uint8Array(messages.reduce((sum, { payload }) => sum + HEADER_SIZE + payload.length + 3, 0))
  let at = 0
  for (const each of messages) at += writeMessage(bytes, at, each)
  return bytes.subarray(0, at)
}

/** What can be read, and the code of what ended it. */
function read(bytes: Uint8Array): { found: NetlinkMessage[]; code: string | undefined } {
  const found: NetlinkMessage[] = []
  try {
    for (const each of messagesOf(bytes)) {
      found.push(each)
      if (found.length > bytes.length) throw new Error('it loops')
    }
    return { found, code: undefined }
  } catch (error) {
    return { found, code: (error as { code: string }).code }
  }
}

test('NL-02 messages are read as they were written, each at a multiple of four', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.nat(7), (messages, offset) => {
      const bytes = datagram(messages)
      // A buffer is seldom read from its start.
      const moved = new Uint8Array(bytes.length + offset).subarray(offset)
      moved.set(bytes)
      expect([...messagesOf(moved)].map(each => ({ ...each, payload: [...each.payload] }))).toEqual(
        messages.map(each => ({ ...each, payload: [...each.payload] })),
      )
    }),
  )
})

test('NL-02 the last message may lack what would align the next', () => {
  const bytes = datagram([{ type: 16, flags: 2, sequence: 3, port: 4, payload: new Uint8Array([9]) }])
  expect([...messagesOf(bytes.subarray(0, 17))]).toEqual([
    { type: 16, flags: 2, sequence: 3, port: 4, payload: new Uint8Array([9]) },
  ])
})

test('NL-02 a length that lies is EPROTO: the messages before it were read, and nothing loops', () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 4 }),
      fc.nat(3),
      fc.oneof(fc.nat(15), fc.integer({ min: 0x1000, max: 0xffff_ffff })),
      (messages, place, lie) => {
        const bytes = datagram(messages)
        const which = place % messages.length
        const at = datagram(messages.slice(0, which)).length
        new DataView(bytes.buffer).setUint32(at, lie, true)
        const { found, code } = read(bytes)
        expect(code).toBe('EPROTO')
        expect(found.length).toBe(which)
      },
    ),
  )
})

test('NL-02 any bytes are messages, or EPROTO', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const { found, code } = read(bytes)
      expect([undefined, 'EPROTO']).toContain(code)
      expect(found.length).toBeLessThanOrEqual(bytes.length / HEADER_SIZE)
    }),
  )
})
