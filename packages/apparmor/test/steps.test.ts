import { changeProfileStep, checkProfileName, profileOnExecStep } from '@libcontainer/apparmor'
import { expect, test } from 'vitest'

test('AA-02 AA-09 what is written, and by which file: another where the kernel is older', () => {
  const written = (step: ReturnType<typeof profileOnExecStep>): unknown => {
    const other = step.onError?.ENOENT
    return [step.args.slice(1), typeof other === 'object' ? other.args.slice(1) : other]
  }
  expect(written(profileOnExecStep('docker-default'))).toEqual([
    ['apparmor/exec', 'exec docker-default'],
    ['exec', 'exec docker-default'],
  ])
  expect(written(profileOnExecStep('&:ns:inner'))).toEqual([
    ['apparmor/exec', 'stack :ns:inner'],
    ['exec', 'stack :ns:inner'],
  ])
  expect(written(changeProfileStep('own'))).toEqual([
    ['apparmor/current', 'changeprofile own'],
    ['current', 'changeprofile own'],
  ])
  expect(profileOnExecStep('own').hints?.ENOENT).toContain('apparmor_parser')
})

test('EV-114 a name that can be none is refused by its field', () => {
  for (const name of ['', '&', 'a\nb', 'a\0', `${'a'.repeat(5000)}`, 7, null, undefined])
    expect(() => checkProfileName(name, 'apparmorProfile'), String(name)).toThrow(/^apparmorProfile: /)
  for (const name of ['unconfined', ':ns:p', 'a b', '/usr/bin/man', '&own']) expect(checkProfileName(name)).toBe(name)
})
