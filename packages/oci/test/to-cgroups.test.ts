import { LimitUnsupported } from '@libcontainer/cgroups'
import { validateShape } from '@libcontainer/container'
import { exampleSpec, inSpecWords, limitsOf } from '@libcontainer/oci'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { at, configOf, converted, linuxWith, refusal } from './support.js'

describe('cgroups', () => {
  const limits = (resources: object) => limitsOf(resources as never)

  test('OC-05 the path, cleaned, or the id', () => {
    const path = (cgroupsPath?: string): string => configOf(linuxWith({ cgroupsPath })).cgroups!.path!
    expect(path()).toBe('c1')
    expect(path('')).toBe('c1')
    expect(path('/a/../b//c')).toBe('/b/c')
    expect(path('a/./b')).toBe('a/b')
    expect(at(linuxWith({ cgroupsPath: '/' }))).toBe('linux.cgroupsPath')
  })

  test('EV-141 a path that climbs stays inside', () => {
    const path = (cgroupsPath: string): string => configOf(linuxWith({ cgroupsPath })).cgroups!.path!
    expect(path('../../x')).toBe('x')
    expect(path('/../x')).toBe('/x')
  })

  test('OC-05 EV-142 for systemd it is slice:prefix:name', () => {
    const path = (cgroupsPath?: string): string =>
      converted(cgroupsPath === undefined ? exampleSpec() : linuxWith({ cgroupsPath }), { cgroupDriver: 'systemd' })
        .config.cgroups!.path!
    expect(path('machine.slice:libpod:c1')).toBe('machine.slice:libpod:c1')
    expect(path()).toMatch(/^:libcontainer:./)
    expect(refusal(() => path('/a/path'))).toMatchObject({ field: 'linux.cgroupsPath' })
  })

  test('XT-06 CG-83 the cgroup below the unit that crun’s annotation names, where there is a unit', () => {
    const spec = {
      ...linuxWith({ cgroupsPath: 'a.slice:p:x' }),
      annotations: { 'run.oci.systemd.subgroup': 'container' },
    }
    expect(converted(spec, { cgroupDriver: 'systemd' }).config.cgroups!.path).toBe('a.slice:p:x/container')
    expect(refusal(() => converted(spec))).toMatchObject({ field: "annotations['run.oci.systemd.subgroup']" })
  })

  test('memory, processor, processes: in the kernel’s words, -1 for no limit', () => {
    const read = limits({
      memory: { limit: 2 ** 26, reservation: 2 ** 25, swap: 2 ** 27, swappiness: 10, disableOOMKiller: true },
      cpu: { shares: 512, quota: 50000, burst: 1000, period: 100000, cpus: '0-1', mems: '0', idle: 1 },
      pids: { limit: 32 },
      unified: { 'memory.high': '1000000' },
    })
    expect(read).toEqual({
      memory: { max: 2 ** 26, low: 2 ** 25, memswMax: 2 ** 27, swappiness: 10, oomKillDisable: true },
      cpu: { shares: 512, quotaUs: 50000, burstUs: 1000, periodUs: 100000, idle: true },
      cpuset: { cpus: '0-1', mems: '0' },
      pids: { max: 32 },
      unified: { 'memory.high': '1000000' },
    })
    expect(limits({ memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } })).toMatchObject({
      memory: { max: 'max', memswMax: 'max' },
      pids: { max: 'max' },
      cpu: { quotaUs: 'max' },
    })
  })

  test('5d use_hierarchy: true is said to v1, and is so on v2; false changes nothing, and is told', () => {
    const warnings: string[] = []
    const memory = (useHierarchy: boolean) =>
      limitsOf({ memory: { useHierarchy } }, text => void warnings.push(text)).memory
    expect(memory(true)).toMatchObject({ useHierarchy: true })
    expect(warnings).toEqual([])
    expect(memory(false)?.useHierarchy).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/^linux\.resources\.memory\.useHierarchy: changes nothing/)])
  })

  test('what an encoder writes for nothing is nothing', () => {
    const empty = {
      memory: { limit: 0, reservation: 0, swap: 0, kernel: 0, disableOOMKiller: false },
      cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '' },
      blockIO: { weight: 0, weightDevice: [], throttleReadBpsDevice: [] },
      hugepageLimits: [],
      network: { classID: 0, priorities: [] },
      rdma: {},
      unified: {},
      pids: {},
    }
    const { memory, cpu, cpuset, pids, ...others } = limits(empty)
    for (const part of [memory, cpu, cpuset, pids])
      expect(Object.values(part ?? {}).filter(value => value !== undefined)).toEqual([])
    expect(others.unified ?? others.devices).toBeUndefined()
  })

  test('EV-146 EV-150 numbers below -1, a swappiness beyond 100, an idle that is neither', () => {
    expect(refusal(() => limits({ memory: { limit: -2 } })).field).toBe('linux.resources.memory.limit')
    expect(refusal(() => limits({ memory: { swap: -5 } })).field).toBe('linux.resources.memory.swap')
    expect(refusal(() => limits({ memory: { swappiness: 101 } })).field).toBe('linux.resources.memory.swappiness')
    expect(refusal(() => limits({ cpu: { idle: 2 } })).field).toBe('linux.resources.cpu.idle')
    expect(refusal(() => limits({ cpu: { quota: -2 } })).field).toBe('linux.resources.cpu.quota')
  })

  test('OC-14 limits of kernel memory are told of and dropped', () => {
    const { warnings, config } = converted(linuxWith({ resources: { memory: { kernel: 5, kernelTCP: -1 } } }))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/^linux\.resources\.memory\.kernel: changes nothing, .* since Linux 5\.16$/)
    expect(warnings[1]).toMatch(/^linux\.resources\.memory\.kernelTCP: changes nothing, .* of TCP's memory/)
    expect(validateShape(config)).toEqual([])
  })

  test('OC-14 limits of huge pages, of which 0 is one', () => {
    const hugepageLimits = [
      { pageSize: '2MB', limit: 0 },
      { pageSize: '1GB', limit: 2n ** 64n - 1n },
    ]
    expect(limits({ hugepageLimits }).hugetlb).toEqual({ '2MB': { max: 0 }, '1GB': { max: 'max' } })
  })

  test('EV-152 EV-153 disks, huge pages, packets and RDMA', () => {
    const device = { major: 8, minor: 0 }
    const read = limits({
      blockIO: {
        weight: 500,
        weightDevice: [{ ...device, weight: 100 }],
        throttleReadBpsDevice: [{ ...device, rate: 1000 }],
        throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
      },
      hugepageLimits: [{ pageSize: '2MB', limit: 4096 }],
      network: { classID: 0x100001, priorities: [{ name: 'lo', priority: 1 }] },
      rdma: { mlx5_0: { hcaHandles: 3 } },
    })
    expect(read).toMatchObject({
      io: { blkioWeight: 500, devices: [{ ...device, blkioWeight: 100, rbps: 1000, wiops: 'max' }] },
      hugetlb: { '2MB': { max: 4096 } },
      netCls: { classid: 0x100001 },
      netPrio: { ifpriomap: { lo: 1 } },
      rdma: { mlx5_0: { hcaHandle: 3 } },
    })
    expect(refusal(() => limits({ blockIO: { weightDevice: [device] } })).field).toBe(
      'linux.resources.blockIO.weightDevice[0]',
    )
    expect(refusal(() => limits({ blockIO: { throttleReadBpsDevice: [device] } })).field).toBe(
      'linux.resources.blockIO.throttleReadBpsDevice[0]',
    )
    expect(limits({ memory: { checkBeforeUpdate: true } })).toMatchObject({ checkBeforeUpdate: true })
    expect(limits({ memory: { checkBeforeUpdate: false } })).toMatchObject({ checkBeforeUpdate: false })
    expect(limits({})).not.toHaveProperty('checkBeforeUpdate')
  })

  test('EV-152 what is wrong with a disk is told at its place in the file', () => {
    const device = { major: 8, minor: 0 }
    const blockIO = (name: string, disk: object) =>
      refusal(() =>
        limits({
          blockIO: {
            [name]: [
              { ...device, weight: 10, rate: 1 },
              { ...device, ...disk },
            ],
          },
        }),
      )
    expect(blockIO('weightDevice', { weight: 5 })).toMatchObject({
      field: 'linux.resources.blockIO.weightDevice[1].weight',
      value: 5,
    })
    expect(blockIO('weightDevice', { weight: 10, leafWeight: 1001 }).field).toBe(
      'linux.resources.blockIO.weightDevice[1].leafWeight',
    )
    expect(blockIO('throttleWriteIOPSDevice', { rate: 2n ** 63n }).field).toBe(
      'linux.resources.blockIO.throttleWriteIOPSDevice[1].rate',
    )
    expect(blockIO('throttleReadBpsDevice', { rate: 1, minor: 2 ** 20 }).field).toBe(
      'linux.resources.blockIO.throttleReadBpsDevice[1].minor',
    )
    expect(limits({ blockIO: { weightDevice: [{ ...device, weight: 1000, leafWeight: 0 }] } }).io?.devices).toEqual([
      { ...device, blkioWeight: 1000 },
    ])
  })

  test.each([
    ["cgroups.rdma['mlx5_0'].hcaHandle", "linux.resources.rdma['mlx5_0'].hcaHandles"],
    ["cgroups.rdma['mlx5_0'].hcaObject", "linux.resources.rdma['mlx5_0'].hcaObjects"],
    ["cgroups.hugetlb['2MB'].max", 'linux.resources.hugepageLimits'],
    ["cgroups.netPrio.ifpriomap['lo']", 'linux.resources.network.priorities'],
    ['cgroups.io.devices[1].leafWeight', 'linux.resources.blockIO.weightDevice'],
  ])('EV-153 %s is told as %s', (ours, theirs) => {
    expect(inSpecWords(new ConfigInvalid(ours, 1, 'is odd'))).toMatchObject({
      field: theirs,
      message: `${theirs}: is odd (got 1)`,
    })
    const limit = new LimitUnsupported(ours.slice('cgroups.'.length), 'some', 'is not there')
    expect(inSpecWords(limit)).toMatchObject({ field: theirs })
  })
})
