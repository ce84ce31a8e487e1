import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type ContainerConfig, validate } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory, together } from '../../../test/support/index.js'
import { Bench, hostIds, ownRootfs } from './support.js'

const needs = requires('root', 'rootfs')
const memory = (destination: string) => ({ destination, type: 'tmpfs', source: 'tmpfs' })

test('BY-03 texts, links and directories, where they were said, with their modes and owners', needs, async () => {
  await using bench = await Bench.open('files')
  const image = readdirSync(busyboxRootfs(), { recursive: true }).length
  const config: Partial<ContainerConfig> = {
    rootOverlay: { temporary: true },
    umask: 0o077,
    mounts: [...defaultMounts, memory('/run'), memory('/run/inner')],
    files: [
      // In the order of the mounts that show them, not of this list.
      { path: '/run/inner/deep/file', content: 'inner\n', mode: 0o644, uid: 7, gid: 8 },
      { path: '/run/file', content: 'run\0\n' },
      { path: '/run/inner', mode: 0o711 },
      { path: '/dev/link', target: 'null' },
      { path: '/etc/passwd', content: 'me:x:5:6::/home:/bin/sh\n' },
      { path: '/home/mine', mode: 0o1770, uid: 5 },
      { path: '/home/mine/first', content: '1' },
      { path: '/home/mine/first', content: '2' },
    ],
  }
  const script = `cat /run/inner/deep/file /run/file | tr -d '\\0'; cat /home/mine/first; echo; readlink /dev/link; id
    stat -c '%a %u %g %n' /run/inner/deep/file /run/inner/deep /run/inner /run/file /home/mine`
  expect(await bench.text(script, config, { user: 'me' })).toBe(
    `inner\nrun\n2\nnull\nuid=5(me) gid=6(disk)\n${['644 7 8 /run/inner/deep/file', '755 0 0 /run/inner/deep', '711 0 0 /run/inner', '644 0 0 /run/file', '1770 5 0 /home/mine'].join('\n')}`,
  )
  expect(readdirSync(busyboxRootfs(), { recursive: true })).toHaveLength(image)
})

test('BY-03 no link of an image leads a file elsewhere, and none is written through', needs, async () => {
  await using bench = await Bench.open('files')
  using outside = temporaryDirectory('files-outside-')
  using rootfs = ownRootfs()
  writeFileSync(`${outside.path}/file`, 'theirs')
  mkdirSync(`${rootfs.path}${outside.path}`, { recursive: true })
  symlinkSync(outside.path, `${rootfs.path}/way`)
  symlinkSync(`${outside.path}/file`, `${rootfs.path}/linked`)
  const config = {
    rootfs: rootfs.path,
    rootOverlay: { temporary: true },
    files: [
      { path: '/way/new', content: 'in the root' },
      { path: '/linked', content: 'in place of the link' },
    ],
  }
  expect(await bench.text(`cat ${outside.path}/new; echo; ls -l /linked | cut -c1; cat /linked`, config)).toBe(
    'in the root\n-\nin place of the link',
  )
  expect(readdirSync(outside.path)).toEqual(['file'])
  expect(statSync(`${outside.path}/file`).size).toBe('theirs'.length)
})

test(
  'BY-03 in a root in memory of a user namespace, whose ids they belong to',
  together(needs, requires('namespace:user')),
  async () => {
    await using bench = await Bench.open('files')
    using empty = temporaryDirectory('files-root-')
    chmodSync(empty.path, 0o755)
    const config: Partial<ContainerConfig> = {
      rootfs: empty.path,
      namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
      uidMappings: hostIds,
      gidMappings: hostIds,
      rootTmpfs: ['size=1m', 'mode=711'],
      mounts: [
        ...defaultMounts,
        { destination: '/bin', type: 'bind', source: `${busyboxRootfs()}/bin`, options: ['bind', 'ro'] },
      ],
      files: [{ path: '/etc/own', content: 'x', uid: 12 }],
    }
    expect(await bench.text("stat -c '%u %a' /etc/own /; ls /", config)).toBe('12 644\n0 711\nbin\ndev\netc\nproc\nsys')
    const foreign = await bench.create({ ...config, files: [{ path: '/own', content: 'x', uid: 70000 }] })
    await expect(foreign.run({ args: ['/bin/true'] })).rejects.toMatchObject({
      step: expect.stringContaining('make the file /own'),
      syscall: 'fchown',
      hint: expect.stringContaining('does not map'),
    })
  },
)

test(
  'BY-03 where it would stay on the host, or is the kernel’s, it is refused before anything is touched',
  needs,
  async () => {
    const problems = async (config: object): Promise<string[]> =>
      (await validate({ rootfs: busyboxRootfs(), ...config } as ContainerConfig)).map(({ field }) => field)
    const at = (path: string) => ({
      files: [
        { path: '/tmp/fine', content: '' },
        { path, content: '' },
      ],
    })
    const mounts = [...defaultMounts, memory('/tmp'), { destination: '/data', source: '/srv', options: ['bind'] }]
    expect(await problems({ ...at('/dev/shm/x'), mounts })).toEqual([])
    for (const path of ['/etc/x', '/data/x', '/proc/x', '/sys/fs/cgroup/x', '/dev/pts/x'])
      expect(await problems({ ...at(path), mounts })).toEqual(['files[1].path'])
    expect(await problems({ ...at('/etc/x'), mounts, rootOverlay: { temporary: true } })).toEqual([])
    expect(await problems({ ...at('/etc/x'), mounts, rootTmpfs: [] })).toEqual([])
    const inside = [...defaultMounts, { destination: '/bin', source: `${busyboxRootfs()}/bin`, options: ['bind'] }]
    expect(await problems({ mounts: inside, rootTmpfs: [] })).toEqual([`mounts[${inside.length - 1}].source`])
    expect(await problems({ rootTmpfs: [], rootOverlay: { temporary: true } })).toEqual(['rootTmpfs'])
    const shared = { namespaces: ['pid'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] }
    expect(await problems({ ...shared, rootTmpfs: [] })).toEqual(['rootTmpfs'])
  },
)
