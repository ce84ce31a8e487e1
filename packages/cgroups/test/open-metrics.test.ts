import { type CgroupStats, openMetrics } from '@libcontainer/cgroups'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** What a reader of OpenMetrics makes of a text; throws for what the format forbids. */
function read(text: string): Map<string, { type: string; samples: Map<string, string> }> {
  expect(text.endsWith('# EOF\n')).toBe(true)
  const families = new Map<string, { type: string; samples: Map<string, string> }>()
  let family = ''
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const [, word, name, rest] = /^# (TYPE|UNIT|HELP) (\S+) (.*)$/.exec(line) ?? []
    if (word === 'TYPE') {
      // All of a family stands together.
      expect(families.has(name!)).toBe(false)
      families.set(name!, { type: rest!, samples: new Map() })
      family = name!
    } else if (word !== undefined) {
      expect(name).toBe(family)
      if (word === 'UNIT') expect(name!.endsWith(`_${rest}`)).toBe(true)
    } else {
      const match =
        /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*\})? (\+Inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(
          line,
        )
      if (match === null) throw new Error(`no sample: ${line}`)
      const { type, samples } = families.get(family)!
      expect(match[1]).toBe(type === 'counter' ? `${family}_total` : family)
      expect(samples.has(match[2] ?? '')).toBe(false)
      samples.set(match[2] ?? '', match[3]!)
    }
  }
  return families
}

const stall = fc.record({
  avg10: fc.double({ min: 0, max: 100, noNaN: true }),
  avg60: fc.constant(0),
  avg300: fc.constant(0.25),
  totalUs: fc.nat(),
})
const amount = fc.oneof(fc.nat(), fc.constant('max' as const))
const stats = fc.record(
  {
    memory: fc.record({
      current: fc.maxSafeNat(),
      max: amount,
      stat: fc
        .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.bigInt({ min: 0n, max: 2n ** 64n })))
        .map(all => new Map(all)),
      pressure: fc.record({ some: stall, full: stall }, { requiredKeys: ['some'] }),
    }),
    cpu: fc.record({ usageUs: fc.double({ min: 0, max: 1e18, noNaN: true }), nrPeriods: fc.nat() }),
    pids: fc.record({ current: fc.nat(), max: amount }),
    freezer: fc.record({ selfFreezing: fc.boolean(), parentFreezing: fc.boolean(), frozen: fc.boolean() }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<CgroupStats>

describe('BY-23 metrics', () => {
  test('BY-23 statistics as text of OpenMetrics: types, base units, one family after the other', () => {
    const text = openMetrics([
      {
        labels: { id: 'we"b\n\\' },
        stats: {
          memory: { current: 4096, max: 'max', oomKillCount: 2, maxCount: 7, stat: new Map([['anon', 2n ** 60n]]) },
          cpu: { usageUs: 1_500_000, nrThrottled: 3 },
          io: { devices: [{ major: 8, minor: 0, rbytes: 1, wbytes: 2, rios: 3, wios: 4 }] },
        },
      },
      { labels: { id: 'db' }, stats: { cpu: { usageUs: 250 }, pids: { current: 3, max: 9 } } },
    ])
    const id = '{id="we\\"b\\n\\\\"'
    expect(text).toContain(
      `# TYPE cgroup_cpu_usage_seconds counter\n# UNIT cgroup_cpu_usage_seconds seconds\n# HELP cgroup_cpu_usage_seconds Time on processors.\ncgroup_cpu_usage_seconds_total${id}} 1.5\ncgroup_cpu_usage_seconds_total{id="db"} 0.00025\n`,
    )
    expect(text).toContain(`\ncgroup_memory_max_bytes${id}} +Inf\n`)
    expect(text).toContain(`\ncgroup_memory_events_total${id},event="oom_kill"} 2\n`)
    expect(text).toContain(`\ncgroup_memory_stat${id},key="anon"} 1152921504606846976\n`)
    expect(text).toContain(`\ncgroup_io_read_bytes_total${id},device="8:0"} 1\n`)
    expect(text).toContain('\ncgroup_pids_max{id="db"} 9\n')
    expect(text).not.toContain('discard')
    expect(read(text).get('cgroup_cpu_usage_seconds')!.samples.size).toBe(2)
    expect(openMetrics([])).toBe('# EOF\n')
  })

  test('BY-23 whatever is counted and whatever it is called, a reader takes the text', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), stats), { selector: ([id]) => id }), all => {
        const families = read(openMetrics(all.map(([id, stats]) => ({ labels: { id }, stats }))))
        const counted = all.filter(([, { cpu }]) => cpu !== undefined)
        const samples = families.get('cgroup_cpu_usage_seconds')?.samples ?? new Map<string, string>()
        expect(samples.size).toBe(counted.length)
        const ids = [...samples.keys()].map(key =>
          key.slice('{id="'.length, -'"}'.length).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)),
        )
        expect(ids).toEqual(counted.map(([id]) => id))
      }),
    )
  })

  test('BY-23 names that no metric or label can have, and cgroups that are not told apart, are refused', () => {
    const refusal = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
    const stats: CgroupStats = {}
    expect(() => openMetrics([], { prefix: '1st' })).toThrow(refusal('prefix'))
    for (const name of ['', 'a-b', '__x', 'a\n', 'device'])
      expect(() => openMetrics([{ stats, labels: { [name]: 'x' } }])).toThrow(refusal(`cgroups[0].labels.${name}`))
    expect(() => openMetrics([{ stats, labels: { id: 1 as unknown as string } }])).toThrow(
      refusal('cgroups[0].labels.id'),
    )
    const twice = [
      { a: '1', b: '2' },
      { b: '2', a: '1', c: '' },
    ].map(labels => ({ stats, labels }))
    expect(() => openMetrics(twice)).toThrow(refusal('cgroups[1].labels'))
  })
})
