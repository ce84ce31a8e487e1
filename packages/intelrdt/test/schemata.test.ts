import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkIntelRdt,
  checkOffered,
  formatSchemata,
  groupOf,
  mergeSchemata,
  parseSchema,
  parseSchemata,
  type RdtInfo,
  schemataOf,
  schemataProblem,
} from '../src/index.js'

const cache = { numClosids: 16, cbmMask: 0x7ff, minCbmBits: 2, shareableBits: 0, sparseMasks: false }
const info: RdtInfo = {
  caches: { L3: cache, L2: { ...cache, sparseMasks: true } },
  bandwidth: { MB: { numClosids: 8, minBandwidth: 10, bandwidthGran: 10, delayLinear: true } },
  monitoring: undefined,
}
const refused = (field: string, text = '') =>
  expect.objectContaining({ code: 'ConfigInvalid', field, message: expect.stringContaining(text) })

describe('lines', () => {
  test('RD-03 masks of caches are hexadecimal, bandwidth is decimal, spaces and a last semicolon say nothing', () => {
    expect(parseSchema('L3:0=7f0;1=1f', 'x')).toEqual({ resource: 'L3', domains: { 0: 0x7f0, 1: 0x1f } })
    expect(parseSchema('  L3DATA : 2=0x3c0;', 'x')).toEqual({ resource: 'L3DATA', domains: { 2: 0x3c0 } })
    expect(parseSchema('MB:0=2048;1=  16', 'x')).toEqual({ resource: 'MB', domains: { 0: 2048, 1: 16 } })
    expect(parseSchema('SMBA:10=64', 'x')).toEqual({ resource: 'SMBA', domains: { 10: 64 } })
  })

  test.each([
    ['L3:0=f\nMB:0=10', 'one line'],
    ['L3:0=f\0', 'NUL'],
    ['L3', 'must name a resource'],
    [':0=f', 'must name a resource'],
    ['L3:', 'hexadecimal mask'],
    ['L3:0=xyz', 'hexadecimal mask'],
    ['L3:0=1ffffffff', 'hexadecimal mask'],
    ['MB:0=1f', '<number>'],
    ['MB:0=-5', '<number>'],
    ['MB:0=4294967296', '<number>'],
    ['L3:0=f;0=f0', 'once'],
    ['L3:0=f;;1=f', '""'],
  ])('EV-161 RD-03 %j is no schema', (line, problem) => {
    expect(() => parseSchema(line, 'intelRdt.schemata[0]')).toThrow(refused('intelRdt.schemata[0]', problem))
  })

  test('what the kernel shows is read, and what is no schema left out', () => {
    const text = '  SMBA:0=2048;1=  64\n    MB:0= 100;1= 100\n    L3:0=00ff;1=7ff\nL2:uninitialized\n\n'
    expect(parseSchemata(text)).toEqual([
      { resource: 'SMBA', domains: { 0: 2048, 1: 64 } },
      { resource: 'MB', domains: { 0: 100, 1: 100 } },
      { resource: 'L3', domains: { 0: 0xff, 1: 0x7ff } },
    ])
  })

  const resource = fc.constantFrom('L3', 'L3CODE', 'L2DATA', 'MB', 'SMBA')
  const domains = fc.dictionary(fc.nat(5000).map(String), fc.nat(0xffff_ffff), { minKeys: 1, maxKeys: 8 })
  const schema = fc.record({ resource, domains })

  test('any schema is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(schema), schemata => {
        expect(parseSchemata(formatSchemata(schemata))).toEqual(schemata)
      }),
    )
  })

  test('any text is a schema or ConfigInvalid, and what is written of it is one line', () => {
    const near = fc.tuple(fc.string(), fc.constantFrom(':', '=', '\n', ''), fc.string()).map(parts => parts.join(''))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near,
          near.map(text => `L3:0=${text}`),
        ),
        text => {
          try {
            expect(formatSchemata([parseSchema(text, 'x')])).toMatch(
              /^[A-Z][A-Z0-9_]*:\d+=[0-9a-f]+(;\d+=[0-9a-f]+)*\n$/,
            )
          } catch (error) {
            expect(error).toEqual(refused('x'))
          }
        },
      ),
    )
  })

  test('RD-04 equal by number: zeros, order of domains, and what the kernel rounds up', () => {
    const wanted = [parseSchema('L3:1=0f;0=7F0', 'x'), parseSchema('MB:0=25', 'x')]
    const existing = parseSchemata('MB:0= 30;1=100\nL3:0=7f0;1=00f;2=1\n')
    expect(schemataProblem(wanted, existing, { MB: 10 })).toBeUndefined()
    expect(schemataProblem(wanted, existing)).toBe('it has MB:0=30')
    expect(schemataProblem([parseSchema('L3:3=f', 'x')], existing)).toBe('it has no domain 3 of L3')
    expect(schemataProblem([parseSchema('L2:0=f', 'x')], existing)).toBe('it has no domain 0 of L2')
  })
})

describe('a config', () => {
  test('RD-03 cache, then bandwidth, then lines, which count before both: a domain once, as the kernel wants it', () => {
    const config = {
      schemata: ['L2:0=f', 'L3:1=3', 'MB:0=70'],
      memBwSchema: 'MB:0=20;1=30',
      l3CacheSchema: 'L3:0=ff;1=ff',
    }
    expect(formatSchemata(schemataOf(config))).toBe('L3:0=ff;1=3\nMB:0=70;1=30\nL2:0=f\n')
    expect(schemataOf({})).toEqual([])
    expect(mergeSchemata([])).toEqual([])
  })

  test.each([
    [null, 'intelRdt'],
    [[], 'intelRdt'],
    [{ closID: 'x' }, 'intelRdt.closID'],
    [{ closId: '' }, 'intelRdt.closId'],
    [{ closId: 7 }, 'intelRdt.closId'],
    [{ closId: '.' }, 'intelRdt.closId'],
    [{ closId: '..' }, 'intelRdt.closId'],
    [{ closId: 'a/b' }, 'intelRdt.closId'],
    [{ closId: '../x' }, 'intelRdt.closId'],
    [{ closId: '//' }, 'intelRdt.closId'],
    [{ closId: 'a\nb' }, 'intelRdt.closId'],
    [{ closId: 'a\0' }, 'intelRdt.closId'],
    [{ closId: 'x'.repeat(256) }, 'intelRdt.closId'],
    [{ closId: 'info' }, 'intelRdt.closId'],
    [{ closId: 'mon_groups' }, 'intelRdt.closId'],
    [{ schemata: 'L3:0=f' }, 'intelRdt.schemata'],
    [{ schemata: ['L3:0=f', 'L3:0=f\nMB:0=10'] }, 'intelRdt.schemata[1]'],
    [{ schemata: [3] }, 'intelRdt.schemata[0]'],
    [{ l3CacheSchema: 'MB:0=10' }, 'intelRdt.l3CacheSchema'],
    [{ l3CacheSchema: 'L3:0=f\n' }, 'intelRdt.l3CacheSchema'],
    [{ memBwSchema: 'L3:0=f' }, 'intelRdt.memBwSchema'],
    [{ memBwSchema: 'MB:0=10\nL3:0=f' }, 'intelRdt.memBwSchema'],
    [{ enableMonitoring: 1 }, 'intelRdt.enableMonitoring'],
  ])('EV-161 VAL-21 %j is refused by field', (config, field) => {
    expect(() => checkIntelRdt(config, 'intelRdt')).toThrow(refused(field))
  })

  test('VAL-21 RD-02 a lone slash is the root, a name a group, without either it is called as the container', () => {
    for (const closId of ['/', 'gold', '...', '-x', 'a b']) checkIntelRdt({ closId }, 'intelRdt')
    checkIntelRdt({}, 'intelRdt')
    expect(groupOf({ closId: '/' }, 'id')).toBe('')
    expect(groupOf({ closId: 'gold' }, 'id')).toBe('gold')
    expect(groupOf({}, 'id')).toBe('id')
    expect(() => groupOf({}, 'info')).toThrow(refused('intelRdt.closId', 'id of the container'))
  })

  test.each([
    [{ schemata: ['L3CODE:0=f'] }, 'intelRdt.schemata[0]', 'L3, L2, MB'],
    [{ l3CacheSchema: 'L3:0=fff' }, 'intelRdt.l3CacheSchema', 'within 7ff'],
    [{ l3CacheSchema: 'L3:0=1' }, 'intelRdt.l3CacheSchema', '2 bits'],
    [{ l3CacheSchema: 'L3:0=f0f' }, 'intelRdt.l3CacheSchema', 'within'],
    [{ l3CacheSchema: 'L3:0=505' }, 'intelRdt.l3CacheSchema', 'one row'],
    [{ memBwSchema: 'MB:0=9' }, 'intelRdt.memBwSchema', '10 or more'],
    [{ memBwSchema: 'MB:0=50', schemata: ['MB:0=5'] }, 'intelRdt.schemata[0]', '10 or more'],
    [{ enableMonitoring: true }, 'intelRdt.enableMonitoring', 'L3_MON'],
  ])('VAL-21 EV-161 %j cannot be had here', (config, field, problem) => {
    expect(() => checkOffered(config, info)).toThrow(refused(field, problem))
  })

  test('VAL-21 what the machine has passes, with holes where it takes masks with holes', () => {
    checkOffered({ l3CacheSchema: 'L3:0=7f0;1=3', memBwSchema: 'MB:0=10', schemata: ['L2:0=505'] }, info)
    expect(() =>
      checkOffered({ memBwSchema: 'MB:0=10' }, { caches: {}, bandwidth: {}, monitoring: undefined }),
    ).toThrow(refused('intelRdt.memBwSchema', 'only monitors'))
  })
})
