import {
  type CapabilityMasks,
  diffCapabilities,
  formatSecureBits,
  formatText,
  hasCap,
  parseSecureBits,
  parseStatus,
  parseText,
  SECURE_BITS,
  toMask,
} from '@libcontainer/capabilities'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const ALL = (1n << 41n) - 1n
const none = { effective: 0n, inheritable: 0n, permitted: 0n }

test.each([
  ['cap_chown,cap_kill=ep', { effective: 0x21n, inheritable: 0n, permitted: 0x21n }],
  ['=', none],
  ['all=', none],
  ['=ep cap_sys_admin-ep', { effective: ALL & ~(1n << 21n), inheritable: 0n, permitted: ALL & ~(1n << 21n) }],
  ['ALL=p CHOWN+e', { effective: 1n, inheritable: 0n, permitted: ALL }],
  ['cap_chown=eip-i', { effective: 1n, inheritable: 0n, permitted: 1n }],
  ['cap_chown=e+p\n\tcap_chown=i', { effective: 0n, inheritable: 1n, permitted: 0n }],
  ['cap_41+p', { effective: 0n, inheritable: 0n, permitted: 1n << 41n }],
])('CP-12 the text %j', (text, masks) => {
  expect(parseText(text)).toEqual(masks)
})

test.each([
  '',
  ' ',
  'cap_chown',
  'cap_chown+',
  'cap_chown-',
  '+ep',
  '-e',
  'cap_nope=e',
  ',=e',
  'cap_chown=x',
  'cap_chown,=e',
  'ep=cap_chown',
])('CP-12 the text %j is refused', text => {
  expect(() => parseText(text)).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field: 'text' }))
})

test.each([
  ['cap_chown,cap_kill=ep', { effective: 0x21n, inheritable: 0n, permitted: 0x21n }],
  ['=', none],
  ['=ep', { effective: ALL, inheritable: 0n, permitted: ALL }],
  ['=ep cap_sys_resource-ep', { effective: ALL & ~(1n << 24n), inheritable: 0n, permitted: ALL & ~(1n << 24n) }],
  ['=p cap_chown+e', { effective: 1n, inheritable: 0n, permitted: ALL }],
])('CP-12 masks as the text %j', (text, masks) => {
  expect(formatText(masks)).toBe(text)
})

test('CP-12 any masks survive their text', () => {
  const mask = fc.oneof(fc.bigInt(0n, ALL), fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(0n, ALL, 1n))
  fc.assert(
    fc.property(mask, mask, mask, (effective, inheritable, permitted) => {
      const masks = { effective, inheritable, permitted }
      expect(parseText(formatText(masks))).toEqual(masks)
    }),
  )
})

const status = (cap: string): string =>
  `Name:\tCapEff:\nUid:\t0\t0\t0\t0\nCapInh:\t0000000000000000\nCapPrm:\t${cap}\nCapEff:\t000001fffeffffff\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000001\n`

test('CP-12 the masks of a status file', () => {
  const masks = parseStatus(status('8000000000000020'))
  expect(masks).toEqual({
    inheritable: 0n,
    permitted: (1n << 63n) | 0x20n,
    effective: 0x1fffeffffffn,
    bounding: ALL,
    ambient: 1n,
  })
  expect(() => parseStatus(status('xyz'))).toThrow(/CapPrm/)
  expect(() => parseStatus('')).toThrow(/CapBnd/)
})

test('CP-12 hasCap and diff', () => {
  const before: CapabilityMasks = { bounding: ALL, ambient: 0n, ...none, permitted: toMask(['KILL', 'CHOWN']) }
  const after: CapabilityMasks = { ...before, bounding: ALL & ~1n, permitted: toMask(['KILL', 'MKNOD']) }
  expect(hasCap(before, 'kill')).toBe(false)
  expect(hasCap(before, 'kill', 'permitted')).toBe(true)
  expect(() => hasCap(before, 'nope')).toThrow(/unknown capability/)
  expect(diffCapabilities(before, after)).toEqual({
    bounding: { added: [], removed: ['CAP_CHOWN'] },
    effective: { added: [], removed: [] },
    inheritable: { added: [], removed: [] },
    permitted: { added: ['CAP_MKNOD'], removed: ['CAP_CHOWN'] },
    ambient: { added: [], removed: [] },
  })
})

test('CP-14 secure bits by name', () => {
  expect(parseSecureBits(['NOROOT', 'secbit_noroot_locked', 'KEEP_CAPS'])).toBe(0b10011)
  expect(formatSecureBits(0b10011)).toEqual(['NOROOT', 'NOROOT_LOCKED', 'KEEP_CAPS'])
  expect(parseSecureBits(SECURE_BITS)).toBe(0xfff)
  expect(parseSecureBits([])).toBe(0)
  for (const name of ['', 'ROOT', 'SECBIT_', 5]) {
    expect(() => parseSecureBits(['NOROOT', name as string])).toThrow(
      expect.objectContaining({ field: 'secureBits[1]' }),
    )
  }
})
