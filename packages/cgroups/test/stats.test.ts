import { classicStats, eventStats } from '@libcontainer/cgroups'
import { stringifyJson } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { cpuSource } from '../src/stats/cpu.js'
import { ioSource, parseIoStat, parseTable } from '../src/stats/io.js'
import { memorySource, topMemory } from '../src/stats/memory.js'
import { cpusetSource, freezerSource, hugetlbSource, miscSource, pidsSource, rdmaSource } from '../src/stats/more.js'
import { type Layout, parsePressure, type Source } from '../src/stats/source.js'
import type { CgroupStats } from '../src/stats/stats.js'

const v1: Layout = { version: 1, noPrefix: false, hugePageSizes: ['2MB', '1GB'] }
const v2: Layout = { ...v1, version: 2 }

/** What a source makes of these files; each must be one that it reads. */
function parse<T>(source: Source<T>, layout: Layout, files: Record<string, string>): T | undefined {
  const read = source.files(layout).map(([, file]) => file)
  expect(Object.keys(files).filter(file => !read.includes(file))).toEqual([])
  return source.parse(file => (read.includes(file) ? files[file] : undefined), layout)
}

const PSI = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=56\n'
const pressure = {
  some: { avg10: 1.5, avg60: 0.25, avg300: 0, totalUs: 1234 },
  full: { avg10: 0, avg60: 0, avg300: 0, totalUs: 56 },
}

describe('what files say', () => {
  test('CG-98 pressure, where the kernel counts it', () => {
    expect(parsePressure(PSI)).toEqual(pressure)
    expect(parsePressure(PSI.split('\n')[0])).toEqual({ some: pressure.some, full: undefined })
    // Of irq.pressure that is the only line.
    expect(parsePressure(PSI.split('\n')[1])).toEqual({ some: undefined, full: pressure.full })
    for (const absent of [undefined, '', 'nothing of the kind']) expect(parsePressure(absent)).toBeUndefined()
  })

  test('CG-90 CG-32 processor time of v1, to the nanosecond and by processor', () => {
    const files = {
      'cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 1500\nnr_bursts 1\nburst_time 700\n',
      'cpuacct.usage': '3000500\n',
      'cpuacct.usage_user': '2000000\n',
      'cpuacct.usage_sys': '1000500\n',
      'cpuacct.usage_all': 'cpu user system\n0 1000000 500\n1 1000000 1000000\n',
      'cpu.pressure': PSI,
    }
    expect(parse(cpuSource, v1, files)).toEqual({
      usageUs: 3000.5,
      userUs: 2000,
      systemUs: 1000.5,
      perCpu: [
        { userUs: 1000, systemUs: 0.5 },
        { userUs: 1000, systemUs: 1000 },
      ],
      nrPeriods: 5,
      nrThrottled: 2,
      throttledUs: 1.5,
      nrBursts: 1,
      burstUs: 0.7,
      pressure,
    })
    expect(parse(cpuSource, v1, {})).toBeUndefined()
  })

  test('CG-90 processor time of v2', () => {
    const stat =
      'usage_usec 10\nuser_usec 6\nsystem_usec 4\nnice_usec 1\nnr_periods 3\nnr_throttled 2\nthrottled_usec 9\nnr_bursts 1\nburst_usec 8\n'
    expect(parse(cpuSource, v2, { 'cpu.stat': stat })).toMatchObject({
      usageUs: 10,
      userUs: 6,
      systemUs: 4,
      niceUs: 1,
      nrPeriods: 3,
      nrThrottled: 2,
      throttledUs: 9,
      nrBursts: 1,
      burstUs: 8,
      pressure: undefined,
    })
  })

  test('CG-92 memory of v1: its counters, its nodes, all of memory.stat', () => {
    const counter = (name: string, ...values: string[]): Record<string, string> =>
      Object.fromEntries(
        ['usage_in_bytes', 'max_usage_in_bytes', 'limit_in_bytes', 'failcnt'].map((file, i) => [
          `${name}.${file}`,
          `${values[i]}\n`,
        ]),
      )
    const none = '9223372036854771712'
    const stats = parse(memorySource, v1, {
      ...counter('memory', '100', '200', '300', '4'),
      ...counter('memory.memsw', '150', '250', none, '1'),
      ...counter('memory.kmem', '10', '20', none, '0'),
      ...counter('memory.kmem.tcp', '1', '2', '3', '5'),
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 7\n',
      'memory.use_hierarchy': '1\n',
      'memory.stat': `cache 64\nhierarchical_memory_limit ${none}\n`,
      'memory.numa_stat': 'total=5 N0=2 N1=3\nhierarchical_total=9 N0=9\n',
    })
    expect(stats).toMatchObject({
      current: 100,
      peak: 200,
      max: 300,
      maxCount: 5,
      failCount: 4,
      swapCurrent: 50,
      swapMax: 'max',
      oomKillCount: 7,
      memsw: { current: 150, peak: 250, max: 'max', failCount: 1 },
      kernel: { current: 10, peak: 20, max: 'max', failCount: 0 },
      kernelTcp: { current: 1, peak: 2, max: 3, failCount: 5 },
      useHierarchy: true,
    })
    expect(stats!.stat).toEqual(
      new Map<string, number | bigint>([
        ['cache', 64],
        ['hierarchical_memory_limit', BigInt(none)],
      ]),
    )
    expect(stats!.numa!.get('total')).toEqual({
      total: 5,
      nodes: new Map([
        [0, 2],
        [1, 3],
      ]),
    })
    // Swap is not counted, and no kernel memory.
    expect(parse(memorySource, v1, counter('memory', '1', '1', '1', '0'))).toMatchObject({
      swapCurrent: undefined,
      kernel: undefined,
    })
  })

  test('CG-92 memory of v2, and of its top', () => {
    const stats = parse(memorySource, v2, {
      'memory.current': '100\n',
      'memory.peak': '200\n',
      'memory.max': 'max\n',
      'memory.high': '500\n',
      'memory.low': '0\n',
      'memory.min': '0\n',
      'memory.swap.current': '7\n',
      'memory.swap.max': '9\n',
      'memory.swap.peak': '8\n',
      'memory.events': 'low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n',
      'memory.stat': 'anon 5\nfile 6\n',
      'memory.numa_stat': 'anon N0=4096 N1=8192\n',
      'memory.pressure': PSI,
    })
    expect(stats).toMatchObject({
      max: 'max',
      high: 500,
      low: 0,
      swapPeak: 8,
      swapMax: 9,
      maxCount: 2,
      oomKillCount: 4,
      pressure,
    })
    expect(stats!.events!.get('oom_group_kill')).toBe(5)
    expect(stats!.numa!.get('anon')).toEqual({
      nodes: new Map([
        [0, 4096],
        [1, 8192],
      ]),
    })
    expect(
      topMemory('anon 5\nfile 6\n', 'MemTotal: 100 kB\nSwapTotal:       8 kB\nSwapFree:        3 kB\n'),
    ).toMatchObject({
      current: 11,
      max: 'max',
      swapCurrent: 5120,
    })
  })

  test('CG-94 tables of disks: BFQ where it counts, else the throttle', () => {
    const table = '8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Discard 5\n8:0 Total 35\n8:16 Read 1\nTotal 36\n'
    const bytes = 'io_service_bytes_recursive'
    const count = 'io_serviced_recursive'
    const bfq = parse(ioSource, v1, {
      [`blkio.bfq.${bytes}`]: table,
      [`blkio.bfq.${count}`]: '8:0 Read 3\nTotal 3\n',
      [`blkio.throttle.${bytes}`]: '8:0 Read 99\nTotal 99\n',
      [`blkio.throttle.${count}`]: '8:0 Read 98\nTotal 98\n',
      'blkio.bfq.time_recursive': '8:0 77\n',
    })
    expect(bfq!.devices).toEqual([
      { major: 8, minor: 0, rbytes: 10, wbytes: 20, dbytes: 5, rios: 3, wios: 0 },
      { major: 8, minor: 16, rbytes: 1, wbytes: 0, rios: 0, wios: 0 },
    ])
    expect(bfq!.tables!.serviceBytes).toContainEqual({ major: 8, minor: 0, op: 'Sync', value: 30 })
    expect(bfq!.tables!.time).toEqual([{ major: 8, minor: 0, op: '', value: 77 }])
    const throttle = parse(ioSource, v1, {
      [`blkio.bfq.${bytes}`]: 'Total 0\n',
      [`blkio.bfq.${count}`]: 'Total 0\n',
      [`blkio.throttle.${bytes}`]: '8:0 Read 99\nTotal 99\n',
      [`blkio.throttle.${count}`]: '8:0 Read 98\nTotal 98\n',
    })
    expect(throttle!.devices).toEqual([{ major: 8, minor: 0, rbytes: 99, wbytes: 0, rios: 98, wios: 0 }])
    expect(parse(ioSource, v1, {})).toBeUndefined()
    expect(parseTable(undefined)).toEqual([])
  })

  test('CG-94 io.stat with the counters of the cost model', () => {
    const text =
      '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0 cost.usage=5 cost.wait=6\n254:16 \n7:0 rbytes=1 wbytes=0 rios=1 wios=0\n'
    expect(parseIoStat(text)).toEqual([
      {
        major: 8,
        minor: 0,
        rbytes: 4096,
        wbytes: 8192,
        rios: 1,
        wios: 2,
        dbytes: 0,
        dios: 0,
        more: new Map([
          ['cost.usage', 5],
          ['cost.wait', 6],
        ]),
      },
      { major: 7, minor: 0, rbytes: 1, wbytes: 0, rios: 1, wios: 0 },
    ])
    // Linux 5.8 to 6.3 end no line of a disk that has no numbers.
    expect(
      parseIoStat('7:7 7:6 7:5 rbytes=28672 wbytes=0 rios=2 wios=0\n8:0 rbytes=1 wbytes=0 rios=1 wios=0\n'),
    ).toEqual([
      { major: 7, minor: 5, rbytes: 28672, wbytes: 0, rios: 2, wios: 0 },
      { major: 8, minor: 0, rbytes: 1, wbytes: 0, rios: 1, wios: 0 },
    ])
    expect(parse(ioSource, v2, { 'io.pressure': PSI })).toEqual({ devices: [], pressure })
  })

  test('CG-91 cpusets with the flags of v1, and the partition of v2', () => {
    const flags = { 'cpuset.cpu_exclusive': '1\n', 'cpuset.sched_relax_domain_level': '-1\n' }
    const granted = { 'cpuset.effective_cpus': '0-2\n', 'cpuset.effective_mems': '0\n' }
    const stats = parse(cpusetSource, v1, { 'cpuset.cpus': '0-1\n', 'cpuset.mems': '\n', ...granted, ...flags })
    expect(stats).toMatchObject({ cpus: [0, 1], mems: [], effectiveCpus: [0, 1, 2], effectiveMems: [0] })
    expect(stats!.flags).toEqual(
      new Map([
        ['cpu_exclusive', 1],
        ['sched_relax_domain_level', -1],
      ]),
    )
    const bare = Object.fromEntries(
      Object.entries({ ...granted, ...flags }).map(([file, text]) => [file.slice(7), text]),
    )
    expect(parse(cpusetSource, { ...v1, noPrefix: true }, bare)!.flags!.size).toBe(2)
    const effective = {
      'cpuset.cpus.effective': '3\n',
      'cpuset.mems.effective': '0\n',
      'cpuset.cpus.partition': 'root\n',
    }
    expect(parse(cpusetSource, v2, effective)).toMatchObject({ cpus: [], effectiveCpus: [3], partition: 'root' })
  })

  test('CG-93 CG-95 CG-64 the small ones', () => {
    expect(parse(pidsSource, v2, { 'pids.current': '3\n', 'pids.max': 'max\n', 'pids.events': 'max 2\n' })).toEqual({
      current: 3,
      max: 'max',
      peak: undefined,
      maxCount: 2,
    })
    const huge1 = {
      usage_in_bytes: '1\n',
      limit_in_bytes: '9223372036854771712\n',
      max_usage_in_bytes: '2\n',
      failcnt: '3\n',
      'rsvd.usage_in_bytes': '4\n',
    }
    const of = (files: object): Record<string, string> =>
      Object.fromEntries(Object.entries(files).map(([file, text]) => [`hugetlb.2MB.${file}`, text as string]))
    expect(parse(hugetlbSource, v1, of(huge1))).toEqual(
      new Map([['2MB', { current: 1, max: 'max', peak: 2, maxCount: 3, rsvdCurrent: 4, rsvdMax: undefined }]]),
    )
    const huge2 = parse(hugetlbSource, v2, of({ current: '1\n', max: '5\n', events: 'max 6\n' }))
    expect(huge2!.get('2MB')).toMatchObject({ current: 1, max: 5, maxCount: 6 })
    expect(parse(hugetlbSource, v2, {})).toBeUndefined()
    const rdma = {
      'rdma.current': 'mlx5_0 hca_handle=2 hca_object=3\n',
      'rdma.max': 'mlx5_0 hca_handle=9 hca_object=max\n',
    }
    expect(parse(rdmaSource, v2, rdma)).toEqual(
      new Map([['mlx5_0', { hcaHandle: 2, hcaObject: 3, hcaHandleMax: 9, hcaObjectMax: 'max' }]]),
    )
    const misc = {
      'misc.current': 'sev 1\nsev_es 0\n',
      'misc.max': 'sev 5\nsev_es max\n',
      'misc.events': 'sev.max 4\n',
    }
    expect(parse(miscSource, v2, misc)).toMatchObject(
      new Map([
        ['sev', { current: 1, max: 5, peak: undefined, maxCount: 4 }],
        ['sev_es', { current: 0, max: 'max', peak: undefined, maxCount: undefined }],
      ]),
    )
  })

  test('CG-96 CG-38 who was told to stop, by which of the freezers', () => {
    const states: [Record<string, string>, boolean, boolean, boolean][] = [
      [
        { 'freezer.self_freezing': '1\n', 'freezer.parent_freezing': '0\n', 'freezer.state': 'FREEZING\n' },
        true,
        false,
        false,
      ],
      [
        { 'freezer.self_freezing': '0\n', 'freezer.parent_freezing': '1\n', 'freezer.state': 'FROZEN\n' },
        false,
        true,
        true,
      ],
      [{ 'cgroup.freeze': '1\n', 'cgroup.events': 'populated 1\nfrozen 1\n' }, true, false, true],
      [{ 'cgroup.freeze': '0\n', 'cgroup.events': 'populated 1\nfrozen 1\n' }, false, true, true],
    ]
    for (const [files, selfFreezing, parentFreezing, frozen] of states) {
      expect(parse(freezerSource, v1, files)).toEqual({ selfFreezing, parentFreezing, frozen })
    }
    expect(parse(freezerSource, v1, {})).toBeUndefined()
  })
})

describe('CG-104 as JSON', () => {
  const stats: CgroupStats = {
    cpu: {
      usageUs: 3.5,
      userUs: 2,
      systemUs: 1.5,
      perCpu: [{ userUs: 2, systemUs: 1.5 }],
      nrPeriods: 4,
      nrThrottled: 1,
      throttledUs: 9,
      pressure,
    },
    memory: {
      current: 100,
      peak: 200,
      max: 300,
      maxCount: 5,
      failCount: 4,
      swapCurrent: 50,
      swapMax: 'max',
      memsw: { current: 150, peak: 250, max: 'max', failCount: 1 },
      useHierarchy: true,
      stat: new Map<string, number | bigint>([
        ['cache', 64],
        ['hierarchical_memory_limit', 300],
      ]),
    },
    pids: { current: 3, max: 'max' },
    io: { devices: [{ major: 8, minor: 0, rbytes: 1, wbytes: 2, rios: 3, wios: 4 }] },
    hugetlb: new Map([['2MB', { current: 1, max: 'max', peak: 2, maxCount: 3 }]]),
    rdma: new Map([['mlx5_0', { hcaHandle: 1, hcaObject: 2, hcaHandleMax: 3, hcaObjectMax: 'max' }]]),
    misc: new Map([['sev', { current: 1, max: 'max' }]]),
    freezer: { selfFreezing: true, parentFreezing: false, frozen: true },
  }
  const read = { major: 8, minor: 0, op: 'Read', value: 1 }

  test("CG-104 libcontainer's words", () => {
    const classic = classicStats(stats) as Record<string, Record<string, unknown>>
    expect(classic).toMatchObject({
      cpu_stats: {
        cpu_usage: { total_usage: 3500, percpu_usage: [3500], usage_in_kernelmode: 1500, usage_in_usermode: 2000 },
        throttling_data: { periods: 4, throttled_periods: 1, throttled_time: 9000 },
        psi: { some: { avg10: 1.5, total: 1234 }, full: { total: 56 } },
      },
      memory_stats: {
        cache: 64,
        usage: { usage: 100, max_usage: 200, failcnt: 4, limit: 300 },
        swap_usage: { usage: 150, max_usage: 250, failcnt: 1, limit: 9223372036854771712n },
        stats: { cache: 64 },
      },
      pids_stats: { current: 3, limit: 0 },
      hugetlb_stats: { '2MB': { usage: 1, max_usage: 2, failcnt: 3 } },
      rdma_stats: { rdma_limit: [{ device: 'mlx5_0', hca_handles: 3, hca_objects: 4294967295 }] },
      misc_stats: { sev: { usage: 1, events: 0 } },
      freezer_stats: { parent_freezing: '0', self_freezing: '1' },
    })
    expect(classic.blkio_stats!.io_service_bytes_recursive).toContainEqual(read)
    expect(classic.blkio_stats!.io_queue_recursive).toEqual([])
    expect(stringifyJson(classic)).toContain('"limit":9223372036854771712')
    expect(classicStats({})).toMatchObject({ pids_stats: { current: 0, limit: 0 }, memory_stats: {} })
  })

  test("CG-104 the words of runtimes' events", () => {
    expect(eventStats(stats)).toMatchObject({
      cpu: {
        usage: { total: 3500, percpu: [3500], kernel: 1500, user: 2000 },
        throttling: { periods: 4, throttledPeriods: 1, throttledTime: 9000 },
      },
      memory: { cache: 64, usage: { limit: 300, usage: 100, max: 200, failcnt: 4 }, raw: { cache: 64 } },
      pids: { current: 3 },
      hugetlb: { '2MB': { usage: 1, max: 2, failcnt: 3 } },
    })
    const { blkio, pids } = eventStats(stats) as Record<string, Record<string, unknown>>
    expect(blkio!.ioServiceBytesRecursive).toContainEqual({ major: 8, op: 'Read', value: 1 })
    expect(blkio).not.toHaveProperty('ioQueueRecursive')
    expect(pids).not.toHaveProperty('limit')
    const none = { limit: 0, failcnt: 0 }
    expect(eventStats({})).toEqual({
      cpu: { usage: { kernel: 0, user: 0 }, throttling: {} },
      cpuset: expect.objectContaining({ cpu_exclusive: 0, sched_relax_domain_level: 0 }),
      memory: { usage: none, swap: none, kernel: none, kernelTCP: none },
      pids: {},
      blkio: {},
      hugetlb: {},
    })
    expect(eventStats({ ...stats, cpu: { ...stats.cpu!, pressure: { some: pressure.some } } })).toMatchObject({
      cpu: { psi: { some: { avg10: 1.5, total: 1234 }, full: { avg10: 0, avg60: 0, avg300: 0, total: 0 } } },
    })
    const two: CgroupStats = {
      memory: { current: 100, max: 300, swapCurrent: 50, swapMax: 20, stat: new Map([['file', 9]]) },
    }
    // v2 limits swap for itself; the sum is what readers expect.
    expect(eventStats(two)).toMatchObject({ memory: { cache: 9, swap: { usage: 150, limit: 320 } } })
  })
})
