import { readFileSync } from 'node:fs'
import {
  CAPABILITIES,
  capabilityName,
  capabilityNumber,
  fromMask,
  getAllCapabilities,
  getCapability,
  known,
  lastCap,
  supported,
  toMask,
} from '@libcontainer/capabilities'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

test('CP-01 the names are those of the kernel header, number by number', requires('header:linux/capability.h'), () => {
  const header = readFileSync('/usr/include/linux/capability.h', 'utf8')
  const defined = [...header.matchAll(/^#define (CAP_[A-Z_]+)\s+([0-9]+)$/gm)].map(([, name, number]) => [number, name])
  expect(defined.length).toBeGreaterThanOrEqual(41)
  expect(Object.entries(CAPABILITIES)).toEqual(defined)
})

test('CP-02 names with and without CAP_ in any case; modern and classic on output', () => {
  for (const name of ['CAP_SYS_ADMIN', 'cap_sys_admin', 'SYS_ADMIN', 'sys_admin', 'Cap_Sys_Admin']) {
    expect(capabilityNumber(name)).toBe(21)
  }
  expect(capabilityName(21)).toBe('CAP_SYS_ADMIN')
  expect(capabilityName(21, 'classic')).toBe('SYS_ADMIN')
})

test('CP-02 every number survives its name', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 63 }),
      fc.constantFrom('modern', 'classic'),
      fc.boolean(),
      (n, style, low) => {
        const name = capabilityName(n, style)
        expect(capabilityNumber(low ? name.toLowerCase() : name)).toBe(n)
      },
    ),
  )
})

test.each([
  '',
  'CAP_',
  'CAP_NOTHING',
  'CAP_CAP_KILL',
  'CAP_KILL ',
  'KILL\n',
  'kıll',
  'CAP_ſETUID',
  'CAP_40',
  'CAP_64',
  'CAP_041',
])('EV-113 %j is an unknown capability', name => {
  expect(() => capabilityNumber(name, 'cap')).toThrow(/cap: unknown capability/)
})

test('EV-113 what is not a string, or no number of a capability', () => {
  expect(() => capabilityNumber(21 as never)).toThrow(/unknown capability/)
  expect(() => capabilityName(64)).toThrow(/from 0 to 63/)
  expect(() => capabilityName(-1)).toThrow(/from 0 to 63/)
  expect(() => capabilityName(1.5)).toThrow(/from 0 to 63/)
})

test('CP-04 known, and supported up to cap_last_cap', async () => {
  expect(known()).toHaveLength(41)
  expect(known()[40]).toBe('CAP_CHECKPOINT_RESTORE')
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))
  expect(await lastCap()).toBe(last)
  const names = await supported()
  expect(names).toHaveLength(last + 1)
  expect(names.slice(0, 41)).toEqual(known().slice(0, last + 1))
})

test('CP-05 the lookups of 2014', () => {
  expect(getCapability('MKNOD')).toEqual({ key: 'MKNOD', value: 27 })
  expect(getCapability('cap_mknod')).toEqual({ key: 'MKNOD', value: 27 })
  expect(getCapability('NOTHING')).toBeUndefined()
  expect(getAllCapabilities()).toHaveLength(41)
  expect(getAllCapabilities()[8]).toEqual({ key: 'SETPCAP', value: 8 })
})

test('CP-06 names and masks are each other', () => {
  expect(toMask([])).toBe(0n)
  expect(toMask(['CHOWN', 'CAP_CHECKPOINT_RESTORE'])).toBe((1n << 40n) | 1n)
  expect(() => toMask(['CHOWN', 'NOPE'], 'keep')).toThrow(expect.objectContaining({ field: 'keep[1]', value: 'NOPE' }))
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), mask => {
      expect(toMask(fromMask(mask))).toBe(mask)
    }),
  )
})
