import { Cgroup, type CgroupHost, type Limits } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { placesOf } from '../src/host/place.js'
import { planLimits } from '../src/limits/plan.js'
import { hybrid, v1, v2, v2Bare } from './hosts.js'

const MiB = 1024 * 1024

/** A plan as lines: `memory.max=1 ?ENOENT`. */
function plan(host: CgroupHost, limits: Limits, when: 'create' | 'set' = 'create'): string[] {
  return planLimits(limits, { host, places: placesOf(host, '/demo'), when }).map(act =>
    'program' in act
      ? `program of ${act.program.length / 8}`
      : `${act.file}=${act.value}${act.skip ? ` ?${act.skip.join()}` : ''}`,
  )
}

const refused = (host: CgroupHost, limits: Limits, when?: 'set'): unknown => {
  try {
    plan(host, limits, when)
  } catch (error) {
    return error
  }
  return undefined
}

describe('plans', () => {
  const limits: Limits = {
    memory: { max: 64 * MiB, swapMax: 0, low: 32 * MiB },
    cpu: { weight: 50, quotaUs: 20_000, periodUs: 100_000, burstUs: 10_000 },
    cpuset: { cpus: '0-1', mems: '0' },
    pids: { max: 32 },
    devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }],
  }

  test('golden: v1, a new cgroup', () => {
    expect(plan(v1, limits)).toEqual([
      'cpuset.mems=0',
      'cpuset.cpus=0-1',
      'cpu.shares=421',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=20000',
      'cpu.cfs_burst_us=10000',
      'memory.limit_in_bytes=67108864',
      'memory.memsw.limit_in_bytes=67108864',
      'memory.soft_limit_in_bytes=33554432',
      'pids.max=32',
      'devices.deny=a',
      'devices.allow=c 1:3 rwm',
    ])
    expect(plan(hybrid, limits)).toEqual(plan(v1, limits))
  })

  test('golden: v2, a new cgroup', () => {
    expect(plan(v2, { ...limits, unified: { 'memory.high': '60M', 'cgroup.max.depth': '2' } })).toEqual([
      'cpuset.mems=0',
      'cpuset.cpus=0-1',
      'cpu.weight=50',
      'cpu.max=20000 100000',
      'cpu.max.burst=10000',
      'memory.low=33554432',
      'memory.swap.max=0 ?ENOENT',
      'memory.max=67108864',
      'pids.max=32',
      'program of 13',
      'memory.high=60M',
      'cgroup.max.depth=2',
    ])
  })

  test('golden: a v1 cgroup that holds anything, whose values bound each other', () => {
    expect(plan(v1, { memory: limits.memory, cpu: limits.cpu }, 'set')).toEqual([
      'cpu.shares=421',
      'cpu.cfs_burst_us=10000 ?EINVAL',
      'cpu.cfs_period_us=100000 ?EINVAL',
      'cpu.cfs_quota_us=20000',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_burst_us=10000',
      'memory.memsw.limit_in_bytes=67108864 ?EINVAL',
      'memory.limit_in_bytes=67108864',
      'memory.memsw.limit_in_bytes=67108864',
      'memory.soft_limit_in_bytes=33554432',
    ])
  })

  test('nothing asked is nothing written, and 0 can be said', () => {
    for (const host of [v1, v2, hybrid]) {
      expect(plan(host, { memory: { max: undefined }, cpu: {}, pids: undefined })).toEqual([])
      expect(plan(host, { pids: { max: 0 } })).toEqual(['pids.max=0'])
    }
    expect(plan(v2, { memory: { max: 0, high: 0, min: 0 } })).toEqual(['memory.min=0', 'memory.high=0', 'memory.max=0'])
    expect(plan(v1, { memory: { max: 0, swappiness: 0 } })).toEqual(['memory.limit_in_bytes=0', 'memory.swappiness=0'])
  })

  test('D-09 bigints go through exactly', () => {
    const max = 2n ** 62n + 1n
    expect(plan(v2, { memory: { max } })).toEqual(['memory.max=4611686018427387905'])
    expect(plan(v1, { memory: { max, swapMax: 1n } })).toContain('memory.memsw.limit_in_bytes=4611686018427387906')
  })

  test('the same through the public API', async () => {
    const planned = await Cgroup.plan({ pids: { max: 3 } }, { host: v2, path: '/demo' })
    expect(planned).toEqual([expect.objectContaining({ controller: 'pids', file: 'pids.max', value: '3' })])
  })
})

describe('memory', () => {
  test('CG-33 CG-54 memory and swap together: what each version is told', () => {
    const both = (max: number | 'max' | undefined, memswMax: number | 'max'): Limits => ({ memory: { max, memswMax } })
    expect(plan(v1, both(1000, 3000))).toEqual(['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=3000'])
    expect(plan(v2, both(1000, 3000))).toEqual(['memory.swap.max=2000', 'memory.max=1000'])
    expect(plan(v2, both(1000, 1000))).toEqual(['memory.swap.max=0 ?ENOENT', 'memory.max=1000'])
    expect(plan(v2, both(1000, 'max'))).toEqual(['memory.swap.max=max ?ENOENT', 'memory.max=1000'])
    expect(plan(v2, both('max', 3000))).toEqual(['memory.swap.max=3000', 'memory.max=max'])
    expect(plan(v2, both(undefined, 'max'))).toEqual(['memory.swap.max=max ?ENOENT'])
    expect(plan(v1, both(undefined, 3000))).toEqual(['memory.memsw.limit_in_bytes=3000'])
  })

  test('CG-33 on v1 no limit of memory lifts that of the sum too', () => {
    expect(plan(v1, { memory: { max: 'max' } }, 'set')).toEqual([
      'memory.memsw.limit_in_bytes=-1 ?EINVAL,ENOENT',
      'memory.limit_in_bytes=-1',
      'memory.memsw.limit_in_bytes=-1 ?ENOENT',
    ])
  })

  test('EV-146 swap without memory, the sum below its part, below zero', () => {
    expect(refused(v2, { memory: { memswMax: 5 } })).toMatchObject({ code: 'ConfigInvalid', field: 'memory.memswMax' })
    for (const host of [v1, v2]) {
      expect(refused(host, { memory: { max: 10, memswMax: 5 } })).toMatchObject({ field: 'memory.memswMax' })
      expect(refused(host, { memory: { max: -2 } })).toMatchObject({ field: 'memory.max', value: -2 })
      expect(refused(host, { memory: { max: 1.5 } })).toBeInstanceOf(ConfigInvalid)
      expect(refused(host, { memory: { swapMax: 1, memswMax: 2 } })).toBeInstanceOf(ConfigInvalid)
    }
    expect(refused(v1, { memory: { max: 'max', memswMax: 5 } })).toMatchObject({ field: 'memory.memswMax' })
    expect(refused(v1, { memory: { swapMax: 5 } })).toMatchObject({ field: 'memory.swapMax' })
  })

  test('EV-150 swappiness is at most 100', () => {
    expect(refused(v1, { memory: { swappiness: 101 } })).toMatchObject({ field: 'memory.swappiness', value: 101 })
    expect(plan(v1, { memory: { swappiness: 100, oomKillDisable: true } })).toEqual([
      'memory.swappiness=100',
      'memory.oom_control=1',
    ])
  })

  test('CG-55 reservation and the rest of v2', () => {
    expect(plan(v2, { memory: { max: 'max', low: 5, high: 'max', min: 1, oomGroup: true } })).toEqual([
      'memory.min=1',
      'memory.low=5',
      'memory.high=max',
      'memory.max=max',
      'memory.oom.group=1',
    ])
  })
})

describe('cpu', () => {
  test('CG-31 CG-52 shares and weight, whichever the host has', () => {
    expect(plan(v1, { cpu: { shares: 1000 } })).toEqual(['cpu.shares=1000'])
    expect(plan(v2, { cpu: { shares: 1024 } })).toEqual(['cpu.weight=100'])
    expect(plan(v1, { cpu: { weight: 100 } })).toEqual(['cpu.shares=1024'])
    expect(refused(v2, { cpu: { shares: 1024, weight: 5 } })).toBeInstanceOf(ConfigInvalid)
  })

  test('EV-148 shares that the kernel would change without a word', () => {
    expect(refused(v1, { cpu: { shares: 1 } })).toMatchObject({ message: expect.stringContaining('from 2 to 262144') })
    expect(refused(v1, { cpu: { shares: 300_000 } })).toMatchObject({ field: 'cpu.shares' })
    expect(refused(v2, { cpu: { weight: 0 } })).toMatchObject({ message: expect.stringContaining('from 1 to 10000') })
  })

  test('CG-56 cpu.max holds the quota and the period', () => {
    expect(plan(v2, { cpu: { periodUs: 50_000 } })).toEqual(['cpu.max=max 50000'])
    expect(plan(v2, { cpu: { quotaUs: 'max' } })).toEqual(['cpu.max=max'])
    expect(plan(v2, { cpu: { quotaUs: 5000, burstUs: 0 } }, 'set')).toEqual([
      'cpu.max.burst=0 ?EINVAL',
      'cpu.max=5000',
      'cpu.max.burst=0',
    ])
    // It would lift the quota that is there.
    expect(refused(v2, { cpu: { periodUs: 50_000 } }, 'set')).toMatchObject({ field: 'cpu.periodUs' })
  })

  test('CG-31 no quota is -1 on v1, and an idle cgroup takes no weight', () => {
    expect(plan(v1, { cpu: { quotaUs: 'max' } })).toEqual(['cpu.cfs_quota_us=-1'])
    expect(plan(v1, { cpu: { idle: true, weight: 100 } })).toEqual(['cpu.shares=1024', 'cpu.idle=1'])
    expect(plan(v2, { cpu: { idle: false, weight: 100 } })).toEqual(['cpu.idle=0', 'cpu.weight=100'])
    expect(plan(v1, { cpu: { rtRuntimeUs: 1000, rtPeriodUs: 10_000 } })).toEqual([
      'cpu.rt_period_us=10000',
      'cpu.rt_runtime_us=1000',
    ])
  })
})

describe('cpuset, pids and raw files', () => {
  test('EV-151 lists that are none', () => {
    for (const cpus of ['', ' ', '3-1', '1,,2', 'a', '-1', '1-', '0x1']) {
      expect(refused(v2, { cpuset: { cpus } }), cpus).toMatchObject({ field: 'cpuset.cpus', value: cpus })
    }
  })

  test('CG-39 CG-58 pids.max', () => {
    for (const host of [v1, v2]) {
      expect(plan(host, { pids: { max: 'max' } })).toEqual(['pids.max=max'])
      expect(refused(host, { pids: { max: -1 } })).toBeInstanceOf(ConfigInvalid)
    }
  })

  test('CG-62 EV-145 raw files: names, their controllers, and the hosts that have none', () => {
    expect(refused(v2, { unified: { '../x.y': '1' } })).toMatchObject({ field: "unified['../x.y']" })
    expect(refused(v2, { unified: { memory: '1' } })).toBeInstanceOf(ConfigInvalid)
    expect(refused(v2, { unified: { 'nothing.max': '1' } })).toMatchObject({
      code: 'LimitUnsupported',
      controller: 'nothing',
    })
    expect(refused(v1, { unified: { 'memory.high': '1' } })).toMatchObject({
      message: expect.stringContaining('not mounted'),
    })
    expect(refused(hybrid, { unified: { 'memory.high': '1' } })).toMatchObject({ controller: 'memory' })
    expect(plan(hybrid, { unified: new Map([['hugetlb.2MB.max', '0']]) })).toEqual(['hugetlb.2MB.max=0'])
    const file = '__proto__.x'
    expect(refused(v2, { unified: JSON.parse(`{"${file}": "1"}`) })).toMatchObject({ controller: '__proto__' })
  })
})

describe('what a host cannot do is said', () => {
  test('CG-43 a missing hierarchy is no matter until a limit needs it', () => {
    expect(plan(v1, {})).toEqual([])
    const error = refused(
      { ...v1, hierarchies: v1.hierarchies.filter(h => !h.controllers.includes('memory')) },
      {
        memory: { max: 1 },
      },
    )
    expect(error).toMatchObject({
      name: 'LimitUnsupported',
      controller: 'memory',
      field: 'memory',
      message: expect.stringContaining('memory controller is not mounted'),
      hint: expect.stringContaining('mount -t cgroup -o memory'),
    })
  })

  test('CG-43 a v2 controller that was not handed on', () => {
    expect(refused(v2Bare, { memory: { max: 1 } })).toMatchObject({
      code: 'LimitUnsupported',
      controller: 'memory',
      message: expect.stringContaining('/sys/fs/cgroup/cgroup.controllers'),
      hint: expect.stringContaining('echo +memory > /sys/fs/cgroup/cgroup.subtree_control'),
    })
  })

  test('CG-43 fields that only the other version has', () => {
    for (const limits of [{ high: 1 }, { min: 1 }, { oomGroup: true }]) {
      expect(refused(hybrid, { memory: limits })).toMatchObject({
        code: 'LimitUnsupported',
        field: `memory.${Object.keys(limits)[0]}`,
      })
    }
    expect(refused(v2, { memory: { swappiness: 1 } })).toMatchObject({ field: 'memory.swappiness' })
    expect(refused(v2, { cpu: { rtRuntimeUs: 1 } })).toMatchObject({ field: 'cpu.rtRuntimeUs' })
    expect(refused({ mode: 'v1', hierarchies: [] }, { devices: [] })).toMatchObject({ controller: 'devices' })
  })

  test('a field that there is not is refused by name, with those that there are', () => {
    expect(refused(v2, { memory: { limit: 1 } } as Limits)).toMatchObject({
      field: 'memory.limit',
      message: expect.stringContaining('swapMax'),
    })
    expect(refused(v2, { mem: {} } as Limits)).toMatchObject({ field: 'mem' })
    expect(refused(v2, { memory: 5 } as unknown as Limits)).toMatchObject({ field: 'memory' })
    expect(refused(v2, { cpu: { idle: 1 } } as unknown as Limits)).toMatchObject({ field: 'cpu.idle' })
  })
})
