import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classBody, decodeClass } from '../src/qdisc/classes.js'
import { formatHandle, parseHandle } from '../src/qdisc/handle.js'
import { fqCodel } from '../src/qdisc/kinds/fq-codel.js'
import { htb, htbClass } from '../src/qdisc/kinds/htb.js'
import { type NetemOptions, netem } from '../src/qdisc/kinds/netem.js'
import { type TbfOptions, tbf } from '../src/qdisc/kinds/tbf.js'
import { decodeQdisc, type QdiscSpec, qdiscBody } from '../src/qdisc/qdiscs.js'
import { golden } from './golden/route-messages.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))
const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const made = (spec: QdiscSpec) => hex(qdiscBody(spec).bytes)

describe('NL-24 messages of queueing disciplines are those of the kernel’s headers', () => {
  test('netem: late, lossy, twice, out of order, and faster than 32 bits tell', () => {
    const options: NetemOptions = {
      delayUs: 100_000,
      jitterUs: 10_000,
      delayCorrelationPercent: 25,
      lossPercent: 1,
      duplicatePercent: 100,
      reorderPercent: 50,
      rateBytesPerSecond: 12_500_000_000,
      packetOverheadBytes: -4,
    }
    expect(made({ dev: 3, handle: '1:', netem: options })).toBe(golden.netem)
    const found = decodeQdisc(bytes('netem'))
    expect(found).toMatchObject({ dev: 3, kind: 'netem', handle: '1:', parent: 'root' })
    expect(found.netem).toEqual({ ...options, gapPackets: 1, limitPackets: 1000 })
  })

  test('tbf, below a class, by its limit and by its latency', () => {
    const options: TbfOptions = { rateBytesPerSecond: 125_000, burstBytes: 5000, limitBytes: 10_000 }
    expect(made({ dev: 3, parent: '1:10', tbf: options })).toBe(golden.tbf)
    expect(made({ dev: 3, parent: '1:10', tbf: { ...options, limitBytes: undefined, latencyUs: 40_000 } })).toBe(
      golden.tbf,
    )
    expect(decodeQdisc(bytes('tbf'))).toMatchObject({ kind: 'tbf', parent: '1:10', handle: 'none', tbf: options })
    const peak: TbfOptions = {
      ...options,
      rateBytesPerSecond: 5e9,
      peakRateBytesPerSecond: 6e9,
      peakBurstBytes: 1600,
      overheadBytes: 18,
      minimumPacketBytes: 64,
    }
    const { burstBytes, peakBurstBytes, ...rest } = tbf.decode(tbf.encode(peak, 'tbf'))
    expect(rest).toEqual({
      rateBytesPerSecond: 5e9,
      limitBytes: 10_000,
      peakRateBytesPerSecond: 6e9,
      overheadBytes: 18,
      minimumPacketBytes: 64,
    })
    // 64 ns at 5 GB/s.
    expect(Math.abs(burstBytes - 5000)).toBeLessThanOrEqual(320)
    expect(Math.abs(peakBurstBytes! - 1600)).toBeLessThanOrEqual(384)
  })

  test('htb, and a class of it', () => {
    expect(made({ dev: 3, handle: '1:', htb: { defaultMinor: 0x20, directQueueLength: 500 } })).toBe(golden.htb)
    expect(decodeQdisc(bytes('htb')).htb).toEqual({ defaultMinor: 0x20, rateToQuantum: 10, directQueueLength: 500 })
    const options = {
      rateBytesPerSecond: 125_000,
      ceilBytesPerSecond: 1_250_000,
      ceilBurstBytes: 2000,
      priority: 3,
      minimumPacketBytes: 64,
    }
    const spec = { dev: 3, parent: '1:', classid: '1:20', htb: options }
    expect(hex(classBody(spec).bytes)).toBe(golden.htbClass)
    expect(decodeClass(bytes('htbClass'))).toMatchObject({
      dev: 3,
      kind: 'htb',
      classid: '1:20',
      htb: { ...options, burstBytes: 1600 },
    })
  })

  test('fq_codel: what is not given is left to the kernel', () => {
    const options = { targetUs: 5000, limitPackets: 1000, ecn: false, memoryLimitBytes: 1 << 20 }
    expect(made({ dev: 3, fq_codel: options })).toBe(golden.fqCodel)
    expect(decodeQdisc(bytes('fqCodel')).fq_codel).toEqual(options)
  })

  test('kinds without a table go by bytes, and what was counted is told', () => {
    expect(made({ dev: 3, kind: 'clsact' })).toBe(golden.clsact)
    expect(made({ dev: 3, kind: 'clsact', parent: 'clsact' })).toBe(golden.clsact)
    expect(decodeQdisc(bytes('clsact'))).toMatchObject({ kind: 'clsact', parent: 'ingress', handle: 'ffff:' })
    const pfifo = decodeQdisc(bytes('pfifo'))
    expect(pfifo).toEqual({
      dev: 3,
      kind: 'pfifo',
      handle: '1:',
      parent: 'root',
      options: Uint8Array.of(5, 0, 0, 0),
      statistics: {
        bytes: 123_456_789_012,
        packets: 77,
        drops: 3,
        overlimits: 5,
        requeues: 4,
        queueLength: 1,
        backlogBytes: 2,
      },
    })
    expect(made({ dev: 3, handle: '1:', kind: 'pfifo', options: pfifo.options })).toContain('0800020005000000')
  })
})

test.each<[string, QdiscSpec]>([
  ['kind', { dev: 2 }],
  ['sfq', { dev: 2, sfq: {} } as QdiscSpec],
  ['netem.delay', { dev: 2, netem: { delay: 5 } as object }],
  ['tbf.rate', { dev: 2, tbf: { rate: 5 } as never }],
  ['htb.default', { dev: 2, htb: { default: 5 } as object }],
  ['fq_codel.limit', { dev: 2, fq_codel: { limit: 5 } as object }],
  ['htb', { dev: 2, kind: 'netem', htb: {} }],
  ['htb', { dev: 2, netem: {}, htb: {}, kind: 'netem' }],
  ['options', { dev: 2, kind: 'netem', options: new Uint8Array(4) }],
  ['handle', { dev: 2, handle: '1:1', netem: {} }],
  ['handle', { dev: 2, handle: '10000:', netem: {} }],
  ['parent', { dev: 2, parent: '1:', netem: {} }],
  ['parent', { dev: 2, parent: 'ingress', netem: {} }],
  ['parent', { dev: 2, parent: 'root', kind: 'clsact' }],
  ['parent', { dev: 2, parent: 'toString', netem: {} }],
  ['netem.lossPercent', { dev: 2, netem: { lossPercent: 101 } }],
  ['netem.lossPercent', { dev: 2, netem: { lossPercent: Number.NaN } }],
  [
    'netem.lossPercent',
    { dev: 2, netem: { lossPercent: 1, lossModel: { model: 'gilbert', toBadPercent: 1, toGoodPercent: 2 } } },
  ],
  ['netem.delayUs', { dev: 2, netem: { delayUs: -1 } }],
  ['netem.reorderPercent', { dev: 2, netem: { reorderPercent: 10 } }],
  ['netem.gapPackets', { dev: 2, netem: { delayUs: 1, gapPackets: 5 } }],
  ['netem.distribution', { dev: 2, netem: { delayUs: 1, distribution: [1] } }],
  ['netem.distribution[1]', { dev: 2, netem: { delayUs: 1, jitterUs: 1, distribution: [1, 2 ** 15] } }],
  ['netem.rateBytesPerSecond', { dev: 2, netem: { rateBytesPerSecond: 0 } }],
  ['netem.cellSizeBytes', { dev: 2, netem: { cellSizeBytes: 53 } }],
  ['netem.limitPackets', { dev: 2, netem: { limitPackets: 0 } }],
  ['tbf.limitBytes', { dev: 2, tbf: { rateBytesPerSecond: 1, burstBytes: 1 } }],
  ['tbf.limitBytes', { dev: 2, tbf: { rateBytesPerSecond: 1, burstBytes: 1, limitBytes: 1, latencyUs: 1 } }],
  ['tbf.burstBytes', { dev: 2, tbf: { rateBytesPerSecond: 1, burstBytes: 0, limitBytes: 1 } }],
  ['tbf.burstBytes', { dev: 2, tbf: { rateBytesPerSecond: 1, burstBytes: 275, limitBytes: 1 } }],
  ['tbf.rateBytesPerSecond', { dev: 2, tbf: { rateBytesPerSecond: 1.5, burstBytes: 1, limitBytes: 1 } }],
  [
    'tbf.peakRateBytesPerSecond',
    {
      dev: 2,
      tbf: { rateBytesPerSecond: 9, burstBytes: 1, limitBytes: 1, peakRateBytesPerSecond: 9, peakBurstBytes: 1 },
    },
  ],
  ['tbf.peakBurstBytes', { dev: 2, tbf: { rateBytesPerSecond: 9, burstBytes: 1, limitBytes: 1, peakBurstBytes: 1 } }],
  ['htb.defaultMinor', { dev: 2, htb: { defaultMinor: 0x10000 } }],
  ['fq_codel.flows', { dev: 2, fq_codel: { flows: -1 } }],
])('NL-24 bad input is refused by its field: %s of %j', (field, spec) => {
  expect(() => qdiscBody(spec)).toThrow(refused(field))
})

test('NL-24 bad classes are refused by their field', () => {
  const class_ = { dev: 2, classid: '1:10', parent: '1:', htb: { rateBytesPerSecond: 10 } }
  expect(() => classBody({ ...class_, classid: '1:' })).toThrow(refused('classid'))
  expect(() => classBody({ ...class_, classid: 'root' })).toThrow(refused('classid'))
  expect(() => classBody({ ...class_, parent: 'up' })).toThrow(refused('parent'))
  expect(() => classBody({ ...class_, htb: { rateBytesPerSecond: 10, ceilBytesPerSecond: 9 } })).toThrow(
    refused('htb.ceilBytesPerSecond'),
  )
  expect(() => classBody({ ...class_, htb: { rateBytesPerSecond: 10, priority: 8 } })).toThrow(refused('htb.priority'))
})

test('NL-24 handles are read back from their text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), handle => {
      expect(parseHandle(formatHandle(handle))).toBe(handle)
    }),
  )
  expect([0x10000, 0x1_0010, 0xffff_ffff, 0xffff_fff1, 0, 0xffff_0000].map(formatHandle)).toEqual([
    '1:',
    '1:10',
    'root',
    'ingress',
    'none',
    'ffff:',
  ])
  for (const text of ['', '1', ':', ':1', '1:10000', 'g:', '1:1:1', 'constructor'])
    expect(() => parseHandle(text), text).toThrow(refused('handle'))
})

/** Six digits are what people write; the kernel's number tells more apart. */
const percent = fc.integer({ min: 1, max: 100_000_000 }).map(millionth => millionth / 1e6)
const us = fc.integer({ min: 1, max: 1e12 }).map(ns => ns / 1000)

test('NL-24 the options of netem are read back as they were written', () => {
  const options = fc.record(
    {
      delayUs: us,
      jitterUs: us,
      delayCorrelationPercent: percent,
      lossPercent: percent,
      lossCorrelationPercent: percent,
      ecn: fc.constant(true),
      duplicatePercent: percent,
      corruptPercent: percent,
      reorderPercent: percent,
      rateBytesPerSecond: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      limitPackets: fc.integer({ min: 1, max: 0xffff_ffff }),
      slot: fc.record({ minDelayUs: us, maxDelayUs: us, maxPackets: fc.integer({ min: 1, max: 0x7fff_ffff }) }),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    },
    { requiredKeys: ['delayUs'] },
  )
  fc.assert(
    fc.property(options, given => {
      const { gapPackets, limitPackets, ...found } = netem.decode(netem.encode(given, 'netem'))
      expect({ ...found, limitPackets }).toEqual({ limitPackets: 1000, ...given })
      expect(gapPackets).toBe(given.reorderPercent === undefined ? undefined : 1)
    }),
  )
  for (const lossModel of [
    { model: 'gilbert', toBadPercent: 1, toGoodPercent: 10, badLossPercent: 70, goodLossPercent: 0.1 },
    { model: 'states', p13Percent: 1, p31Percent: 20, p32Percent: 3, p23Percent: 40, p14Percent: 0 },
  ] as const)
    expect(netem.decode(netem.encode({ lossModel }, 'netem'))).toEqual({ lossModel, limitPackets: 1000 })
})

test('NL-02 options that end early or lie are EPROTO, and never hang', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      for (const decode of [
        netem.decode,
        tbf.decode,
        htb.decode,
        htbClass.decode,
        fqCodel.decode,
        decodeQdisc,
        decodeClass,
      ]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'EPROTO' })
        }
      }
    }),
    { numRuns: 2000 },
  )
})
