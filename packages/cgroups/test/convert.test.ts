import {
  limitsFromClassic,
  linearWeightFromShares,
  parseList,
  sharesFromWeight,
  weightFromShares,
} from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import { expect, test } from 'vitest'

test('CG-52 shares become weights: both ends, the default, and the formula between', () => {
  expect([0, 1, 2, 1024, 262144, 999999].map(weightFromShares)).toEqual([0, 1, 1, 100, 10000, 10000])
  for (const shares of [3, 100, 512, 2000, 5000, 100_000, 262_143]) {
    const log = Math.log2(shares)
    const exact = 10 ** ((log * log + 125 * log) / 612 - 7 / 34)
    expect(weightFromShares(shares)).toBe(Math.ceil(exact))
  }
})

test('CG-52 the older linear form is there by its own name', () => {
  expect([0, 2, 1024, 262144].map(linearWeightFromShares)).toEqual([0, 1, 39, 10000])
})

test('CG-52 every weight comes back from its shares', () => {
  for (let weight = 1; weight <= 10000; weight++) expect(weightFromShares(sharesFromWeight(weight))).toBe(weight)
})

test('CG-33 CG-54 classic limits: 0 is not given, -1 is no limit', () => {
  expect(limitsFromClassic({ memory: 0, memory_swap: 0, cpu_shares: 0, cpu_quota: 0, pids_limit: null })).toMatchObject(
    {
      memory: { max: undefined, memswMax: undefined },
      cpu: { shares: undefined, quotaUs: undefined },
      pids: { max: undefined },
      devices: undefined,
    },
  )
  expect(limitsFromClassic({ memory: -1 }).memory).toMatchObject({ max: 'max', memswMax: 'max' })
  expect(limitsFromClassic({ memory: 10, memory_swap: -1 }).memory).toMatchObject({ max: 10, memswMax: 'max' })
  expect(limitsFromClassic({ cpu_quota: -1, cpu_period: 50_000, cpu_idle: 0 }).cpu).toMatchObject({
    quotaUs: 'max',
    periodUs: 50_000,
    idle: false,
  })
  expect(() => limitsFromClassic({ memory: -2 })).toThrow(ConfigInvalid)
})

test('CG-39 CG-58 a classic pids_limit of 0 is 1, and below it no limit', () => {
  expect([0, 0n, 5, -1].map(limit => limitsFromClassic({ pids_limit: limit }).pids?.max)).toEqual([1, 1, 5, 'max'])
})

test('EV-146 a classic number that is no whole one is refused by its name', () => {
  const disk = { major: 8, minor: 0, rate: 1.5 }
  for (const [field, value] of Object.entries({
    memory: 1.5,
    memory_swap: Number.NaN,
    cpu_quota: Number.POSITIVE_INFINITY,
    pids_limit: 2.5,
  })) {
    expect(() => limitsFromClassic({ [field]: value })).toThrow(
      expect.objectContaining({ name: 'ConfigInvalid', field, value }),
    )
  }
  expect(() => limitsFromClassic({ blkio_throttle_read_bps_device: [disk] })).toThrow(
    expect.objectContaining({ name: 'ConfigInvalid', field: 'blkio_throttle_read_bps_device', value: 1.5 }),
  )
})

test('CG-36 the classic device lists', () => {
  const device = { type: 'c', major: 1, minor: -1, permissions: 'rw' }
  const rule = { type: 'c', major: 1, minor: undefined, access: 'rw' }
  expect(limitsFromClassic({ allow_all_devices: false, allowed_devices: [{ ...device, type: 99 }] }).devices).toEqual([
    { allow: false, type: 'a' },
    { allow: true, ...rule },
  ])
  expect(limitsFromClassic({ allow_all_devices: true, denied_devices: [device] }).devices).toEqual([
    { allow: true, type: 'a' },
    { allow: false, ...rule },
  ])
  expect(limitsFromClassic({ devices: [{ ...device, allow: true }] }).devices).toEqual([{ allow: true, ...rule }])
})

test('lists of processors', () => {
  expect(parseList('0-2,7\n')).toEqual([0, 1, 2, 7])
  expect(parseList('\n')).toEqual([])
  expect(() => parseList('2-1')).toThrow('backwards')
})
