import {
  decodeFileCapabilities,
  encodeFileCapabilities,
  type FileCapabilities,
  formatFileCapabilities,
  parseFileCapabilities,
  toMask,
} from '@libcontainer/capabilities'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const invalid = expect.objectContaining({ code: 'ConfigInvalid' })
const netRaw = toMask(['NET_RAW'])

test('CP-13 the bytes of each revision, as the kernel lays them out', () => {
  const both: FileCapabilities = { permitted: netRaw | (1n << 38n), inheritable: toMask(['CHOWN']), effective: true }
  const v2 = '01000002 00200000 01000000 40000000 00000000'
  expect(encodeFileCapabilities(both)).toEqual(bytes(v2))
  expect(decodeFileCapabilities(bytes(v2))).toEqual(both)
  const v3 = '01000003 00200000 01000000 40000000 00000000 e8030000'
  expect(encodeFileCapabilities({ ...both, rootId: 1000 })).toEqual(bytes(v3))
  expect(decodeFileCapabilities(bytes(v3))).toEqual({ ...both, rootId: 1000 })
  // Of Linux 2.6.24, which had 32 capabilities.
  const old = decodeFileCapabilities(bytes('00000001 00200000 01000000'))
  expect(old).toEqual({ permitted: netRaw, inheritable: 1n, effective: false })
  expect(encodeFileCapabilities({ ...both, rootId: 0 })).toEqual(bytes(v2))
})

test('CP-13 any capabilities survive their bytes, and no bytes but those are taken', () => {
  const mask = fc.bigInt(0n, (1n << 64n) - 1n)
  fc.assert(
    fc.property(mask, mask, fc.boolean(), fc.integer({ min: 1, max: 2 ** 32 - 2 }), (permitted, inheritable, e, id) => {
      for (const file of [
        { permitted, inheritable, effective: e },
        { permitted, inheritable, effective: e, rootId: id },
      ])
        expect(decodeFileCapabilities(encodeFileCapabilities(file))).toEqual(file)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 32 }), value => {
      try {
        const file = decodeFileCapabilities(value)
        if ((value[3] ?? 0) > 1 && file.rootId !== 0) expect(encodeFileCapabilities(file)).toEqual(value)
      } catch (error) {
        expect(error).toEqual(invalid)
      }
    }),
  )
})

test.each([
  ['empty', ''],
  ['less than a word', '0000'],
  ['of revision 0', '00000000 00200000 00000000 00000000 00000000'],
  ['of revision 4', '00000004 00200000 00000000 00000000 00000000'],
  ['with unknown flags', '02000002 00200000 00000000 00000000 00000000'],
  ['too short', '01000002 00200000 00000000 00000000'],
  ['too long', '01000002 00200000 00000000 00000000 00000000 00000000'],
  ['a revision 3 without an id', '01000003 00200000 00000000 00000000 00000000'],
])('CP-13 an attribute that is %s is refused', (_, text) => {
  expect(() => decodeFileCapabilities(bytes(text))).toThrow(invalid)
})

test.each([
  ['permitted', { permitted: -1n }],
  ['permitted', { permitted: 1n << 64n }],
  ['permitted', { permitted: 4096 }],
  ['inheritable', { inheritable: undefined }],
  ['effective', { effective: netRaw }],
  ['effective', { effective: undefined }],
  ['rootId', { rootId: -1 }],
  ['rootId', { rootId: 2 ** 32 - 1 }],
  ['rootId', { rootId: 1.5 }],
])('CP-13 a bad %s is refused by its field', (field, wrong) => {
  const file = { permitted: netRaw, inheritable: 0n, effective: true, ...wrong } as FileCapabilities
  expect(() => encodeFileCapabilities(file)).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: `file.${field}` }),
  )
})

test('CP-13 as text, and text that no file can have', () => {
  expect(parseFileCapabilities('cap_net_raw,cap_kill=ep')).toEqual({
    permitted: toMask(['NET_RAW', 'KILL']),
    inheritable: 0n,
    effective: true,
  })
  expect(parseFileCapabilities('cap_net_raw+p')).toEqual({ permitted: netRaw, inheritable: 0n, effective: false })
  for (const text of ['cap_net_raw=eip cap_kill+ep', 'cap_kill=i', '=', 'cap_chown=p'])
    expect(formatFileCapabilities(parseFileCapabilities(text))).toBe(text)
  expect(formatFileCapabilities({ ...parseFileCapabilities('cap_chown=ep'), rootId: 7 })).toBe(
    'cap_chown=ep [rootid=7]',
  )
  for (const text of ['cap_net_raw=ep cap_kill=p', 'cap_net_raw=e cap_kill=p', 'cap_nothing=ep', ''])
    expect(() => parseFileCapabilities(text), text).toThrow(invalid)
})
