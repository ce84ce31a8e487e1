import {
  checkKeyringName,
  joinSessionKeyring,
  KEY_HOLDERS,
  KEY_RIGHTS,
  type KeyPermissions,
  keyPermissions,
  parseKeyDescription,
  parseKeyPermissions,
} from '@libcontainer/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })

test('KY-03 permissions by name are those of the kernel’s numbers', () => {
  expect(keyPermissions({})).toBe(0)
  expect(keyPermissions({ possessor: KEY_RIGHTS, user: ['view', 'read', 'link'] })).toBe(0x3f130000)
  expect(keyPermissions({ group: ['search'], other: ['search', 'setattr'] })).toBe(0x0828)
  expect(parseKeyPermissions(0x3f1b0000)).toEqual({
    possessor: [...KEY_RIGHTS],
    user: ['view', 'read', 'search', 'link'],
    group: [],
    other: [],
  })
  const permissions = fc.record(
    Object.fromEntries(KEY_HOLDERS.map(holder => [holder, fc.subarray([...KEY_RIGHTS])])),
  ) as fc.Arbitrary<KeyPermissions>
  fc.assert(
    fc.property(permissions, each => {
      expect(parseKeyPermissions(keyPermissions(each))).toEqual(each)
    }),
  )
})

test('KY-03 what is no permission is refused by its field', () => {
  const mixed = (permissions: object) => () => keyPermissions(permissions)
  expect(mixed({ everybody: ['view'] })).toThrow(refused('permissions'))
  expect(mixed({ other: 'view' })).toThrow(refused('permissions.other'))
  expect(mixed({ other: ['view', 'execute'] })).toThrow(refused('permissions.other[1]'))
  for (const mask of [-1, 0.5, 2 ** 32, 0x40000000, 0x80, Number.NaN])
    expect(() => parseKeyPermissions(mask), String(mask)).toThrow(refused('permissions'))
})

test('KY-05 a description is read as the kernel writes it, whatever is in its last part', () => {
  expect(parseKeyDescription('keyring;1000;-2;3f130000;_ses;x\n')).toEqual({
    type: 'keyring',
    uid: 1000,
    gid: 4294967294,
    permissions: 0x3f130000,
    description: '_ses;x\n',
  })
  for (const text of ['', 'user;0;0;x;name', 'user;0;0', 'user;;0;3f010000;name'])
    expect(() => parseKeyDescription(text), text).toThrow(expect.objectContaining({ code: 'ERR_KEY_DESCRIPTION' }))
})

test('KY-01 KY-02 the step that joins: what it permits, and what is no name', () => {
  expect(joinSessionKeyring('_ses.x')).toMatchObject({
    op: 'joinSessionKeyring',
    args: ['_ses.x', 0x080000],
    about: 'make the session keyring _ses.x',
    onError: { ENOSYS: 'skip' },
  })
  expect(joinSessionKeyring('_ses.x', { permit: { other: ['search'] } }).args).toEqual(['_ses.x', 0x08])
  expect(joinSessionKeyring('_ses.x', { existing: true })).toMatchObject({ args: ['_ses.x', -1] })
  expect(joinSessionKeyring('_ses.x', { permit: {} }).args).toEqual(['_ses.x', 0])
  for (const name of ['', '.own', 'a\0b', 'x'.repeat(4096), 'é'.repeat(2048)]) {
    expect(() => joinSessionKeyring(name), name).toThrow(refused('name'))
    expect(() => checkKeyringName(name, 'sessionKeyring'), name).toThrow(refused('sessionKeyring'))
  }
  expect(checkKeyringName('x'.repeat(4095))).toHaveLength(4095)
})
