import { checkMount, mountSteps } from '@libcontainer/mount'
import { expect, test } from 'vitest'
import { flagNames, mountDetail } from '../src/flag-names.js'

test('ER-14 flags by their names, and bits that have none in hexadecimal', () => {
  expect(flagNames(0)).toBe('0')
  expect(flagNames(1 | 4096)).toBe('MS_RDONLY|MS_BIND')
  expect(flagNames(2 | 4 | 8)).toBe('MS_NOSUID|MS_NODEV|MS_NOEXEC')
  expect(flagNames(16384 | 4096)).toBe('MS_BIND|MS_REC')
  expect(flagNames(1 | (1 << 9))).toBe('MS_RDONLY|0x200')
  expect(flagNames(1 << 31)).toBe('0x80000000')
})

test('ER-14 what an error tells of a mount: source and its kind, flags and data', () => {
  const detail = (mount: object): string => mountDetail(checkMount(mount as never, 'mount'))
  const tmpfs = {
    destination: '/tmp',
    type: 'tmpfs',
    source: 'scratch',
    options: ['nosuid', 'ro', 'size=1m', 'mode=700'],
  }
  expect(detail(tmpfs)).toBe("source name 'scratch', flags MS_RDONLY|MS_NOSUID, data 'size=1m,mode=700'")
  expect(detail({ destination: '/x', source: '/srv', options: ['rbind', 'ro'] })).toBe(
    "source path '/srv', flags MS_RDONLY|MS_BIND|MS_REC",
  )
  expect(detail({ destination: '/proc', type: 'proc' })).toBe("source name 'proc', flags 0")
})

test('ER-14 it goes with every step that mounts', () => {
  const mounts = [
    { destination: '/tmp', type: 'tmpfs' },
    { destination: '/x', source: '/srv', options: ['bind'] },
    { destination: '/tmp', options: ['remount', 'ro'] },
  ]
  const steps = mountSteps(mounts)
  expect(steps.filter(({ detail }) => detail !== undefined).length).toBeGreaterThanOrEqual(3)
})
