import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deviceFromPath, hostDevices, NotADevice } from '@libcontainer/devices'
import { expect, test } from 'vitest'

test('DV-05 a device of the host', async () => {
  expect(await deviceFromPath('/dev/null', 'mr')).toEqual({
    path: '/dev/null',
    type: 'c',
    major: 1,
    minor: 3,
    mode: 0o20666,
    uid: 0,
    gid: 0,
    access: 'rm',
  })
})

test('DV-05 a link, a file and a directory are no devices', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'devices-'))
  try {
    symlinkSync('/dev/null', join(directory, 'link'))
    writeFileSync(join(directory, 'file'), '')
    execFileSync('mkfifo', [join(directory, 'fifo')])
    await expect(deviceFromPath(join(directory, 'link'))).rejects.toThrow(NotADevice)
    await expect(deviceFromPath(join(directory, 'file'))).rejects.toMatchObject({ code: 'NotADevice' })
    await expect(deviceFromPath(directory)).rejects.toThrow(/is not a device node but a directory/)
    expect(await deviceFromPath(join(directory, 'fifo'))).toMatchObject({ type: 'p', major: 0, minor: 0 })
    await expect(deviceFromPath(join(directory, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(deviceFromPath('/dev/null', 'x')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'access' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('DV-06 the devices of the host are those that find(1) finds', async () => {
  const skipped = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].flatMap(name => ['-o', '-name', name])
  const found = execFileSync('find', [
    ...['/dev', '(', '-type', 'd', '(', '-false', ...skipped, ')', '-prune', ')', '-o'],
    ...['(', '-type', 'c', '-o', '-type', 'b', ')', '!', '-name', 'console', '-printf', '%y %p %m\n'],
  ])
  const devices = await hostDevices()
  const lines = devices.map(({ type, path, mode }) => `${type} ${path} ${(mode & 0o7777).toString(8)}`)
  expect(lines.sort()).toEqual(String(found).trim().split('\n').sort())
  expect(devices.find(({ path }) => path === '/dev/zero')).toMatchObject({ type: 'c', major: 1, minor: 5 })
})

test('DV-06 an error of the walk is told', async () => {
  await expect(hostDevices({ root: '/nonexistent' })).rejects.toMatchObject({ code: 'ENOENT' })
})
