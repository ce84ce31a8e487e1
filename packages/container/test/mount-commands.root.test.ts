import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { defaultMounts, type Mount } from '@libcontainer/mount'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench } from './support.js'

const needs = requires('root', 'rootfs')
const sh = (script: string, more: object = {}) => ({ path: '/bin/sh', args: ['sh', '-c', script], ...more })

test(
  'MT-28 commands run before and after their mount, in the mounts of the container, and of the host’s programs',
  needs,
  async () => {
    await using bench = await Bench.open('commands')
    using directory = temporaryDirectory('commands-')
    chmodSync(directory.path, 0o755)
    const count = (name: string) =>
      `grep -c "${directory.path}/at " /proc/self/mountinfo >${name}; cat >input; env >env`
    const mount: Mount = {
      destination: '/dev/made',
      type: 'tmpfs',
      premountCommands: [
        { path: '/bin/mkdir', args: ['mkdir', `${directory.path}/at`] },
        sh('mount -t tmpfs none at && echo seen >at/file', { dir: directory.path, env: ['PATH=/bin:/usr/bin'] }),
      ],
      postmountCommands: [sh(count('after'), { dir: directory.path, env: ['A=b', 'PATH=/bin:/usr/bin'] })],
    }
    // What a command has mounted the next mount can show: it is the container's alone.
    const shown: Mount = { destination: '/dev/shown', source: `${directory.path}/at`, options: ['bind'] }
    const seen = await bench.text('ls -d /dev/made; cat /dev/shown/file', { mounts: [...defaultMounts, mount, shown] })
    expect(seen).toBe('/dev/made\nseen')
    const read = (name: string): string => readFileSync(`${directory.path}/${name}`, 'utf8')
    expect([read('after').trim(), read('input')]).toEqual(['1', ''])
    expect(read('env').split('\n')).toContain('A=b')
    expect(existsSync(`${directory.path}/at/file`)).toBe(false)
  },
)

test('MT-28 one that fails ends the start: name and output are in the error, and nothing is left', needs, async () => {
  await using bench = await Bench.open('commands')
  const before = readFileSync('/proc/self/mountinfo', 'utf8')
  const failing = (postmountCommands: Mount['postmountCommands']) =>
    bench.text('true', { mounts: [...defaultMounts, { destination: '/dev/x', type: 'tmpfs', postmountCommands }] })
  await expect(failing([sh('echo out; echo err >&2; exit 3')])).rejects.toMatchObject({
    message: expect.stringMatching(
      /mounts\[7\]\.postmountCommands\[0\] failed: \/bin\/sh ended with exit code 3: out\nerr/,
    ),
  })
  await expect(failing([{ path: '/no/such' }])).rejects.toMatchObject({
    cause: { code: 'ENOENT', path: '/no/such', step: expect.stringContaining('mounts[7].postmountCommands[0]') },
  })
  await expect(failing([sh('true', { dir: '/no/such' })])).rejects.toMatchObject({
    cause: { code: 'ENOENT', path: '/no/such', syscall: 'chdir' },
  })
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
})
