import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { validate } from '@libcontainer/container'
import type { RootOverlay } from '@libcontainer/mount'
import { expect, test } from 'vitest'
import {
  busyboxRootfs,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
  together,
} from '../../../test/support/index.js'
import { everything } from './everything.js'
import { Bench, hostIds, inside } from './support.js'

const needs = requires('root', 'rootfs')
const names = /^root-overlay-/

/** Directories for layers, which every user may enter. */
function layers(): TemporaryDirectory {
  const place = temporaryDirectory('root-overlay-')
  chmodSync(place.path, 0o755)
  for (const name of ['upper', 'work', 'layer']) mkdirSync(join(place.path, name))
  writeFileSync(join(place.path, 'layer/added'), 'a layer')
  return place
}

const image = (): string[] => readdirSync(busyboxRootfs(), { recursive: true, encoding: 'utf8' }).sort()

test('MT-47 BY-04 two containers on one image: one keeps what it writes, one forgets it', needs, async () => {
  await using bench = await Bench.open('root-overlay')
  using place = layers()
  const { path } = place
  // Once for what is made at first use and stays.
  expect(await bench.text('echo first')).toBe('first')
  const [before, left] = [image(), everything(names)]
  const upper = { lower: [`${path}/layer`], upper: `${path}/upper`, work: `${path}/work` }
  const { container: keeps } = await bench.running({ rootOverlay: upper })
  const { container: forgets } = await bench.running({ rootOverlay: { temporary: true }, noPivotRoot: true })
  expect(await inside(keeps, 'cat /added; echo kept >/etc/new; rm /bin/touch; cat /etc/new')).toBe('a layerkept')
  expect(
    await inside(forgets, 'ls /added /etc/new 2>/dev/null; echo other >/etc/new; rm -r /home; ls /bin/touch'),
  ).toBe('/bin/touch')
  const mounted = await inside(keeps, 'grep " / " /proc/self/mountinfo')
  expect(mounted).toMatch(/ - overlay overlay rw,/)
  expect(mounted).not.toContain(path)
  expect(await (await bench.factory.load(keeps.id)).config()).toMatchObject({ rootOverlay: upper })
  expect(image()).toEqual(before)
  await keeps.destroy({ force: true })
  await forgets.destroy({ force: true })
  expect(readFileSync(`${path}/upper/etc/new`, 'utf8')).toBe('kept\n')
  expect(readdirSync(`${path}/layer`)).toEqual(['added'])
  expect(image()).toEqual(before)
  // Again, and nothing may be written this time.
  const script = 'cat /etc/new; ls /bin/touch 2>&1; echo x >/x'
  const again = await bench.run(script, { rootOverlay: upper, readonlyRootfs: true })
  expect(again.stdout).toMatch(/^kept\nls: \/bin\/touch: No such file/)
  expect(again.stderr).toContain('Read-only file system')
  const below = await bench.run('cat /added; echo x >/x', { rootOverlay: { lower: [`${path}/layer`] } })
  expect(below).toMatchObject({ stdout: 'a layer', stderr: expect.stringContaining('Read-only file system') })
  expect(everything(names)).toEqual(left)
})

test('MT-47 in a user namespace of its own', together(needs, requires('namespace:user', 'reachable')), async () => {
  await using bench = await Bench.open('root-overlay')
  using place = layers()
  const { path } = place
  const ids = {
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
    uidMappings: hostIds,
    gidMappings: hostIds,
  } as const
  for (const name of ['upper', 'work']) chownSync(join(path, name), 100000, 100000)
  const rootOverlay = { lower: [`${path}/layer`], upper: `${path}/upper`, work: `${path}/work` }
  const script = 'cat /added; mkdir /new; echo x >/new/file; rm -r /new; mkdir /new; ls /new'
  expect(await bench.text(script, { ...ids, rootOverlay })).toBe('a layer')
  expect(readdirSync(`${path}/upper`)).toContain('new')
  expect(await bench.text('mkdir /new; ls -d /new', { ...ids, rootOverlay: { temporary: true } })).toBe('/new')
  // What its root may not write to.
  for (const name of ['upper', 'work']) chownSync(join(path, name), 0, 0)
  const foreign = await bench.create({ ...ids, rootOverlay })
  await expect(foreign.run({ args: ['/bin/true'] })).rejects.toMatchObject({
    step: expect.stringContaining('over the root'),
    syscall: 'fsconfig',
    message: expect.stringContaining('EROFS'),
    hint: expect.stringContaining('user namespace'),
  })
})

test(
  'MT-47 EV-022 EV-023 its directories are looked at before anything is touched, and again when it starts',
  needs,
  async () => {
    await using bench = await Bench.open('root-overlay')
    using place = layers()
    const { path } = place
    const rootfs = busyboxRootfs()
    const problems = async (rootOverlay: unknown, more: object = {}): Promise<string[]> =>
      (await validate({ rootfs, rootOverlay: rootOverlay as RootOverlay, ...more })).map(
        ({ field, message }) => `${field} ${message}`,
      )
    const sound = { upper: `${path}/upper`, work: `${path}/work` }
    symlinkSync('layer', `${path}/link`)
    expect(await problems(sound)).toEqual([])
    expect(await problems({ lower: [`${path}/absent`] })).toEqual([
      expect.stringMatching(/^rootOverlay\.lower\[0\] .*ENOENT/),
    ])
    expect(await problems({ lower: [`${path}/link`] })).toEqual([
      expect.stringMatching(/lower\[0\] .*pass through a link/),
    ])
    expect(await problems({ ...sound, upper: `${path}/layer/added` })).toEqual([
      expect.stringMatching(/upper .*not a file/),
    ])
    expect(await problems({ ...sound, work: '/dev/shm' })).toEqual([
      expect.stringMatching(/^rootOverlay\.work .*must be on the file system of upper/),
    ])
    expect(await problems({ upper: `${path}/upper` })).toEqual([expect.stringMatching(/^rootOverlay\.work /)])
    expect(await problems({ ...sound, upper: `${rootfs}/etc` })).toEqual([
      expect.stringMatching(/upper .*apart from rootfs/),
    ])
    const bare = { namespaces: ['pid'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] }
    expect(await problems(sound, bare)).toEqual([expect.stringMatching(/^rootOverlay .*add mnt/)])
    await expect(bench.create({ rootOverlay: { lower: [`${path}/link`] } })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'rootOverlay.lower[0]',
    })

    const left = everything(names)
    const container = await bench.create({ rootOverlay: { lower: [`${path}/layer`], temporary: true } })
    renameSync(`${path}/layer`, `${path}/moved`)
    symlinkSync('moved', `${path}/layer`)
    await expect(container.run({ args: ['/bin/true'] })).rejects.toMatchObject({
      code: 'SystemError',
      syscall: 'openat2',
      hint: expect.stringContaining('link'),
      message: expect.stringContaining(`${path}/layer`),
    })
    await container.destroy()
    expect(everything(names)).toEqual(left)
  },
)
