import { type OwnedFd, type Step, slot, stepError } from '@libcontainer/sys'
import { hookError } from '../../packages/init/src/hooks.js'
import { encodeAnswer, parseRecord } from '../../packages/init/src/records.js'
import { answer, Choices, hold, same } from '../support/oracles.js'

const steps: readonly Step[] = [
  { op: 'mountFilesystem', args: [], about: 'mount proc on /proc', path: '/proc', hints: { EPERM: 'no', '*': 'any' } },
  { op: 'setHostname', args: [slot('name')], about: 'set the hostname' },
]

/** Stands for a descriptor that came along: the reader takes it, and asks it nothing. */
const file = { fd: 9, close: () => {} } as OwnedFd

/** What init sends, or who has got hold of its socket: what is no record is refused with a code, and what is one is within its bytes. */
function checkRecord(data: Uint8Array): void {
  const record = answer(() => parseRecord(data, data.length % 2 === 0 ? [file] : []), 'EPROTO')
  switch (record?.kind) {
    case 'ask': {
      const bytes = record.files.reduce((sum, each) => sum + (each instanceof Uint8Array ? each.length : 0), 0)
      hold(bytes <= data.length && record.name.length <= data.length, 'a question larger than its record')
      break
    }
    case 'failure': {
      const error = stepError(steps, record.failure)
      hold(error.code !== '' && error.message.length < 4096, 'a failure that says nothing')
      break
    }
    case 'hook':
      hold(hookError(record.hook).message !== '', 'a hook that failed without a word')
      break
    case 'child':
      hold(Number.isInteger(record.pid) && record.pidfd === file, 'a child without a number')
      break
    case 'times':
      hold(record.ns.length <= data.length / 8, 'more times than bytes')
      break
  }
}

/** The layout of answers, read back as native/rendezvous.c does. */
function entriesOf(bytes: Uint8Array): { slot: number; kind: number; data: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: { slot: number; kind: number; data: Uint8Array }[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const [slot, kind, size] = [0, 4, 8].map(offset => view.getUint32(at + offset, true)) as [number, number, number]
    hold(
      at + 16 + size <= bytes.length && (kind !== 2 || bytes[at + 16 + size] === 0),
      'an answer that init would refuse',
    )
    entries.push({ slot, kind, data: bytes.slice(at + 16, at + 16 + size) })
    at += 16 + ((size + 7 + Number(kind === 2)) & ~7)
  }
  return entries
}

function checkAnswer(choices: Choices): void {
  const names = choices.some(() => String(choices.byte() & 7))
  const slots = new Map(['0', '1', '2', '3', '4', '5', '6', '7'].map((name, i) => [name, i]))
  const integers = Object.fromEntries(names.slice(0, 3).map(name => [name, BigInt.asIntN(64, choices.number(8))]))
  const bytes = Object.fromEntries(
    names.slice(3).map(name => [name, Uint8Array.from(choices.some(() => choices.byte()))]),
  )
  const entries = entriesOf(encodeAnswer({ integers, bytes }, slots).bytes)
  const expected = Object.keys(integers).length + Object.keys(bytes).length
  same(entries.length, expected, 'entries')
  for (const { slot, kind, data } of entries) {
    if (kind === 1) same(new DataView(data.buffer).getBigInt64(0, true), integers[slot], 'an integer')
    else same(data, bytes[slot], 'bytes')
  }
}

export function fuzz(data: Uint8Array): void {
  if (data[0] === 0xff) checkAnswer(new Choices(data.subarray(1)))
  else checkRecord(data)
}

function record(kind: number, data: readonly number[] | string): Uint8Array {
  const bytes = typeof data === 'string' ? [...new TextEncoder().encode(data)] : data
  return Uint8Array.from([kind, 0, 0, 0, bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes])
}

export function seeds(): Uint8Array[] {
  const failure = [
    1,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    ...new TextEncoder().encode('mount'.padEnd(32, '\0')),
    ...new TextEncoder().encode('/proc'.padEnd(160, '\0')),
  ]
  return [
    record(1, 'maps'),
    record(1, 'user\x0020\0\0\0\x05\0\0\0root:'),
    record(1, 'user\x00112\0\0\x05\0\0\0root:'),
    record(2, failure),
    record(3, ''),
    record(4, [42, 0, 0, 0]),
    record(5, ''),
    record(6, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
    record(7, '\0\0\0\0\x01\0\0\0name\0/bin/hook\0output'),
    Uint8Array.from([0xff, 5, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 3, 1, 2, 3]),
  ]
}
