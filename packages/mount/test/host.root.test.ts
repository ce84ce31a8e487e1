import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  atOrBelow,
  bindMount,
  createMount,
  mount,
  mounted,
  mountSetattr,
  moveMount,
  openTree,
  readMountInfo,
  seenAt,
  unmount,
} from '@libcontainer/mount'
import { binding } from '@libcontainer/sys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { AT_FDCWD } from '../src/flags.js'

let place: TemporaryDirectory
let namespace: string

beforeEach(() => {
  place = temporaryDirectory('mount-host-')
  namespace = readlinkSync('/proc/self/ns/mnt')
})
afterEach(async () => {
  try {
    const left = await readMountInfo('self', atOrBelow(place.path))
    for (const { mountPoint } of left.reverse()) {
      // Where the host shares its mounts, one that is gone takes its copies along.
      await unmount(mountPoint, { detach: true }).catch(error => expect(error).toMatchObject({ code: 'EINVAL' }))
    }
  } finally {
    place[Symbol.dispose]()
  }
  expect(readlinkSync('/proc/self/ns/mnt')).toBe(namespace)
})

const make = (name: string): string => {
  const path = join(place.path, name)
  mkdirSync(path, { recursive: true })
  return path
}
const options = async (path: string): Promise<readonly string[]> => seenAt(await readMountInfo(), path)!.options

test('MT-01 a file system is mounted, seen and unmounted', requires('root'), async () => {
  const target = make('t')
  expect(await mounted(target)).toBe(false)
  await mount('tmpfs', target, { source: 'mine', options: ['size=64k', 'nosuid', 'noatime', 'mode=700'] })
  expect(await mounted(target)).toBe(true)
  const [info] = await readMountInfo('self', atOrBelow(target))
  expect(info).toMatchObject({ type: 'tmpfs', source: 'mine', options: ['rw', 'nosuid', 'noatime'] })
  expect(info!.superOptions).toEqual(expect.arrayContaining(['size=64k', 'mode=700']))
  await unmount(target)
  expect(await mounted(target)).toBe(false)
})

test(
  'MT-02 a read-only copy refuses writes and leaves the original alone',
  requires('root', 'kernel:5.12'),
  async () => {
    const tree = await openTree(place.path)
    try {
      await mountSetattr(tree, { options: ['ro', 'nosuid'] })
      expect(() => writeFileSync(`/proc/self/fd/${tree.fd}/file`, '')).toThrow(
        expect.objectContaining({ code: 'EROFS' }),
      )
      writeFileSync(join(place.path, 'file'), '')
      const target = make('copy')
      await moveMount(tree, target)
      expect((await options(target)).slice(0, 2)).toEqual(['ro', 'nosuid'])
    } finally {
      tree.close()
    }
  },
)

test('MT-02 a tree goes onto a descriptor', requires('root'), async () => {
  const tree = await createMount('tmpfs', { options: ['ro'] })
  const under = await openTree(make('under'))
  try {
    await moveMount(under, place.path)
    await moveMount(tree, under)
    expect(await options(place.path)).toContain('ro')
    // A descriptor of a mount keeps it busy.
    await expect(unmount(place.path)).rejects.toMatchObject({ code: 'EBUSY' })
    await unmount(place.path, { detach: true })
    await unmount(place.path, { detach: true })
  } finally {
    tree.close()
    under.close()
  }
})

test('MT-02 attributes of a whole tree, and propagation', requires('root', 'kernel:5.12'), async () => {
  const outer = make('o')
  await mount('tmpfs', outer, { options: ['private'] })
  mkdirSync(join(outer, 'inner'))
  await mount('tmpfs', join(outer, 'inner'), { options: ['nodev'] })
  await mountSetattr(outer, { options: ['noexec', 'strictatime', 'ro', 'rw'], propagation: 'shared', recursive: true })
  for (const { options, shared } of await readMountInfo('self', atOrBelow(outer))) {
    expect(options).toContain('noexec')
    expect(options).not.toContain('relatime')
    expect(options[0]).toBe('rw')
    expect(shared).toBeGreaterThan(0)
  }
  expect(await options(join(outer, 'inner'))).toContain('nodev')
  await expect(mountSetattr(outer, { options: ['size=1'] })).rejects.toMatchObject({
    code: 'ConfigInvalid',
    field: 'options[0]',
  })
  await expect(mountSetattr(make('plain'), { options: ['ro'] })).rejects.toMatchObject({
    code: 'EINVAL',
    syscall: 'mount_setattr',
  })
})

test('MT-20 a bind has its flags from the start, recursive or not', requires('root'), async () => {
  const outer = make('o')
  await mount('tmpfs', outer)
  mkdirSync(join(outer, 'inner'))
  await mount('tmpfs', join(outer, 'inner'), { options: ['mode=711'] })
  await bindMount(outer, make('one'), { options: ['ro'] })
  await bindMount(outer, make('all'), { recursive: true, options: ['rro'] })
  expect((await readMountInfo('self', atOrBelow(join(place.path, 'one')))).map(mount => mount.options[0])).toEqual([
    'ro',
  ])
  expect((await readMountInfo('self', atOrBelow(join(place.path, 'all')))).map(mount => mount.options[0])).toEqual([
    'ro',
    'ro',
  ])
  const file = join(place.path, 'file')
  writeFileSync(file, 'bound')
  writeFileSync(join(place.path, 'target'), '')
  await bindMount(file, join(place.path, 'target'))
  expect(readFileSync(join(place.path, 'target'), 'utf8')).toBe('bound')
})

test('errors name the call, the path and what the file system said', requires('root'), async () => {
  const target = make('t')
  const absent = join(place.path, 'absent')
  await expect(mount('tmpfs', target, { options: ['size=frog'] })).rejects.toMatchObject({
    code: 'EINVAL',
    syscall: 'fsconfig',
    path: target,
    message: expect.stringMatching(/size/),
  })
  await expect(mount('nosuchfs', target)).rejects.toMatchObject({ code: 'ENODEV', syscall: 'fsopen' })
  await expect(createMount('nosuchfs')).rejects.toMatchObject({ code: 'ENODEV', syscall: 'fsopen' })
  await expect(mount('tmpfs', absent)).rejects.toMatchObject({ code: 'ENOENT', path: absent })
  await expect(bindMount(absent, target)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open_tree' })
  await expect(openTree(absent)).rejects.toMatchObject({ code: 'ENOENT', path: absent })
  await expect(unmount(target)).rejects.toMatchObject({ code: 'EINVAL', syscall: 'umount2', path: target })
  await expect(mounted(absent)).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(mount('tmpfs', 'a\0b')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'target' })
  await expect(mount('tmpfs', target, { options: ['bind'] })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(bindMount('/', target, { options: ['size=1'] })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  expect(readdirSync(place.path)).toEqual(['t'])
  expect(await mounted(target)).toBe(false)
})

test('MT-03 the mounts of this process and of another', async () => {
  const mine = await readMountInfo()
  expect(mine.find(mount => mount.mountPoint === '/proc')?.type).toBe('proc')
  expect(await readMountInfo(process.pid)).toEqual(mine)
  expect(await mounted('/proc')).toBe(true)
  expect(await mounted('/proc/self')).toBe(false)
  await expect(readMountInfo(2 ** 22 + 1)).rejects.toMatchObject({ code: 'ENOENT' })
})

test(
  'MT-26 a mount that is being written to becomes read-only once the writer is gone, or is refused',
  requires('root'),
  async () => {
    const target = make('t')
    await mount('tmpfs', target)
    const ops = binding<object>('mount', import.meta.resolve('@libcontainer/mount'))
    const readonly = () =>
      ops.apply([{ op: 'setMountAttributes', args: [AT_FDCWD, target, 1n, 0], about: `make ${target} read-only` }])
    const writer = openSync(join(target, 'file'), 'w')
    await expect(readonly()).rejects.toMatchObject({ code: 'EBUSY', syscall: 'mount_setattr' })
    const soon = readonly()
    setTimeout(() => closeSync(writer), 150)
    await soon
    expect((await options(target))[0]).toBe('ro')
  },
)
