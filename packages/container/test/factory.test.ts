import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cgroup } from '@libcontainer/cgroups'
import { type CgroupDriver, type ContainerConfig, container, create, Factory, load } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { cgroupDriver } from '../src/cgroups/option.js'
import { loadInit } from '../src/config/init-option.js'

const invalid = (field: string, message: RegExp): object =>
  expect.objectContaining({
    name: 'ConfigInvalid',
    code: 'ConfigInvalid',
    number: 7,
    field,
    message: expect.stringMatching(message),
  })

describe('options of a factory', () => {
  test('FA-02 FA-03 a program for init is absolute or a name, and has a list of arguments', async () => {
    const wrong: [unknown, string][] = [
      [null, 'init'],
      ['/init', 'init'],
      [[], 'init'],
      [{}, 'init.path'],
      [{ path: '' }, 'init.path'],
      [{ path: 5 }, 'init.path'],
      [{ path: './init' }, 'init.path'],
      [{ path: 'bin/init' }, 'init.path'],
      [{ path: '/a\0b' }, 'init.path'],
      [{ path: '/bin/true', args: 'x' }, 'init.args'],
      [{ path: '/bin/true', args: ['a', 5] }, 'init.args[1]'],
      [{ path: '/bin/true', env: [] }, 'init.env'],
    ]
    for (const [option, field] of wrong)
      await expect(loadInit(option as never), JSON.stringify(option)).rejects.toMatchObject({ field })
    await expect(loadInit({ path: '/absent/init' })).rejects.toMatchObject({
      field: 'init.path',
      message: expect.stringMatching(/cannot be read: ENOENT/),
    })
    await expect(loadInit({ path: 'no-such-program-anywhere' })).rejects.toMatchObject({
      field: 'init.path',
      message: expect.stringMatching(/in no directory of PATH/),
      hint: expect.stringMatching(/absolute/),
    })
    expect((await loadInit({ path: 'node', args: ['--log'] })).args).toEqual(['--log'])
  })

  test('FA-02 a wrong program is refused before the state root is made', async () => {
    using directory = temporaryDirectory('factory-')
    const root = join(directory.path, 'root')
    await expect(Factory.open(root, { init: { path: '/absent/init' } })).rejects.toMatchObject({ field: 'init.path' })
    expect(existsSync(root)).toBe(false)
  })

  test('FA-04 the cgroup file systems themselves are the default', async () => {
    expect(await cgroupDriver()).toBe(await cgroupDriver('cgroupfs'))
    const group = await (await cgroupDriver()).at('/factory-test')
    expect(group.paths).toEqual((await Cgroup.at('/factory-test')).paths)
  })

  const systemd = existsSync('/run/systemd/system')
  test.skipIf(systemd)('FA-05 EV-143 systemd is refused by name where it does not run', async () => {
    using directory = temporaryDirectory('factory-')
    await expect(Factory.open(directory.path, { cgroupDriver: 'systemd' })).rejects.toThrow(
      expect.objectContaining({
        field: 'cgroupDriver',
        value: 'systemd',
        message: expect.stringMatching(/is not running/),
        hint: expect.stringMatching(/'cgroupfs'/),
      }),
    )
  })

  test('FA-07 the program for checkpoints is criu, or another', async () => {
    using directory = temporaryDirectory('factory-')
    expect((await Factory.open(directory.path)).criuPath).toBe('criu')
    expect((await Factory.open(directory.path, { criuPath: '/opt/criu' })).criuPath).toBe('/opt/criu')
    for (const criuPath of ['', 'a\0b', 5, null])
      await expect(Factory.open(directory.path, { criuPath: criuPath as string })).rejects.toMatchObject({
        field: 'criuPath',
      })
  })

  test('FA-09 the class of cgroups is a driver; what lacks a function is none', async () => {
    const driver: CgroupDriver = Cgroup
    expect(await cgroupDriver(driver)).toBe(Cgroup)
    const own: CgroupDriver = { at: Cgroup.at, open: Cgroup.open, create: Cgroup.create }
    expect(await cgroupDriver(own)).toBe(own)
    for (const option of ['', 'fs', 5, null, {}, { at: Cgroup.at, open: Cgroup.open }])
      await expect(async () => await cgroupDriver(option as never)).rejects.toThrow(
        invalid('cgroupDriver', /'cgroupfs', 'systemd', or a driver with the functions at, open, create/),
      )
  })

  test('FA-16 its type is libcontainer', async () => {
    using directory = temporaryDirectory('factory-')
    expect((await Factory.open(directory.path)).type()).toBe('libcontainer')
  })

  test('ER-09 an option that there is not, and one of another kind, are refused by name', async () => {
    using directory = temporaryDirectory('factory-')
    const open = async (options: object): Promise<Factory> => await Factory.open(directory.path, options)
    await expect(open({ systemdCgroups: true })).rejects.toThrow(invalid('systemdCgroups', /is no option of a factory/))
    await expect(open({ warn: 'x' })).rejects.toThrow(invalid('warn', /function/))
    await expect(open({ validator: {} })).rejects.toThrow(invalid('validator', /function/))
    await expect(open({ tmpfsRoot: 'yes' })).rejects.toThrow(invalid('tmpfsRoot', /true or false/))
  })
})

describe('a state root that somebody else could change', () => {
  test('EV-008 a link is refused, with the directory’s own name as remedy, and what it leads to is left alone', async () => {
    using directory = temporaryDirectory('root-')
    const target = join(directory.path, 'target')
    const link = join(directory.path, 'link')
    mkdirSync(target)
    symlinkSync(target, link)
    for (const path of [link, `${link}/`]) {
      await expect(Factory.open(path), path).rejects.toMatchObject({
        code: 'ConfigInvalid',
        field: 'root',
        message: expect.stringMatching(/must be a directory, not a link/),
        hint: `give the directory itself: realpath ${link}`,
      })
    }
    expect(readdirSync(target)).toEqual([])
    expect((await Factory.open(realpathSync(link))).root).toBe(target)
  })

  test('EV-008 a link that leads nowhere is no place for a directory either', async () => {
    using directory = temporaryDirectory('root-')
    symlinkSync(join(directory.path, 'absent'), join(directory.path, 'link'))
    await expect(Factory.open(join(directory.path, 'link'))).rejects.toMatchObject({ field: 'root' })
    expect(readdirSync(directory.path)).toEqual(['link'])
  })

  test('EV-008 one that others may write to is told of, with the remedy', async () => {
    using directory = temporaryDirectory('root-')
    for (const mode of [0o777, 0o1777, 0o720, 0o702]) {
      chmodSync(directory.path, mode)
      const told: string[] = []
      await Factory.open(directory.path, { warn: message => void told.push(message) })
      expect(told).toEqual([
        expect.stringMatching(`has mode ${mode.toString(8)}: others could forge .* chmod 700 ${directory.path}`),
      ])
    }
    for (const mode of [0o700, 0o755, 0o711]) {
      chmodSync(directory.path, mode)
      await Factory.open(directory.path, { warn: message => expect.unreachable(message) })
    }
  })
})

describe('without a factory', () => {
  test('ER-02 FA-17 ids are looked at first', async () => {
    using directory = temporaryDirectory('functions-')
    const nothing = {} as ContainerConfig
    for (const id of ['', '..', 'a/b', 'a\n']) {
      await expect(create(directory.path, id, nothing)).rejects.toMatchObject({ code: 'InvalidIdFormat', number: 1 })
      await expect(load(directory.path, id)).rejects.toMatchObject({ code: 'InvalidIdFormat' })
    }
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('FA-17 options and roots are refused as by a factory', async () => {
    await expect(create('', 'x', {} as ContainerConfig)).rejects.toMatchObject({ field: 'root' })
    await expect(load('relative', 'x')).rejects.toMatchObject({ field: 'root' })
    await expect(load('/', 'x')).rejects.toMatchObject({ field: 'root' })
  })

  test('FA-19 a bundle without a config, or with a broken one, is refused, and nothing is made', async () => {
    using directory = temporaryDirectory('bundle-')
    const root = join(directory.path, 'state')
    const build = async (): Promise<unknown> =>
      await container('demo').withRoot(root).asInit(directory.path).withArgs('/bin/true').build()
    await expect(build()).rejects.toMatchObject({ field: 'bundle', message: expect.stringMatching(/config\.json/) })
    writeFileSync(join(directory.path, 'config.json'), '{"rootfs":')
    await expect(build()).rejects.toMatchObject({ field: 'bundle', message: expect.stringMatching(/is not JSON/) })
    expect(existsSync(root)).toBe(false)
  })

  test('FA-19 a further process needs a program', async () => {
    using directory = temporaryDirectory('bundle-')
    const tenant = container('absent').withRoot(directory.path).asTenant()
    await expect(tenant.withArgs('/bin/true').build()).rejects.toMatchObject({ code: 'ContainerNotExists' })
  })
})
