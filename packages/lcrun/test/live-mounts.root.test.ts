import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

const host = hosts.find(({ name }) => name === 'the executable')!

test('XT-04 MT-46 before Linux 5.12 a mount whose flags would come late is refused by name, and no other is', {
  ...host.needs,
  ...requires('root', 'rootfs', 'program:strace', `file:${host.command[0]}`),
}, () => {
  using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
  expect(bundle.detached(['run', '--detach', bundle.id])).toMatchObject({ status: 0 })
  const { pid } = bundle.state() as { pid: number }
  mkdirSync(bundle.file('shown'))
  const file = bundle.file('mounts.json')
  // As on such a kernel, for lcrun and the process that it sends into the container.
  const inject = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=mount_setattr',
    '-e',
    'inject=mount_setattr:error=ENOSYS',
  ]
  const add = (...mounts: object[]): { status: number | null; stderr: string } => {
    writeFileSync(file, JSON.stringify(mounts))
    return spawnSync('strace', [...inject, ...bundle.command(['mounts', 'add', bundle.id, file])], {
      cwd: bundle.path,
      encoding: 'utf8',
      timeout: 20_000,
    })
  }
  const mounted = (): string => readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  const bind = { destination: '/tmp/b', source: bundle.file('shown'), type: 'bind' }
  const tmpfs = { destination: '/tmp/t', type: 'tmpfs', options: ['ro', 'nosuid'] }
  expect(add(tmpfs, { ...bind, options: ['bind', 'ro'] })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/mount_setattr.*\/tmp\/b.*Linux 5\.12/s),
  })
  expect(mounted()).not.toMatch(/ \/tmp\/[bt] /)
  expect(add(tmpfs, { ...bind, options: ['bind'] })).toMatchObject({ status: 0, stderr: '' })
  expect(mounted()).toMatch(/ \/tmp\/t ro,nosuid/)
  expect(mounted()).toMatch(/ \/tmp\/b rw/)
})
