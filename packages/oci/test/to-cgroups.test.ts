import { validateShape } from '@libcontainer/container'
import { exampleSpec, limitsOf } from '@libcontainer/oci'
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

  test('EV-143 the driver systemd is refused by name until it is done', () => {
    const { field, hint } = refusal(() => converted(exampleSpec(), { cgroupDriver: 'systemd' }))
    expect(field).toBe('cgroupDriver')
    expect(hint).toContain('--cgroup-manager=cgroupfs')
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
    expect(limits({ hugepageLimits }).hugetlb).toEqual({ '2MB': 0, '1GB': 'max' })
  })

  test('EV-152 EV-153 limits that no package sets yet are refused by name, never ignored', () => {
    const device = { major: 8, minor: 0, rate: 1 }
    for (const [part, field] of [
      [{ blockIO: { weight: 10 } }, 'blockIO.weight'],
      [{ blockIO: { throttleReadBpsDevice: [device] } }, 'blockIO.throttleReadBpsDevice'],
      [{ network: { classID: 1 } }, 'network.classID'],
      [{ network: { priorities: [{ name: 'lo', priority: 1 }] } }, 'network.priorities'],
      [{ rdma: { mlx: { hcaHandles: 1 } } }, 'rdma'],
      [{ memory: { checkBeforeUpdate: true } }, 'memory.checkBeforeUpdate'],
    ] as const) {
      const { field: found, message } = refusal(() => limits(part))
      expect(found).toBe(`linux.resources.${field}`)
      expect(message).toContain('@libcontainer/cgroups')
    }
  })
})
