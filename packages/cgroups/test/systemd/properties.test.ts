import type { Limits } from '@libcontainer/cgroups'
import { describe, expect, test } from 'vitest'
import { deviceProperties } from '../../src/systemd/device-properties.js'
import { bitsOfList, limitProperties, type PropertyContext, roundQuota } from '../../src/systemd/limit-properties.js'
import { INFINITY, type UnitProperty } from '../../src/systemd/property.js'
import { unitOf } from '../../src/systemd/unit.js'
import { unitProperties } from '../../src/systemd/unit-properties.js'

/** As systemctl show prints them, with the types before. */
const shown = (properties: readonly UnitProperty[]): string[] =>
  properties.map(({ name, type, value }) => {
    const text = JSON.stringify(value, (_, each) =>
      typeof each === 'bigint'
        ? each === INFINITY
          ? 'infinity'
          : Number(each)
        : each instanceof Uint8Array
          ? [...each]
          : each,
    )
    return `${type} ${name}=${text.replaceAll('"', '')}`
  })

const v2 = { version: 2, systemd: 252, when: 'create' } as const
const v1 = { version: 1, systemd: 252, when: 'create' } as const
const of = (limits: Limits, context: PropertyContext = v2): string[] => shown(limitProperties(limits, context))

describe('CG-74 what every unit of ours is', () => {
  const context = { pids: [42], description: 'libcontainer container x', version: 2, systemd: 252 } as const

  test('a scope on v2', () => {
    expect(shown(unitProperties(unitOf('a.slice:p:x', 'system.slice'), context))).toEqual([
      's Description=libcontainer container x',
      's Slice=a.slice',
      'b Delegate=true',
      'au PIDs=[42]',
      'b DefaultDependencies=false',
      'b MemoryAccounting=true',
      'b CPUAccounting=true',
      'b TasksAccounting=true',
      'b IOAccounting=true',
      's CollectMode=inactive-or-failed',
    ])
  })

  test('a slice, which systemd places by its name, and v1', () => {
    const properties = unitProperties(unitOf('::a-b.slice', 'system.slice'), { ...context, pids: [], version: 1 })
    expect(shown(properties)).toEqual([
      's Description=libcontainer container x',
      'as Wants=[a.slice]',
      'b DefaultDependencies=false',
      'b MemoryAccounting=true',
      'b CPUAccounting=true',
      'b TasksAccounting=true',
      'b BlockIOAccounting=true',
    ])
  })

  test('a systemd that cannot throw failed units away is not asked to', () => {
    const old = unitProperties(unitOf(':p:x', 'system.slice'), { ...context, systemd: 235 })
    expect(old.map(({ name }) => name)).not.toContain('CollectMode')
  })
})

const all: Limits = {
  memory: { max: 67_108_864, low: 1024, swapMax: 'max' },
  cpu: { shares: 512, quotaUs: 33_333, periodUs: 100_000 },
  cpuset: { cpus: '0-1,9', mems: '0' },
  pids: { max: 10 },
}

test('CG-75 limits on v1', () => {
  const { memory: _, ...rest } = all
  expect(of({ ...rest, memory: { max: 67_108_864, low: 1024 }, io: { blkioWeight: 300 } }, v1)).toEqual([
    't MemoryLimit=67108864',
    't CPUShares=512',
    't CPUQuotaPerSecUSec=340000',
    't CPUQuotaPeriodUSec=100000',
    't BlockIOWeight=300',
    't TasksMax=10',
    'ay AllowedCPUs=[3,2]',
    'ay AllowedMemoryNodes=[1]',
  ])
  expect(of({ memory: { max: 'max' }, cpu: { weight: 100, quotaUs: 'max' }, pids: { max: 'max' } }, v1)).toEqual([
    't MemoryLimit=infinity',
    't CPUShares=1024',
    't CPUQuotaPerSecUSec=infinity',
    't TasksMax=infinity',
  ])
})

describe('CG-76 limits on v2', () => {
  test('of each controller', () => {
    expect(of(all)).toEqual([
      't MemoryLow=1024',
      't MemoryMax=67108864',
      't MemorySwapMax=infinity',
      't CPUWeight=59',
      't CPUQuotaPerSecUSec=340000',
      't CPUQuotaPeriodUSec=100000',
      't TasksMax=10',
      'ay AllowedCPUs=[3,2]',
      'ay AllowedMemoryNodes=[1]',
    ])
    expect(of({ memory: { min: 1, high: 2n, max: 4096, memswMax: 8192 }, io: { weight: 50 } })).toEqual([
      't MemoryMin=1',
      't MemoryHigh=2',
      't MemoryMax=4096',
      't MemorySwapMax=4096',
      't IOWeight=50',
    ])
    expect(of({ io: { blkioWeight: 1000 } })).toEqual(['t IOWeight=10000'])
  })

  test('nothing asked for is nothing told', () => {
    expect(of({})).toEqual([])
    expect(of({ memory: {}, cpu: {}, cpuset: {}, pids: {} }, v1)).toEqual([])
  })

  test('idle wins over a weight, where systemd knows it', () => {
    expect(of({ cpu: { weight: 200, idle: true } })).toEqual(['t CPUWeight=0'])
    expect(of({ cpu: { weight: 200, idle: true } }, { ...v2, systemd: 251 })).toEqual(['t CPUWeight=200'])
    expect(of({ cpu: { weight: 200, idle: false } })).toEqual(['t CPUWeight=200'])
  })

  test('raw files that systemd knows, which win over the fields', () => {
    const unified = {
      'cpu.max': '50000 100000',
      'cpu.weight': '7',
      'cpuset.cpus': '1',
      'cpuset.mems': '0',
      'memory.min': '1',
      'memory.low': '2',
      'memory.high': '3',
      'memory.max': 'max',
      'memory.swap.max': '0',
      'pids.max': '5',
      'memory.oom.group': '1',
      'hugetlb.2MB.max': '0',
      'io.max': '8:0 rbps=1',
    }
    expect(of({ pids: { max: 1 }, unified })).toEqual([
      't TasksMax=5',
      't CPUQuotaPerSecUSec=500000',
      't CPUQuotaPeriodUSec=100000',
      't CPUWeight=7',
      'ay AllowedCPUs=[2]',
      'ay AllowedMemoryNodes=[1]',
      't MemoryMin=1',
      't MemoryLow=2',
      't MemoryHigh=3',
      't MemoryMax=infinity',
      't MemorySwapMax=0',
    ])
    expect(of({ unified: { 'cpu.idle': '1' } })).toEqual(['t CPUWeight=0'])
    expect(of({ unified: new Map([['cpu.max', 'max']]) })).toEqual(['t CPUQuotaPerSecUSec=infinity'])
    // What is no value of theirs the kernel will refuse.
    expect(of({ unified: { 'cpu.max': 'x', 'memory.max': '1G' } })).toEqual([])
  })

  test('what an OOM kill takes is said to a new unit alone, from systemd 253', () => {
    const limits: Limits = { memory: { oomGroup: true }, unified: { 'pids.max': 'max' } }
    expect(of(limits, { ...v2, systemd: 253 })).toEqual(['s OOMPolicy=kill', 't TasksMax=infinity'])
    expect(of(limits, { ...v2, systemd: 253, when: 'set' })).toEqual(['t TasksMax=infinity'])
    expect(of(limits)).toEqual(['t TasksMax=infinity'])
    expect(of({ unified: { 'memory.oom.group': '0' } }, { ...v2, systemd: 253 })).toEqual(['s OOMPolicy=continue'])
  })

  test.each([
    [243, ['TasksMax', 'CPUQuotaPeriodUSec', 'CPUQuotaPerSecUSec', 'MemoryMin']],
    [241, ['TasksMax', 'CPUQuotaPerSecUSec', 'MemoryMin']],
    [239, ['TasksMax', 'CPUQuotaPerSecUSec']],
  ])('systemd %i is not told what it does not know', (systemd, names) => {
    const limits: Limits = { ...all, memory: { min: 1 }, cpu: { quotaUs: 1000, periodUs: 2000 } }
    const told = limitProperties(limits, { ...v2, systemd }).map(({ name }) => name)
    expect(told.sort()).toEqual(names.sort())
  })
})

describe('CG-77 quotas', () => {
  test.each([
    [50_000, 100_000, 500_000, 50_000],
    [33_333, 100_000, 340_000, 34_000],
    [1, 100_000, 10_000, 1000],
    [150_001, 100_000, 1_510_000, 151_000],
    [1000, 1_000_000, 10_000, 10_000],
    [2000, undefined, 20_000, 2000],
  ])('%i of each %s us', (quotaUs, periodUs, perSecond, rounded) => {
    const limits: Limits = { cpu: { quotaUs, periodUs, weight: 3 } }
    expect(of(limits)).toContain(`t CPUQuotaPerSecUSec=${perSecond}`)
    expect(roundQuota(limits)).toEqual({ cpu: { quotaUs: rounded, periodUs, weight: 3 } })
    // What was rounded stays as it is.
    expect(roundQuota(roundQuota(limits))).toEqual(roundQuota(limits))
  })

  test('none is infinity, and stays none in the file', () => {
    expect(of({ cpu: { quotaUs: 'max' } })).toEqual(['t CPUQuotaPerSecUSec=infinity'])
    expect(roundQuota({ cpu: { quotaUs: 'max' }, pids: { max: 1 } })).toEqual({
      cpu: { quotaUs: 'max' },
      pids: { max: 1 },
    })
    expect(roundQuota({ cpu: { quotaUs: 33_333n } })).toEqual({ cpu: { quotaUs: 34_000n } })
    expect(roundQuota({})).toEqual({})
  })
})

describe('CG-78 devices', () => {
  const base = [{ allow: false, type: 'a' }] as const
  const tell = (...args: Parameters<typeof deviceProperties>): string[] => shown(deviceProperties(...args))

  test('a list of what is allowed', () => {
    expect(
      tell(
        [
          ...base,
          { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
          { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
          { allow: true, type: 'c', major: 136, access: 'rw' },
          { allow: true, type: 'c', access: 'm' },
          { allow: true, type: 'b', access: 'm' },
        ],
        252,
      ),
    ).toEqual([
      's DevicePolicy=strict',
      'a(ss) DeviceAllow=[]',
      'a(ss) DeviceAllow=[[/dev/char/1:3,rwm],[/dev/block/8:0,r],[char-136,rw],[char-*,m],[block-*,m]]',
    ])
  })

  test('rules are those that hold in the end', () => {
    const rules = [
      { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
      { allow: false, type: 'c', major: 5, minor: 0, access: 'w' },
    ] as const
    expect(tell([...base, ...rules], 252).at(-1)).toBe('a(ss) DeviceAllow=[[/dev/char/5:0,rm]]')
  })

  test('all devices', () => {
    expect(tell([{ allow: true, type: 'a' }], 252)).toEqual(['s DevicePolicy=auto', 'a(ss) DeviceAllow=[]'])
  })

  test('what systemd has no words for it allows less of, never more', () => {
    expect(
      tell(
        [
          { allow: true, type: 'a' },
          { allow: false, type: 'c', major: 1, minor: 3, access: 'r' },
        ],
        252,
      ),
    ).toEqual(['s DevicePolicy=strict', 'a(ss) DeviceAllow=[]'])
    expect(tell([...base, { allow: true, type: 'c', minor: 3, access: 'r' }], 252)).toEqual([
      's DevicePolicy=strict',
      'a(ss) DeviceAllow=[]',
    ])
  })

  test('before systemd 240 drivers go by their names', () => {
    const drivers = 'Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n253 device-mapper\n'
    const rules = [
      { allow: true, type: 'c', major: 136, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
      { allow: true, type: 'c', major: 8, access: 'r' },
    ] as const
    expect(tell([...base, ...rules], 239, drivers).at(-1)).toBe('a(ss) DeviceAllow=[[char-pts,rw],[block-sd,r]]')
  })
})

test('CG-81 lists of processors as bits', () => {
  const bits = (list: string): number[] => [...bitsOfList(list)]
  expect(bits('0')).toEqual([1])
  expect(bits('0-7')).toEqual([255])
  expect(bits('8')).toEqual([0, 1])
  expect(bits('0,2-3,17')).toEqual([13, 0, 2])
  expect(bits('')).toEqual([])
  expect(() => bitsOfList('3-1')).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})
