import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { bindDescriptor, defaultMounts } from '@libcontainer/mount'
import { memoryFile, O_PATH, openDirectory, openFile } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory, together } from '../../../test/support/index.js'
import { Bench, hostIds, inside } from './support.js'

const needs = requires('root', 'rootfs')

/** Where mount points are made. */
const own = { rootOverlay: { temporary: true } } as const

/** A file and a directory that every user may reach. */
function files(): TemporaryDirectory {
  const place = temporaryDirectory('bind-descriptor-')
  mkdirSync(`${place.path}/directory`)
  writeFileSync(`${place.path}/directory/file`, 'in the directory')
  writeFileSync(`${place.path}/file`, 'the file')
  return place
}

test('BY-03 what a descriptor is, is bound: a file, a directory, read-only or not', needs, async () => {
  await using bench = await Bench.open('bind-descriptor')
  using place = files()
  using file = await openFile(`${place.path}/file`, O_PATH)
  using directory = await openDirectory(`${place.path}/directory`)
  const mounts = [
    await bindDescriptor(file, { destination: '/mine', options: ['ro'] }),
    await bindDescriptor(directory.fd, { destination: '/all' }),
  ]
  expect(mounts[0]).toMatchObject({ source: `${place.path}/file`, inode: expect.stringMatching(/^\d+:\d+:\d+$/) })
  const script = 'cat /mine /all/file; echo more >/all/new; (echo x >/mine) 2>/dev/null || echo refused'
  const expected = 'the filein the directoryrefused'
  expect(await bench.text(script, { ...own, mounts })).toBe(expected)
  // And in a container that runs.
  const { container } = await bench.running(own)
  await container.addMounts(mounts)
  expect(await inside(container, script)).toBe(expected)
})

test(
  'BY-03 in a user namespace, whose root could not find the path',
  together(needs, requires('namespace:user')),
  async () => {
    await using bench = await Bench.open('bind-descriptor')
    using place = files()
    using file = await openFile(`${place.path}/file`, O_PATH)
    const config = {
      namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
      uidMappings: hostIds,
      gidMappings: hostIds,
    } as const
    const memory = { destination: '/run', type: 'tmpfs', source: 'tmpfs' }
    const mounts = [...defaultMounts, memory, await bindDescriptor(file, { destination: '/run/mine' })]
    expect(await bench.text('cat /run/mine', { ...config, mounts })).toBe('the file')
  },
)

test('BY-03 whoever puts another file in its place gets nothing mounted, and nothing is left', needs, async () => {
  await using bench = await Bench.open('bind-descriptor')
  using place = files()
  using file = await openFile(`${place.path}/file`, O_PATH)
  const mounts = [await bindDescriptor(file, { destination: '/mine' })]
  const refused = {
    code: 'SystemError',
    message: expect.stringContaining('not what was meant'),
    cause: expect.objectContaining({ code: 'UnexpectedInode' }),
  }
  const starts = async (): Promise<void> => {
    const container = await bench.create({ ...own, mounts })
    try {
      await container.run({ args: ['/bin/true'] })
    } finally {
      await container.destroy({ force: true })
    }
  }
  renameSync(`${place.path}/file`, `${place.path}/moved`)
  writeFileSync(`${place.path}/file`, 'another')
  await expect(starts()).rejects.toMatchObject(refused)
  unlinkSync(`${place.path}/file`)
  symlinkSync('/etc/shadow', `${place.path}/file`)
  await expect(starts()).rejects.toMatchObject(refused)
  const { container } = await bench.running(own)
  await expect(container.addMounts(mounts)).rejects.toMatchObject(refused)
  expect(await inside(container, 'ls /mine 2>/dev/null || echo none')).toBe('none')
  unlinkSync(`${place.path}/file`)
  renameSync(`${place.path}/moved`, `${place.path}/file`)
  await starts()
})

test('BY-03 what has no path cannot be bound, and what is no inode is refused', needs, async () => {
  await using bench = await Bench.open('bind-descriptor')
  using place = files()
  using memory = memoryFile('x', new Uint8Array(1))
  using gone = await openFile(`${place.path}/file`, O_PATH)
  unlinkSync(`${place.path}/file`)
  for (const file of [memory, gone])
    await expect(bindDescriptor(file, { destination: '/x' })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'file',
    })
  for (const mount of [
    { destination: '/x', source: '/srv', options: ['bind'], inode: '7' },
    { destination: '/x', type: 'tmpfs', inode: '8:1:7' },
  ])
    await expect(bench.create({ mounts: [mount] })).rejects.toMatchObject({ field: 'mounts[0].inode' })
})
