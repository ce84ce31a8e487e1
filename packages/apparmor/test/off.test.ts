import {
  applyProfile,
  features,
  getLabel,
  installDefaultProfile,
  isEnabled,
  isLoaded,
  listProfiles,
  loadProfile,
  probe,
  removeProfile,
  startConfined,
  status,
} from '@libcontainer/apparmor'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const needs = requires('nolsm:apparmor')

test('AA-01 AA-10 where AppArmor is off: what asks answers, what asks for nothing does nothing', needs, async () => {
  const { enabled, reason } = await status()
  expect([enabled, await isEnabled()]).toEqual([false, false])
  expect(reason).toMatch(/AppArmor|securityfs/)
  expect((await probe()).apparmor).toMatchObject({ available: false, reason })
  expect([await listProfiles(), await isLoaded('docker-default'), await getLabel()]).toEqual([[], false, undefined])
  expect([await installDefaultProfile(), await applyProfile('')]).toEqual([false, []])
  await removeProfile('docker-default')
  expect(features().labels).toContain('exec')
})

test('AA-02 AA-10 EV-114 a profile that is asked for is refused by its name, with the reason', needs, async () => {
  for (const asked of [
    () => applyProfile('docker-default'),
    () => loadProfile('profile docker-default { file, }'),
    () => startConfined(['true'], { profile: 'docker-default' }),
  ])
    await expect(asked()).rejects.toMatchObject({
      name: 'ConfigInvalid',
      field: 'profile',
      message: expect.stringMatching(/docker-default.*\)$/),
    })
  await expect(startConfined(['true'], { profile: '' })).rejects.toThrow(/^profile: must name a profile/)
  await expect(startConfined([], { profile: 'x' })).rejects.toThrow(/^argv/)
  await expect(startConfined(['true'], { profile: 'x', when: 'later' as never })).rejects.toThrow(/^when/)
})
