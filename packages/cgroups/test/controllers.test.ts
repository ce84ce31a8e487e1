import {
  bfqWeightFromIo,
  type CgroupHost,
  hugePageSizes,
  ioWeightFromBlkio,
  type Limits,
  limitsFromClassic,
} from '@libcontainer/cgroups'
import { describe, expect, test } from 'vitest'
import { placesOf } from '../src/host/place.js'
import { planLimits } from '../src/limits/plan.js'
import { limitSteps } from '../src/steps.js'
import { hybrid, v1, v1Whole, v2, v2Bare } from './hosts.js'

/** A plan as lines: `io.bfq.weight=500 | io.weight=default 4950`. */
function plan(host: CgroupHost, limits: Limits, when: 'create' | 'set' = 'create'): string[] {
  return planLimits(limits, { host, places: placesOf(host, '/demo'), when }).map(act => {
    if ('program' in act) return 'program'
    const { file, value, skip, otherwise, confirm } = act
    const more = `${skip ? ` ?${skip.join()}` : ''}${otherwise ? ` | ${otherwise.file}=${otherwise.value}` : ''}`
    return `${file}=${value}${more}${confirm ? ' !' : ''}`
  })
}

const refused = (host: CgroupHost, limits: Limits): unknown => {
  try {
    plan(host, limits)
  } catch (error) {
    return error
  }
  return undefined
}

const everything: Limits = {
  cpuset: { cpus: '0-1', mems: '0' },
  cpu: { shares: 512, uclampMin: 12.5, uclampMax: 'max' },
  memory: { max: 2 ** 30, useHierarchy: true },
  io: {
    blkioWeight: 500,
    devices: [
      { major: 8, minor: 0, weight: 200, rbps: 1_048_576, wiops: 'max' },
      { major: 8, minor: 16, blkioWeight: 10, wbps: 2n ** 40n },
    ],
  },
  hugetlb: { '2MB': { max: 2 ** 21 }, '1GB': { max: 'max', rsvdMax: 0 } },
  pids: { max: 7 },
  rdma: { mlx5_0: { hcaHandle: 2, hcaObject: 'max' }, mlx5_1: { hcaObject: 9 } },
  misc: new Map([['sev', 3]]),
}

describe('golden: every controller', () => {
  test('CG-35 CG-40 CG-42 v1', () => {
    expect(
      plan(v1Whole, { ...everything, netCls: { classid: 0x100001 }, netPrio: { ifpriomap: { lo: 5, eth0: 1 } } }),
    ).toEqual([
      'cpuset.mems=0',
      'cpuset.cpus=0-1',
      'cpu.shares=512',
      'cpu.uclamp.min=12.50',
      'cpu.uclamp.max=max',
      'memory.use_hierarchy=1',
      'memory.limit_in_bytes=1073741824',
      'blkio.weight=500 | blkio.bfq.weight=500',
      'blkio.bfq.weight_device=8:0 109',
      'blkio.throttle.read_bps_device=8:0 1048576',
      'blkio.throttle.write_iops_device=8:0 0',
      'blkio.weight_device=8:16 10 | blkio.bfq.weight_device=8:16 10',
      'blkio.throttle.write_bps_device=8:16 1099511627776',
      'hugetlb.2MB.limit_in_bytes=2097152',
      'hugetlb.2MB.rsvd.limit_in_bytes=2097152 ?ENOENT',
      'hugetlb.1GB.limit_in_bytes=-1',
      'hugetlb.1GB.rsvd.limit_in_bytes=0',
      'pids.max=7',
      'rdma.max=mlx5_0 hca_handle=2 hca_object=max',
      'rdma.max=mlx5_1 hca_object=9',
      'misc.max=sev 3',
      'net_cls.classid=1048577',
      'net_prio.ifpriomap=lo 5',
      'net_prio.ifpriomap=eth0 1',
    ])
  })

  test('CG-57 CG-59 CG-64 v2', () => {
    expect(plan(v2, everything)).toEqual([
      'cpuset.mems=0',
      'cpuset.cpus=0-1',
      'cpu.weight=59',
      'cpu.uclamp.min=12.50',
      'cpu.uclamp.max=max',
      'memory.max=1073741824',
      'io.bfq.weight=500 | io.weight=default 4950',
      'io.weight=8:0 200 | io.bfq.weight=8:0 109',
      'io.max=8:0 rbps=1048576 wiops=max',
      'io.bfq.weight=8:16 10 | io.weight=8:16 1',
      'io.max=8:16 wbps=1099511627776',
      'hugetlb.2MB.max=2097152',
      'hugetlb.2MB.rsvd.max=2097152 ?ENOENT',
      'hugetlb.1GB.max=max',
      'hugetlb.1GB.rsvd.max=0',
      'pids.max=7',
      'rdma.max=mlx5_0 hca_handle=2 hca_object=max',
      'rdma.max=mlx5_1 hca_object=9',
      'misc.max=sev 3',
    ])
  })

  test('what only v2 has', () => {
    expect(
      plan(v2, {
        cpuset: { cpus: '1-3', cpusExclusive: '1-3', partition: 'isolated' },
        cpu: { weightNice: -5 },
        memory: { swapHigh: 5, zswapMax: 'max', zswapWriteback: false, high: 9 },
        io: { weight: 1, prioClass: 'idle', devices: [{ major: 8, minor: 0, latencyUs: 75_000 }] },
      }),
    ).toEqual([
      'cpuset.cpus=1-3',
      'cpuset.cpus.exclusive=1-3',
      'cpuset.cpus.partition=isolated !',
      'cpu.weight.nice=-5',
      'memory.swap.high=5',
      'memory.zswap.max=max',
      'memory.zswap.writeback=0',
      'memory.high=9',
      'io.weight=default 1 | io.bfq.weight=1',
      'io.prio.class=idle',
      'io.latency=8:0 target=75000',
    ])
  })

  test('CG-30 CG-34 what only v1 has', () => {
    expect(
      plan(v1Whole, {
        cpuset: { cpuExclusive: true, memoryMigrate: false, schedRelaxDomainLevel: -1 },
        memory: { kernelMax: 2 ** 24, kernelTcpMax: 'max' },
        io: { leafWeight: 300, devices: [{ major: 8, minor: 0, leafWeight: 20 }] },
      }),
    ).toEqual([
      'cpuset.cpu_exclusive=1',
      'cpuset.memory_migrate=0',
      'cpuset.sched_relax_domain_level=-1',
      'memory.kmem.limit_in_bytes=16777216 !',
      'memory.kmem.tcp.limit_in_bytes=-1',
      'blkio.leaf_weight=300',
      'blkio.leaf_weight_device=8:0 20',
    ])
  })

  test('a write has its other words as a step of its own, and what may be ignored is looked at', () => {
    const places = placesOf(v2, '/demo')
    const limits: Limits = { io: { blkioWeight: 1000 }, cpuset: { partition: 'root' } }
    const steps = limitSteps(planLimits(limits, { host: v2, places, when: 'create' }))
    expect(steps.map(({ op, args }) => [op, ...args.slice(1)])).toEqual([
      ['writeCgroup', 'demo/cpuset.cpus.partition', 'root'],
      ['confirmCgroup', 'demo/cpuset.cpus.partition', 'root'],
      ['writeCgroup', 'demo/io.bfq.weight', '1000'],
    ])
    expect(steps[2]!.onError).toMatchObject({
      ENOENT: { op: 'writeCgroup', args: ['/sys/fs/cgroup', 'demo/io.weight', 'default 10000'] },
    })
  })
})

describe('numbers of one world in the other', () => {
  test('CG-53 blkio weights to io weights, and io weights to those of BFQ', () => {
    const io = [0, 10, 11, 100, 500, 1000].map(ioWeightFromBlkio)
    expect(io).toEqual([0, 1, 11, 910, 4950, 10000])
    for (let weight = 10; weight <= 1000; weight++) {
      expect(ioWeightFromBlkio(weight)).toBe(1 + Math.floor(((weight - 10) * 9999) / 990))
    }
    expect([1, 50, 100, 1000, 5050, 10000].map(bfqWeightFromIo)).toEqual([1, 50, 100, 181, 550, 1000])
  })

  test('the classic fields of few users', () => {
    const { io, hugetlb, rdma, netCls, netPrio, memory } = limitsFromClassic({
      blkio_weight: 300,
      blkio_leaf_weight: 0,
      blkio_weight_device: [{ major: 8, minor: 0, weight: 500, leafWeight: 20 }],
      // 2015 had lines.
      blkio_throttle_read_bps_device: '8:0 1048576\n8:16 5',
      blkio_throttle_write_iops_device: [{ major: 8, minor: 0, rate: 0 }],
      hugetlb_limit: [{ page_size: '2MB', limit: 4096 }],
      net_cls_classid: '0x100001',
      net_prio_ifpriomap: [{ interface: '__proto__', priority: 2 }],
      rdma: { mlx5_0: { hca_handles: 3, hca_objects: null } },
      kernel_memory: 5,
      kernel_memory_tcp: -1,
    })
    expect(io).toEqual({
      blkioWeight: 300,
      leafWeight: undefined,
      devices: [
        { major: 8, minor: 0, blkioWeight: 500, leafWeight: 20, rbps: 1048576, wiops: 'max' },
        { major: 8, minor: 16, rbps: 5 },
      ],
    })
    expect(hugetlb).toEqual({ '2MB': { max: 4096 } })
    expect(rdma).toEqual({ mlx5_0: { hcaHandle: 3 } })
    // Plain data, which a state on the disk brings back.
    expect(JSON.stringify([netCls, netPrio])).toBe('[{"classid":1048577},{"ifpriomap":{"__proto__":2}}]')
    expect([memory!.kernelMax, memory!.kernelTcpMax]).toEqual([5, 'max'])
    const nothing = limitsFromClassic({ net_cls_classid: '', hugetlb_limit: null, rdma: {}, blkio_weight_device: '' })
    expect(plan(v1, nothing)).toEqual([])
    expect(plan(v2, nothing)).toEqual([])
  })

  test('EV-152 a disk without what it is there for', () => {
    const disk = { major: 8, minor: 0 }
    expect(() => limitsFromClassic({ blkio_weight_device: [disk] })).toThrow('neither a weight nor a leaf weight')
    expect(() => limitsFromClassic({ blkio_throttle_read_bps_device: [disk] })).toThrow('has no rate')
    expect(() => limitsFromClassic({ blkio_throttle_read_bps_device: ['8:0'] })).toThrow('8:0 1048576')
    expect(() => limitsFromClassic({ net_cls_classid: 'red' })).toThrow('0x100001')
  })
})

describe('what cannot be', () => {
  test('EV-152 weights and rates out of range, and disks that are limited in nothing', () => {
    for (const host of [v1Whole, v2]) {
      for (const blkioWeight of [0, 9, 1001, 10.5]) {
        expect(refused(host, { io: { blkioWeight } })).toMatchObject({ field: 'io.blkioWeight', value: blkioWeight })
      }
      expect(refused(host, { io: { weight: 10001 } })).toMatchObject({
        message: expect.stringContaining('from 1 to 10000'),
      })
      expect(refused(host, { io: { weight: 5, blkioWeight: 50 } })).toMatchObject({ field: 'io.blkioWeight' })
      const device = (more: object): Limits => ({ io: { devices: [{ major: 8, minor: 0, ...more }] } })
      expect(refused(host, device({}))).toMatchObject({
        field: 'io.devices[0]',
        message: expect.stringContaining('limits nothing'),
      })
      expect(refused(host, device({ rbps: 0 }))).toMatchObject({ field: 'io.devices[0].rbps' })
      expect(refused(host, device({ major: -1, rbps: 5 }))).toMatchObject({ field: 'io.devices[0].major' })
      expect(refused(host, device({ major: undefined, rbps: 5 }))).toMatchObject({ field: 'io.devices[0].major' })
      expect(refused(host, device({ bps: 5 }))).toMatchObject({ field: 'io.devices[0].bps' })
      expect(refused(host, { io: { prioClass: 'high' as 'idle' } })).toMatchObject({ field: 'io.prioClass' })
      expect(refused(host, { io: { devices: {} as [] } })).toMatchObject({ field: 'io.devices' })
    }
  })

  test('EV-153 names of pages and devices that are none', () => {
    for (const size of ['2M', '2 MB', 'huge', '02MB', '', '../2MB']) {
      expect(refused(v2, { hugetlb: { [size]: { max: 0 } } }), size).toMatchObject({ code: 'ConfigInvalid' })
    }
    expect(refused(v2, { hugetlb: { '2MB': 5 } as unknown as Limits['hugetlb'] })).toMatchObject({
      field: "hugetlb['2MB']",
    })
    expect(refused(v2, { rdma: { 'a b': { hcaObject: 1 } } })).toMatchObject({ field: "rdma['a b']" })
    expect(refused(v2, { rdma: { mlx: {} } })).toMatchObject({ message: expect.stringContaining('limits nothing') })
    expect(refused(v2, { misc: { 'sev\n': 1 } })).toMatchObject({ code: 'ConfigInvalid' })
    expect(refused(v1Whole, { netPrio: { ifpriomap: { eth0: 2 ** 32 } } })).toMatchObject({ code: 'ConfigInvalid' })
    expect(refused(v1Whole, { netCls: { classid: -1 } })).toMatchObject({ field: 'netCls.classid' })
  })

  test('words that say the same, and words of the other version', () => {
    expect(refused(v2, { cpu: { weightNice: 1, weight: 5 } })).toMatchObject({ field: 'cpu.weightNice' })
    expect(refused(v1, { cpu: { weightNice: 1 } })).toMatchObject({ code: 'LimitUnsupported' })
    expect(refused(v2, { cpu: { uclampMin: 101 } })).toMatchObject({ field: 'cpu.uclampMin' })
    expect(refused(v2, { cpuset: { cpuExclusive: true } })).toMatchObject({ field: 'cpuset.cpuExclusive' })
    expect(refused(v1, { cpuset: { partition: 'root' } })).toMatchObject({ field: 'cpuset.partition' })
    expect(refused(v2, { cpuset: { partition: 'x' as 'root' } })).toMatchObject({ code: 'ConfigInvalid' })
    expect(refused(v2, { memory: { kernelMax: 5 } })).toMatchObject({ field: 'memory.kernelMax' })
    expect(refused(v2, { memory: { useHierarchy: false } })).toMatchObject({ field: 'memory.useHierarchy' })
    expect(refused(v1, { memory: { zswapMax: 5 } })).toMatchObject({ field: 'memory.zswapMax' })
    expect(refused(v2, { io: { leafWeight: 50 } })).toMatchObject({ field: 'io.leafWeight', controller: 'io' })
    const slow: Limits = { io: { devices: [{ major: 8, minor: 0, latencyUs: 5 }] } }
    expect(refused(v1Whole, slow)).toMatchObject({ field: 'io.devices[0].latencyUs', controller: 'blkio' })
  })

  test('CG-43 CG-41 a controller that is not there is named, with the line that would bring it', () => {
    const missing: [CgroupHost, Limits, string, string][] = [
      [v1, { io: { weight: 5 } }, 'blkio', 'mount -t cgroup -o blkio cgroup /sys/fs/cgroup/blkio'],
      [v2Bare, { io: { weight: 5 } }, 'io', 'echo +io > /sys/fs/cgroup/cgroup.subtree_control'],
      [v1, { hugetlb: { '2MB': { max: 0 } } }, 'hugetlb', 'mount -t cgroup -o hugetlb'],
      [v2Bare, { rdma: { a: { hcaObject: 1 } } }, 'rdma', 'echo +rdma'],
      [v2Bare, { misc: { sev: 1 } }, 'misc', 'Delegate=misc'],
      [v2, { netCls: { classid: 5 } }, 'net_cls', 'socket cgroupv2'],
      [v2, { netPrio: { ifpriomap: { lo: 1 } } }, 'net_prio', 'meta priority'],
      [hybrid, { netCls: { classid: 5 } }, 'net_cls', 'mount -t cgroup -o net_cls'],
    ]
    for (const [host, limits, controller, line] of missing) {
      expect(refused(host, limits), controller).toMatchObject({
        code: 'LimitUnsupported',
        controller,
        message: expect.stringContaining(controller),
        hint: expect.stringContaining(line),
      })
    }
    for (const host of [v1, v2Bare])
      expect(plan(host, { hugetlb: {}, misc: new Map(), io: {}, netPrio: {} })).toEqual([])
  })

  test('LR-18 a hybrid host is of v1 but for what its unified hierarchy has', () => {
    expect(plan(hybrid, { hugetlb: { '2MB': { max: 0 } }, pids: { max: 1 }, memory: { max: 5 } })).toEqual([
      'memory.limit_in_bytes=5',
      'hugetlb.2MB.max=0',
      'hugetlb.2MB.rsvd.max=0 ?ENOENT',
      'pids.max=1',
    ])
  })
})

test('CG-15 the sizes of huge pages by their names', async () => {
  for (const size of await hugePageSizes()) expect(size).toMatch(/^\d+(KB|MB|GB)$/)
  expect(await hugePageSizes('/nowhere/hugepages')).toEqual([])
  const { hugePageName } = await import('../src/limits/hugetlb.js')
  expect([64, 1024, 2048, 32768, 1048576, 16777216].map(hugePageName)).toEqual([
    '64KB',
    '1MB',
    '2MB',
    '32MB',
    '1GB',
    '16GB',
  ])
})
