import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type ContainerConfig, plan } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory, together } from '../../../test/support/index.js'
import { everything } from './everything.js'
import { Bench, ownRootfs as copyOfRootfs, hostIds, inside, sh, sleeper } from './support.js'

/*
 * A container without a mount namespace of its own: its root is changed to a directory of the host, and no mount is made.
 */

const needs = requires('root', 'rootfs')

/** What has a default is said to be wanted not. */
const bare = {
  namespaces: ['pid', 'ipc', 'uts', 'net'],
  mounts: [],
  devices: [],
  maskedPaths: [],
  readonlyPaths: [],
} as const satisfies Partial<ContainerConfig>

const hostMounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')

/** With the null device that streams are, which nobody makes for it. */
function ownRootfs(): TemporaryDirectory {
  const rootfs = copyOfRootfs()
  execFileSync('mknod', ['-m', '666', `${rootfs.path}/dev/null`, 'c', '1', '3'])
  return rootfs
}

/** Every name, number, mode and owner below a directory. */
const treeOf = (path: string): string => execFileSync('find', [path, '-printf', '%P %i %m %U\\n'], { encoding: 'utf8' })

test('MT-36 the root is the directory as it stands; nothing is mounted, made or left', needs, async () => {
  await using bench = await Bench.open('host-mounts')
  using place = temporaryDirectory('host-mounts-')
  using rootfs = ownRootfs()
  writeFileSync(`${rootfs.path}/which`, 'the container’s')
  const mounts = hostMounts()
  const tree = treeOf(rootfs.path)
  const { container, init } = await bench.running({ ...bare, rootfs: rootfs.path })
  expect(statSync(`/proc/${init.pid}/root/`).ino).toBe(statSync(rootfs.path).ino)
  expect(readlinkSync(`/proc/${init.pid}/ns/mnt`)).toBe(readlinkSync('/proc/self/ns/mnt'))
  expect(readlinkSync(`/proc/${init.pid}/ns/pid`)).not.toBe(readlinkSync('/proc/self/ns/pid'))
  expect(hostMounts()).toBe(mounts)

  // Whoever has the path by now: a further process enters the root of the first.
  const away = `${place.path}/away`
  renameSync(rootfs.path, away)
  try {
    mkdirSync(rootfs.path)
    writeFileSync(`${rootfs.path}/which`, 'another')
    expect(await inside(container, 'cat /which; cd ..; pwd; id -u')).toBe('the container’s/\n0')
    const loaded = await bench.factory.load(container.id)
    expect(await inside(loaded, 'cat ../../which')).toBe('the container’s')
  } finally {
    rmSync(rootfs.path, { recursive: true })
    renameSync(away, rootfs.path)
  }

  // Its capabilities are not those by which a root is left, or something mounted for the host.
  const tried = await inside(container, 'mount -t tmpfs none /tmp 2>&1; busybox chroot / /bin/true 2>&1; :')
  expect(tried.split('\n')).toEqual([expect.stringMatching(/mount: .*denied|not permitted/i), expect.any(String)])
  const live = { code: 'ERR_UNSUPPORTED', hint: expect.stringContaining('on the host') }
  await expect(container.addMounts([{ destination: '/tmp', type: 'tmpfs' }])).rejects.toMatchObject(live)
  await expect(container.removeMounts(['/tmp'])).rejects.toMatchObject(live)
  await expect(container.addDevices([{ path: '/dev/z', type: 'c', major: 1, minor: 5 }])).rejects.toMatchObject(live)
  expect(hostMounts()).toBe(mounts)
  await container.destroy({ force: true })
  expect(hostMounts()).toBe(mounts)
  expect(treeOf(rootfs.path)).toBe(tree)
})

test('MT-36 whichever step fails, of its first process or a further one: all is as before', needs, async () => {
  await using bench = await Bench.open('host-mounts')
  using rootfs = ownRootfs()
  const names = /^host-mounts-/
  const config = { ...bare, rootfs: rootfs.path }
  const spec = { args: ['/bin/true'], env: ['PATH=/bin'], user: 'root' }
  // Once for what is made at first use and stays.
  expect(await bench.run(spec, config)).toMatchObject({ code: 0 })
  const seen = (): object => ({ ...everything(names), tree: treeOf(rootfs.path), mounts: hostMounts() })
  const { steps } = await plan('planned', config, spec)
  const before = seen()
  for (const [i, { about }] of steps.entries()) {
    const container = await bench.create(config)
    await expect(container.run({ ...spec, failAt: i }), about).rejects.toMatchObject({
      code: 'SystemError',
      syscall: 'failure on purpose',
      step: expect.stringMatching(`^step ${i + 1}: `),
    })
    await container.destroy()
    expect(seen(), about).toEqual(before)
  }
  const absent = await bench.create(config)
  await expect(absent.run({ ...spec, args: ['/absent'] })).rejects.toMatchObject({ path: '/absent', errno: -2 })
  await absent.destroy()
  expect(seen()).toEqual(before)

  const { container } = await bench.running(config)
  const running = seen()
  for (let i = 0; ; i++) {
    const process = await container.exec({ ...spec, failAt: i }).catch((error: unknown) => {
      expect(error).toMatchObject({ syscall: 'failure on purpose' })
      return undefined
    })
    if (process === undefined) {
      expect(seen(), `step ${i + 1}`).toEqual(running)
      continue
    }
    expect(i).toBeGreaterThan(10)
    expect(await process.wait()).toMatchObject({ code: 0 })
    break
  }
  await container.destroy({ force: true })
  expect(seen()).toEqual(before)
})

test('MT-36 a link that comes into the path of the root is not followed', needs, async () => {
  await using bench = await Bench.open('host-mounts')
  using place = temporaryDirectory('host-mounts-')
  using rootfs = ownRootfs()
  mkdirSync(`${place.path}/above`)
  renameSync(rootfs.path, `${place.path}/above/root`)
  try {
    const container = await bench.create({ ...bare, rootfs: `${place.path}/above/root` })
    renameSync(`${place.path}/above`, `${place.path}/other`)
    symlinkSync('other', `${place.path}/above`)
    await expect(container.run(sleeper)).rejects.toMatchObject({
      syscall: 'openat2',
      hint: expect.stringContaining('link'),
    })
    await container.destroy()
  } finally {
    renameSync(`${place.path}/other/root`, rootfs.path)
  }
})

test(
  'MT-36 in two moves, with hooks on either side of the change of root, and in a user namespace',
  together(needs, requires('namespace:user')),
  async () => {
    await using bench = await Bench.open('host-mounts')
    using place = temporaryDirectory('host-mounts-')
    using rootfs = ownRootfs()
    const mounts = hostMounts()
    const program = ['/bin/sh', '-c', `[ -e ${place.path} ]; echo $? >>"$0"`]
    const container = await bench.create({
      ...bare,
      rootfs: rootfs.path,
      hooks: {
        createContainer: [{ path: '/bin/sh', args: [...program, `${place.path}/seen`] }],
        startContainer: [{ path: '/bin/sh', args: [...program, '/seen'] }],
      },
    })
    await container.start(sleeper)
    expect(await inside(container, 'pwd; ls /bin/sh')).toBe('/\n/bin/sh')
    await container.exec()
    expect(await container.status()).toBe('running')
    await container.destroy({ force: true })
    expect(readFileSync(`${place.path}/seen`, 'utf8')).toBe('0\n')
    expect(readFileSync(`${rootfs.path}/seen`, 'utf8')).toBe('1\n')

    const users = { ...bare, namespaces: ['user', 'pid', 'net'], uidMappings: hostIds, gidMappings: hostIds } as const
    const own = await bench.create({ ...users, rootfs: rootfs.path })
    await own.run(sleeper)
    expect(await inside(own, 'id -u; cd ..; pwd; ls -d /bin')).toBe('0\n/\n/bin')
    await own.destroy({ force: true })
    expect(await bench.run(sh('exit 3'), { ...users, rootfs: rootfs.path })).toMatchObject({ code: 3 })
    expect(hostMounts()).toBe(mounts)
  },
)
