import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAcknowledgement, refusal } from '../src/message/acknowledgement.js'
import { attributes, encodeAttributes, nested, string, struct, u8, u32 } from '../src/message/attributes.js'
import { messageBody, type NetlinkRequest } from '../src/message/message.js'
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR } from '../src/message/wire.js'

const extra = attributes({ message: [1, string], offset: [2, u32], missingType: [5, u32], missingNest: [6, u32] })
const info = attributes({ kind: [1, string], slave: [2, string] })
const link = attributes({ name: [3, string], mtu: [4, u32], info: [18, nested(info)] })
const header = struct({ family: u8, index: u32 })

/** As the kernel answers: the errno, the header of the request, and attributes. */
function acknowledgement(errno: number, values: Parameters<typeof encodeAttributes<object>>[1]) {
  const payload = new Uint8Array([...new Uint8Array(new Int32Array([-errno]).buffer), ...new Uint8Array(16)])
  const all = new Uint8Array([...payload, ...encodeAttributes(extra, values)])
  return { type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence: 1, port: 1, payload: all }
}

const request: NetlinkRequest = {
  type: 16,
  body: messageBody(header, {}, link, { mtu: 1, info: { kind: 'veth' } }),
  about: 'add the link eth0',
  path: 'eth0',
  hints: { EOPNOTSUPP: 'the kernel has no such kind' },
}

test('NL-01 an errno becomes an error with the kernel’s words and the attribute that it names', () => {
  // The header is 16 bytes, the struct 8, the attribute mtu 8, and the nest’s own header 4.
  const found = readAcknowledgement(acknowledgement(95, { message: 'Unknown device type', offset: 16 + 8 + 8 + 4 }))
  expect(found).toMatchObject({ errno: 95, message: 'Unknown device type', offset: 36 })
  const error = refusal(found, request)
  expect(error.message).toBe(
    "add the link eth0: EOPNOTSUPP: operation not supported, sendto 'eth0' (Unknown device type; attribute info.kind)",
  )
  expect(error).toMatchObject({ code: 'EOPNOTSUPP', hint: 'the kernel has no such kind', path: 'eth0' })
})

test('NL-01 an attribute that is missing is named, in its nest', () => {
  const outer = refusal(readAcknowledgement(acknowledgement(22, { missingType: 3 })), request)
  expect(outer.message).toContain('(attribute name is missing)')
  const inner = refusal(readAcknowledgement(acknowledgement(22, { missingType: 2, missingNest: 32 })), request)
  expect(inner.message).toContain('(attribute info.slave is missing)')
})

test('NL-01 success, and the end of a dump', () => {
  expect(readAcknowledgement(acknowledgement(0, {})).errno).toBe(0)
  const done = { type: NLMSG_DONE, flags: 0, sequence: 1, port: 1 }
  expect(readAcknowledgement({ ...done, payload: new Uint8Array() })).toEqual({ errno: 0 })
  expect(readAcknowledgement({ ...done, payload: new Uint8Array([0xff, 0xff, 0xff, 0xff]) })).toEqual({ errno: 1 })
})

test('NL-01 any bytes are an acknowledgement, or EPROTO; an offset that lies names nothing', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(NLMSG_ERROR, NLMSG_DONE),
      fc.nat(0xffff),
      fc.uint8Array({ maxLength: 80 }),
      (type, flags, payload) => {
        try {
          refusal(readAcknowledgement({ type, flags, sequence: 1, port: 1, payload }), request)
        } catch (error) {
          expect((error as { code: string }).code).toBe('EPROTO')
        }
      },
    ),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (offset, missingNest) => {
      const found = readAcknowledgement(acknowledgement(22, { offset, missingType: 1, missingNest }))
      expect(refusal(found, request).code).toBe('EINVAL')
    }),
  )
})
