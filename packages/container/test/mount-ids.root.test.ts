import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, validate } from '@libcontainer/container'
import { defaultMounts, type Mount } from '@libcontainer/mount'
import { describe, expect, test } from 'vitest'
import {
  busyboxRootfs,
  copyOfBusyboxRootfs,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
  together,
} from '../../../test/support/index.js'
import { Bench, hostIds, inside } from './support.js'

const needs = requires('root', 'rootfs', 'kernel:5.12')
const needsUser = together(needs, requires('namespace:user'))
const map = (containerId: number, hostId: number, size = 1) => ({ containerId, hostId, size })

const userns = {
  namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user', 'cgroup'],
  uidMappings: hostIds,
  gidMappings: hostIds,
} as const satisfies Partial<ContainerConfig>

/** A volume: a file of root's, one of user 5, and a directory that something else may be mounted on. */
function volume(): TemporaryDirectory {
  const directory = temporaryDirectory('ids-')
  chmodSync(directory.path, 0o755)
  for (const [name, id] of Object.entries({ root: 0, five: 5, nobody: 70_000 })) {
    writeFileSync(join(directory.path, name), name)
    chownSync(join(directory.path, name), id, id)
  }
  mkdirSync(join(directory.path, 'below'))
  return directory
}

const withMount = (mount: Mount): Pick<ContainerConfig, 'mounts'> => ({ mounts: [...defaultMounts, mount] })
/** `root 0:0`, … as the container has them. */
const owners = 'cd /dev/data && stat -c "%n %u:%g" root five nobody'
const ownersOf = (root: string, five: string, nobody: string): string => `root ${root}\nfive ${five}\nnobody ${nobody}`
const UNMAPPED = '65534:65534'

describe('MT-27 a bind whose ids are mapped', () => {
  test(
    'MT-27 MT-08 by the container’s user namespace: root’s files are root’s, and what it writes is root’s on the host',
    needsUser,
    async () => {
      await using bench = await Bench.open('idmap')
      using data = volume()
      const bind = { destination: '/dev/data', source: data.path, options: ['rbind', 'idmap'] }
      const script = `${owners}; echo text >/dev/data/made; stat -c %u /dev/data/made`
      expect(await bench.text(script, { ...userns, ...withMount(bind) })).toBe(`${ownersOf('0:0', '5:5', UNMAPPED)}\n0`)
      expect(statSync(join(data.path, 'made')).uid).toBe(0)
      // Without it they are somebody's whom the container has not.
      const plain = { ...bind, options: ['rbind'] }
      expect(await bench.text(owners, { ...userns, ...withMount(plain) })).toBe(ownersOf(UNMAPPED, UNMAPPED, UNMAPPED))
    },
  )

  test(
    'MT-27 by maps of its own, with a user namespace around and without, and a relative one',
    needsUser,
    async () => {
      await using bench = await Bench.open('idmap')
      using data = volume()
      const at = { destination: '/dev/data', source: data.path, options: ['bind'] }
      const own = [map(0, 1000, 2), map(5, 3000)]
      const own2 = { ...at, uidMappings: own, gidMappings: own }
      expect(await bench.text(owners, withMount(own2))).toBe(ownersOf('1000:1000', '3000:3000', UNMAPPED))
      const word = { ...at, options: ['bind', 'idmap=uids=0-1000-2#5-3000-1;gids=0-7-1#5-8-1'] }
      expect(await bench.text(owners, withMount(word))).toBe(ownersOf('1000:7', '3000:8', UNMAPPED))
      const shifted = { ...at, uidMappings: [map(0, 100_007)], gidMappings: [map(0, 100_008)] }
      expect(await bench.text(owners, { ...userns, ...withMount(shifted) })).toBe(ownersOf('7:8', UNMAPPED, UNMAPPED))
      const relative = { ...at, options: ['bind', 'idmap=uids=@0-7-1;gids=@0-8-1'] }
      expect(await bench.text(owners, { ...userns, ...withMount(relative) })).toBe(ownersOf('7:8', UNMAPPED, UNMAPPED))
    },
  )

  test('MT-27 several mounts, each with its maps, and flags of their own', needsUser, async () => {
    await using bench = await Bench.open('idmap')
    using data = volume()
    const bind = (i: number): Mount => ({
      destination: `/dev/data/${i}`,
      source: data.path,
      options: ['bind', 'ro', 'nosuid'],
      uidMappings: [map(0, 1000 + (i % 3))],
      gidMappings: [map(0, 0)],
    })
    // More than one answer to init holds.
    const mounts = [{ destination: '/dev/data', type: 'tmpfs' }, ...Array.from({ length: 20 }, (_, i) => bind(i))]
    const script = 'for i in $(seq 0 19); do stat -c %u /dev/data/$i/root; touch /dev/data/$i/x || :; done'
    const config = { mounts: [...defaultMounts, ...mounts] }
    const { stdout, stderr } = await bench.run(script, config)
    expect(stdout.trim().split('\n').map(Number)).toEqual(Array.from({ length: 20 }, (_, i) => 1000 + (i % 3)))
    expect(stderr.match(/Read-only file system/g)).toHaveLength(20)
  })

  test('MT-27 ridmap: what is mounted below too, and idmap not', needsUser, async () => {
    await using bench = await Bench.open('idmap')
    using data = volume()
    const below = join(data.path, 'below')
    execFileSync('mount', ['--bind', data.path, below])
    try {
      const seen = async (word: string) =>
        await bench.text('stat -c %u /dev/data/root /dev/data/below/root', {
          ...userns,
          ...withMount({ destination: '/dev/data', source: data.path, options: ['rbind', word] }),
        })
      expect(await seen('ridmap')).toBe('0\n0')
      expect(await seen('idmap')).toBe('0\n65534')
    } finally {
      execFileSync('umount', [below])
    }
  })

  test('MT-27 MT-46 in a container that runs', needsUser, async () => {
    await using bench = await Bench.open('idmap')
    using data = volume()
    const { container } = await bench.running(userns)
    const bind = { destination: '/dev/data', source: data.path, options: ['bind'] }
    await container.addMounts([{ ...bind, options: ['bind', 'idmap'] }])
    expect(await inside(container, owners)).toBe(ownersOf('0:0', '5:5', UNMAPPED))
    await container.removeMounts(['/dev/data'])
    await container.addMounts([{ ...bind, options: ['bind', 'idmap=uids=@0-3-1;gids=@0-3-1'] }])
    expect(await inside(container, 'stat -c %u /dev/data/root')).toBe('3')
    await container.removeMounts(['/dev/data'])
    await container.destroy({ force: true })
  })
})

describe('BY-24 a root file system whose ids are mapped', () => {
  const script = 'stat -c "%n %u:%g" /bin /bin/busybox; echo text >/made; stat -c %u:%g /made; cat /made'
  const expected = '/bin 0:0\n/bin/busybox 0:0\n0:0\ntext'
  const image = (): TemporaryDirectory => {
    const copy = copyOfBusyboxRootfs()
    chmodSync(copy.path, 0o755)
    return copy
  }

  test('BY-24 MT-27 by the container’s user namespace: no owner is changed on disk', needsUser, async () => {
    await using bench = await Bench.open('root-ids')
    using rootfs = image()
    const config = { ...userns, rootfs: rootfs.path }
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    expect(await bench.text(script, { ...config, rootIdMap: 'idmap' })).toBe(expected)
    expect(statSync(join(rootfs.path, 'made'))).toMatchObject({ uid: 0, gid: 0 })
    expect(statSync(join(rootfs.path, 'bin/busybox'))).toMatchObject({ uid: 0, gid: 0 })
    // Without it root of the container owns nothing there.
    const { stdout, stderr } = await bench.run('stat -c %u /bin/busybox; echo x >/other', config)
    expect(stdout).toBe('65534\n')
    expect(stderr).toContain('Permission denied')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  })

  test('BY-24 by maps of its own, with binds that are mapped, too, and read-only', needsUser, async () => {
    await using bench = await Bench.open('root-ids')
    using rootfs = image()
    using data = volume()
    const bind = { destination: '/dev/data', source: data.path, options: ['bind', 'idmap=uids=5-0-1;gids=5-0-1'] }
    const shown = await bench.text(
      'stat -c %u:%g /bin/busybox /dev/data/five; echo x 2>/dev/null >/x || echo read-only',
      {
        rootfs: rootfs.path,
        rootIdMap: 'idmap=uids=0-7-1;gids=0-8-1',
        readonlyRootfs: true,
        ...withMount(bind),
      },
    )
    expect(shown).toBe('7:8\n0:0\nread-only')
  })

  test('BY-24 MT-47 below an overlay', together(needsUser, requires('kernel:5.19')), async () => {
    await using bench = await Bench.open('root-ids')
    using rootfs = image()
    const config = { ...userns, rootfs: rootfs.path, rootIdMap: 'ridmap', rootOverlay: { temporary: true } }
    expect(await bench.text(script, config)).toBe(expected)
    expect(existsSync(join(rootfs.path, 'made'))).toBe(false)
  })

  test('BY-24 EV-082 a file system that maps no ids: the error says so, and nothing is left', needsUser, async () => {
    await using bench = await Bench.open('root-ids')
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    const container = await bench.create({ ...userns, rootfs: '/proc/self', rootIdMap: 'idmap' }).catch(error => error)
    expect(container).toMatchObject({ code: 'ConfigInvalid', field: 'rootfs' })
    await expect(bench.text('true', { ...userns, rootfs: '/sys/kernel', rootIdMap: 'idmap' })).rejects.toMatchObject({
      cause: {
        syscall: 'mount_setattr',
        code: 'EINVAL',
        path: '/sys/kernel',
        step: expect.stringContaining('map the ids of /sys/kernel'),
        hint: expect.stringContaining('does not support id-mapped mounts'),
      },
    })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  })

  test('BY-24 EV-081 what cannot be mapped is refused before anything is touched', needs, async () => {
    const problems = async (more: object) =>
      (await validate({ rootfs: busyboxRootfs(), ...more })).map(({ message }) => message)
    expect(await problems({ ...userns, rootIdMap: 'idmap' })).toEqual([])
    expect(await problems({ rootIdMap: 'idmap=uids=0-1-1;gids=0-1-1' })).toEqual([])
    expect(await problems({ rootIdMap: 'idmap' })).toEqual([expect.stringMatching(/^rootIdMap: has no ids to map by/)])
    expect(await problems({ rootIdMap: 'shift' })).toEqual([expect.stringMatching(/^rootIdMap: must be idmap, ridmap/)])
    expect(await problems({ rootIdMap: true })).toEqual([expect.stringMatching(/^rootIdMap: must be idmap, ridmap/)])
    expect(await problems({ rootIdMap: 'idmap=uids=0-1-1' })).toEqual([
      expect.stringMatching(/^rootIdMap: must map both/),
    ])
    expect(await problems({ rootIdMap: 'idmap=uids=@0-1-1;gids=@0-1-1' })).toEqual([
      expect.stringMatching(/^rootIdMap\.uidMappings\[0\]: is relative/),
    ])
    expect(await problems({ ...userns, rootIdMap: 'idmap', rootTmpfs: [] })).toEqual([
      expect.stringMatching(/^rootIdMap: shows nothing/),
    ])
    const shared = { namespaces: ['pid'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] }
    expect(await problems({ ...shared, rootIdMap: 'idmap=uids=0-1-1;gids=0-1-1' })).toEqual([
      expect.stringMatching(/^rootIdMap: needs a mount namespace/),
    ])
  })
})

test(
  'IN-17 a source in a directory that is closed to strangers reaches a container with a user namespace',
  needsUser,
  async () => {
    await using bench = await Bench.open('closed')
    using data = volume()
    chmodSync(data.path, 0o700)
    mkdirSync(join(data.path, 'open'))
    writeFileSync(join(data.path, 'open/file'), 'text')
    const bind = { destination: '/dev/data', source: join(data.path, 'open'), options: ['bind', 'ro'] }
    const script = 'cat /dev/data/file; touch /dev/data/x 2>/dev/null || echo read-only'
    expect(await bench.text(script, { ...userns, ...withMount(bind) })).toBe('textread-only')
  },
)

test('EV-082 a file system that maps no ids: the error says so, and nothing is left', needsUser, async () => {
  await using bench = await Bench.open('noids')
  const before = readFileSync('/proc/self/mountinfo', 'utf8')
  const bind = { destination: '/dev/data', source: '/proc/sys', options: ['bind', 'idmap'] }
  await expect(bench.text('true', { ...userns, ...withMount(bind) })).rejects.toMatchObject({
    code: 'SystemError',
    cause: {
      syscall: 'mount_setattr',
      code: 'EINVAL',
      path: '/proc/sys',
      step: expect.stringContaining('map the ids of /proc/sys'),
      hint: expect.stringContaining('does not support id-mapped mounts'),
    },
  })
  const absent = { ...bind, source: '/nowhere' }
  await expect(bench.text('true', { ...userns, ...withMount(absent) })).rejects.toMatchObject({
    cause: { syscall: 'open_tree', code: 'ENOENT', path: '/nowhere' },
  })
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
  // Nobody holds a tree of the container's any more.
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(100)
})

test('EV-081 VAL-24 ids that cannot be mapped are refused before anything is touched', needs, async () => {
  const fields = async (mount: object, more: Partial<ContainerConfig> = {}) =>
    (await validate({ rootfs: busyboxRootfs(), ...more, mounts: [mount as Mount] })).map(({ field }) => field)
  const bind = { destination: '/dev/data', source: '/srv', options: ['bind'] }
  const ids = { uidMappings: [map(0, 1)], gidMappings: [map(0, 1)] }
  expect(await fields({ ...bind, ...ids })).toEqual([])
  expect(await fields({ ...bind, options: ['bind', 'idmap'] })).toEqual(['mounts[0].options'])
  expect(await fields({ ...bind, options: ['bind', 'idmap'] }, userns)).toEqual([])
  expect(await fields({ destination: '/dev/data', type: 'tmpfs', ...ids })).toEqual(['mounts[0]'])
  expect(await fields({ destination: '/dev/data', type: 'tmpfs', options: ['idmap'] }, userns)).toEqual([
    'mounts[0].options',
  ])
  expect(await fields({ ...bind, uidMappings: ids.uidMappings })).toEqual(['mounts[0].gidMappings'])
  expect(await fields({ ...bind, gidMappings: ids.gidMappings })).toEqual(['mounts[0].uidMappings'])
  expect(await fields({ ...bind, options: ['bind', 'idmap=uids=0-1-1'] })).toEqual(['mounts[0].options[1]'])
  expect(await fields({ ...bind, ...ids, options: ['bind', 'idmap=uids=0-1-1;gids=0-1-1'] })).toEqual([
    'mounts[0].options',
  ])
  expect(await fields({ ...bind, ...ids, userNamespace: '/proc/1/ns/user' })).toEqual(['mounts[0].userNamespace'])
  expect(await fields({ ...bind, userNamespace: 'user' })).toEqual(['mounts[0].userNamespace'])
  const twice = [map(0, 1, 2), map(1, 5)]
  expect(await fields({ ...bind, ...ids, uidMappings: twice })).toEqual(['mounts[0].uidMappings[1].containerId'])
  const relative = { ...bind, options: ['bind', 'idmap=uids=@0-9-1;gids=@0-9-1'] }
  expect(await fields(relative)).toEqual(['mounts[0].uidMappings[0]'])
  const few = { ...userns, uidMappings: [map(0, 100_000)], gidMappings: [map(0, 100_000)] }
  expect(await fields(relative, few)).toEqual(['mounts[0].uidMappings[0].hostId'])
})
