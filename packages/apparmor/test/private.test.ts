import { loadPrivateProfile, privateProfileName } from '@libcontainer/apparmor'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

test('BY-14 the name of a container’s own profile is made of its id, and of nothing else', () => {
  expect(privateProfileName('box-1')).toBe('libcontainer-box-1')
  for (const id of ['', 'a b', 'a\nb', 'a/b', '"', 7 as never])
    expect(() => privateProfileName(id)).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field: 'id' }))
})

test('BY-14 where AppArmor is off it is refused, with the reason', requires('nolsm:apparmor'), async () => {
  await expect(loadPrivateProfile('box')).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: expect.stringContaining('cannot be loaded'),
  })
})
