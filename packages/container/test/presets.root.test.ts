import { symlinkSync } from 'node:fs'
import { type ContainerConfig, validate } from '@libcontainer/container'
import { defaultMounts, mountPresets } from '@libcontainer/mount'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, ownRootfs } from './support.js'

const needs = requires('root', 'rootfs')
const others = defaultMounts.filter(({ destination }) => !/^\/(proc|sys)/.test(destination))
const withPresets = (...words: string[]): Partial<ContainerConfig> => {
  const { mounts, readonlyPaths } = mountPresets(words)
  return { rootOverlay: { temporary: true }, mounts: [...others, ...mounts], readonlyPaths }
}
/** Each path with `rw` or `ro`, by the mount that shows it. */
const script = `for path in "$@"; do
  mount=$path; until grep -q " $mount " /proc/self/mountinfo; do mount=\${mount%/*}; done
  grep " $mount " /proc/self/mountinfo | tail -n 1 | cut -d' ' -f6 | cut -d, -f1
done`
const modes = async (bench: Bench, config: Partial<ContainerConfig>, paths: readonly string[]): Promise<string[]> =>
  (await bench.text(script, config, { args: ['/bin/sh', '-c', script, 'sh', ...paths] })).split('\n')

test('BY-12 proc:mixed, sys:mixed and cgroup:mixed: what of each can be written to', needs, async () => {
  await using bench = await Bench.open('presets')
  const mixed = withPresets('proc:mixed', 'sys:mixed', 'cgroup:mixed')
  const paths = ['/proc', '/proc/sys', '/sys', '/sys/class', '/sys/devices/virtual/net']
  expect(await modes(bench, mixed, paths)).toEqual(['rw', 'ro', 'ro', 'ro', 'rw'])
  // By the kernel, to whom it may change it: an interface of its own is set up, and nothing else of sysfs.
  expect(
    await bench.text('echo 1400 >/sys/class/net/lo/mtu && cat /sys/class/net/lo/mtu; ls /sys/devices/virtual/net', {
      ...mixed,
      capabilities: ['NET_ADMIN'],
    }),
  ).toBe('1400\nlo')
  const outcome = await bench.run('echo x >/sys/kernel/uevent_helper; echo 1 >/proc/sys/kernel/pid_max', mixed)
  expect(outcome.stderr.match(/Read-only file system/g)).toHaveLength(2)
  expect(await modes(bench, withPresets('proc:rw', 'sys:rw'), paths)).toEqual(['rw', 'rw', 'rw', 'rw', 'rw'])
  expect(await modes(bench, withPresets('proc', 'sys', 'cgroup:ro'), paths)).toEqual(['rw', 'ro', 'ro', 'ro', 'ro'])
})

test('BY-12 BY-03 a bind from inside: no link leads its source out of the root', needs, async () => {
  await using bench = await Bench.open('presets')
  using outside = temporaryDirectory('presets-outside-')
  using rootfs = ownRootfs()
  symlinkSync(outside.path, `${rootfs.path}/way`)
  const bind = (source: string) => ({ destination: '/mnt', source, options: ['bind', 'src-inside'] })
  const memory = { destination: '/run', type: 'tmpfs', source: 'tmpfs' }
  const config = { rootfs: rootfs.path, files: [{ path: '/run/inner/file', content: 'inside' }] }
  expect(await bench.text('cat /mnt/file', { ...config, mounts: [...defaultMounts, memory, bind('/run/inner')] })).toBe(
    'inside',
  )
  const out = await bench.create({ rootfs: rootfs.path, mounts: [...defaultMounts, bind('/way')] })
  await expect(out.run({ args: ['/bin/true'] })).rejects.toMatchObject({ message: expect.stringContaining('ENOENT') })
  const { container } = await bench.running()
  await expect(container.addMounts([bind('/etc')])).rejects.toMatchObject({ field: 'mounts[0].options' })
  const [problem] = await validate({
    rootfs: busyboxRootfs(),
    mounts: [{ ...bind('/etc'), options: ['bind', 'src-inside', 'idmap'] }],
  })
  expect(problem?.field).toBe('mounts[0].options')
})
