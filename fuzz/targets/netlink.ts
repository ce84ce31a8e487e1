import { readFamily } from '../../packages/netlink/src/generic.js'
import { describeRefusal, readAcknowledgement } from '../../packages/netlink/src/message/acknowledgement.js'
import {
  type AttributeTable,
  attributeAt,
  attributes,
  be16,
  bytes,
  decodeAttributes,
  encodeAttributes,
  flag,
  ip,
  listOf,
  mac,
  nested,
  packed,
  repeated,
  string,
  struct,
  u8,
  u32,
  u64,
  withHeader,
} from '../../packages/netlink/src/message/attributes.js'
import { HEADER_SIZE, messagesOf, type NetlinkMessage, writeMessage } from '../../packages/netlink/src/message/wire.js'
import { answer, hold, same } from '../support/oracles.js'

const info = attributes({ kind: [1, string], port: [2, be16], peer: [3, ip] })
const pair = struct({ id: u32, weight: u8 })
const table = attributes({
  name: [1, string],
  small: [2, u8],
  large: [3, u32],
  huge: [4, u64],
  raw: [5, bytes],
  on: [6, flag],
  address: [7, mac],
  gateway: [8, ip],
  info: [9, nested(info)],
  numbers: [10, listOf(u32)],
  words: [11, listOf(string, { type: 3 })],
  pairs: [12, packed(pair)],
  names: [13, repeated(string)],
  headed: [14, withHeader(pair, info)],
})

/** A datagram of the kernel's, or of who says that he is: messages of any kind, with lengths that lie. Nothing is read twice, or beyond the end. */
export function fuzz(data: Uint8Array): void {
  const messages: NetlinkMessage[] = []
  answer(() => {
    for (const message of messagesOf(data)) {
      messages.push(message)
      hold(messages.length * HEADER_SIZE <= data.length, 'more messages than there is room for')
    }
  }, 'EPROTO')
  for (const message of messages) {
    const again = new Uint8Array(HEADER_SIZE + message.payload.length + 3)
    const [read] = messagesOf(again.subarray(0, writeMessage(again, 0, message)))
    same({ ...read, payload: 0 }, { ...message, payload: 0 }, 'a header written and read again')
    checkContent(message)
  }
  checkAttributes(data)
}

function checkContent(message: NetlinkMessage): void {
  const found = answer(() => readAcknowledgement(message), 'EPROTO')
  if (found !== undefined) {
    const sent = encodeAttributes(table, { large: 1, info: { kind: 'veth' } })
    describeRefusal(found, { bytes: sent, table: table as AttributeTable, attributesAt: 0 })
  }
  answer(() => readFamily(message), 'EPROTO')
  checkAttributes(message.payload)
}

function checkAttributes(bytes: Uint8Array): void {
  const values = answer(() => decodeAttributes(table, bytes), 'EPROTO')
  if (values === undefined) return
  // Text that is no UTF-8, and addresses of odd lengths, are shown and cannot be given back.
  const written = answer(() => encodeAttributes(table, values))
  if (written !== undefined) same(decodeAttributes(table, written), values, 'attributes written and read again')
  for (let at = 0; at < Math.min(bytes.length, 64); at += 3)
    answer(() => attributeAt(table as AttributeTable, bytes, at), 'EPROTO')
}

export function seeds(): Uint8Array[] {
  const values = encodeAttributes(table, {
    name: 'eth0',
    small: 1,
    huge: 5n,
    on: true,
    address: '02:42:ac:11:00:02',
    gateway: '2001:db8::1',
    info: { kind: 'veth', port: 53, peer: '192.0.2.1' },
    numbers: [1, 2],
    words: ['a', 'b'],
    pairs: [{ id: 1, weight: 2 }],
    names: ['x', 'y'],
    headed: { header: { id: 3, weight: 0 }, attributes: { kind: 'k' } },
    unknown: [{ type: 100, bytes: new Uint8Array([1, 2, 3]) }],
  })
  const refusal = new Uint8Array([
    ...new Uint8Array(new Int32Array([-22]).buffer),
    ...new Uint8Array(16),
    8,
    0,
    2,
    0,
    20,
    0,
    0,
    0,
  ])
  const message = (type: number, flags: number, payload: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(HEADER_SIZE + payload.length + 3)
    return bytes.subarray(0, writeMessage(bytes, 0, { type, flags, sequence: 1, port: 2, payload }))
  }
  return [
    values,
    message(16, 2, values),
    new Uint8Array([...message(16, 2, values), ...message(3, 2, new Uint8Array(4))]),
    message(2, 0x300, refusal),
  ]
}
