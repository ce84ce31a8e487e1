import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cgroup } from '@libcontainer/cgroups'
import { type CgroupDriver, container, create, Factory, load } from '@libcontainer/container'
import { defaultMounts, readMountInfo, unmount } from '@libcontainer/mount'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, finished, printed, sleeper } from './support.js'

const needs = requires('root', 'rootfs')
/** As the package ships it. */
const ownInit = fileURLToPath(new URL(`../../init/prebuilds/linux-${process.arch}/init`, import.meta.url))

describe('a program in place of init', () => {
  test('FA-03 an absolute path: containers start by it', needs, async () => {
    using directory = temporaryDirectory('init-')
    const path = join(directory.path, 'my-init')
    writeFileSync(path, readFileSync(ownInit), { mode: 0o755 })
    const factory = await Factory.open(join(directory.path, 'state'), { init: { path } })
    // Read when the factory was opened: what becomes of the file is all the same.
    writeFileSync(path, '#!/bin/false\n')
    await using made = await factory.create(`init-${process.pid}`, { rootfs: busyboxRootfs() })
    const child = await made.run({ args: ['/bin/echo', 'started'], stdio: 'pipe' })
    expect(printed(await finished(child))).toBe('started')
  })

  test(
    'FA-02 a bare name is looked up in PATH, and the arguments come after the descriptor’s number',
    requires('root', 'rootfs', 'program:musl-gcc'),
    async () => {
      using directory = temporaryDirectory('init-')
      const seen = join(directory.path, 'seen')
      const program = `
        #include <stdio.h>
        #include <unistd.h>
        int main(int argc, char **argv)
        {
          FILE *out = fopen(argv[argc - 1], "a");
          for (int i = 0; i < argc; i++)
            fprintf(out, "%s\\n", argv[i]);
          fclose(out);
          execl("${ownInit}", "init", argv[1], (char *)0);
          return 1;
        }`
      writeFileSync(join(directory.path, 'wrapper.c'), program)
      execFileSync('musl-gcc', ['-static', '-o', join(directory.path, 'test-init'), join(directory.path, 'wrapper.c')])
      const script = `
        import { Factory } from '@libcontainer/container'
        const [state, seen, rootfs] = process.argv.slice(1)
        const factory = await Factory.open(state, { init: { path: 'test-init', args: ['--log', seen] } })
        const container = await factory.create('${`path-${process.pid}`}', { rootfs })
        try {
          const child = await container.run({ args: ['/bin/true'] })
          console.log((await child.wait()).code)
          console.log((await (await container.run({ args: ['/bin/false'] })).wait()).code)
        } finally {
          await container.destroy({ force: true })
        }`
      const args = ['--input-type=module', '-e', script, join(directory.path, 'state'), seen, busyboxRootfs()]
      const output = execFileSync(process.execPath, args, {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { PATH: `relative:${directory.path}:${process.env.PATH}` },
        encoding: 'utf8',
      })
      expect(output).toBe('0\n1\n')
      const each = ['init', expect.stringMatching(/^\d+$/), '--log', seen]
      expect(readFileSync(seen, 'utf8').trim().split('\n')).toEqual([...each, ...each])
    },
  )

  test('FA-03 a program that is no init fails the start, and nothing is left', needs, async () => {
    using directory = temporaryDirectory('init-')
    const factory = await Factory.open(directory.path, { init: { path: '/bin/true' } })
    const id = `noinit-${process.pid}`
    await using made = await factory.create(id, { rootfs: busyboxRootfs() })
    await expect(made.run(sleeper)).rejects.toMatchObject({ code: 'SystemError' })
    expect(await made.status()).toBe('stopped')
    expect(existsSync(join(directory.path, id, 'state.json'))).toBe(false)
  })
})

describe('a tmpfs for the state', () => {
  test('FA-06 it is mounted once, however often and however many open it at once', requires('root'), async () => {
    using directory = temporaryDirectory('tmpfs-')
    const root = join(directory.path, 'state')
    const mounts = async (): Promise<string[]> =>
      (await readMountInfo('self', ({ mountPoint }) => mountPoint === root)).map(({ type }) => type)
    try {
      await Promise.all(Array.from({ length: 8 }, () => Factory.open(root, { tmpfsRoot: true })))
      expect(await mounts()).toEqual(['tmpfs'])
      const factory = await Factory.open(root, { tmpfsRoot: true })
      expect(await mounts()).toEqual(['tmpfs'])
      expect(statSync(root).mode & 0o7777).toBe(0o700)
      expect(await factory.list()).toEqual([])
      await Factory.open(root)
      expect(await mounts()).toEqual(['tmpfs'])
    } finally {
      while ((await mounts()).length > 0) await unmount(root)
    }
    expect(await mounts()).toEqual([])
  })

  test('FA-06 containers live on it, and what is below it is out of sight', needs, async () => {
    using directory = temporaryDirectory('tmpfs-')
    const root = join(directory.path, 'state')
    mkdirSync(join(root, 'old'), { recursive: true })
    writeFileSync(join(root, 'old', 'state.json'), '{')
    chmodSync(root, 0o700)
    try {
      const factory = await Factory.open(root, { tmpfsRoot: true, warn: message => expect.unreachable(message) })
      expect(await factory.list()).toEqual([])
      await using made = await factory.create(`tmpfs-${process.pid}`, { rootfs: busyboxRootfs() })
      await made.run(sleeper)
      expect(await factory.list()).toEqual([made.id])
    } finally {
      await unmount(root)
    }
    expect(existsSync(join(root, 'old', 'state.json'))).toBe(true)
  })
})

describe('a driver of cgroups', () => {
  test('FA-04 FA-09 one’s own makes them, and finds them for every operation', needs, async () => {
    using directory = temporaryDirectory('driver-')
    const asked: string[] = []
    const below = (where: string | Readonly<Record<string, string>>): string | Readonly<Record<string, string>> =>
      typeof where === 'string' ? `/driver-${process.pid}${where}` : where
    const driver: CgroupDriver = {
      at: async where => await Cgroup.at(below(where)),
      open: async where => {
        asked.push('open')
        return await Cgroup.open(below(where))
      },
      create: async (path, limits, options) => {
        asked.push(`create ${path} ${limits.pids?.max}`)
        return await Cgroup.create(below(path) as string, limits, options)
      },
    }
    const factory = await Factory.open(directory.path, { cgroupDriver: driver })
    const id = `driver-${process.pid}-1`
    try {
      await using made = await factory.create(id, { rootfs: busyboxRootfs(), cgroups: { pids: { max: 7 } } })
      const child = await made.run(sleeper)
      expect(asked).toContain(`create /libcontainer-${id} 7`)
      const { cgroup_paths } = await made.state()
      expect(Object.values(cgroup_paths).every(path => path.includes(`/driver-${process.pid}/`))).toBe(true)
      expect(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8')).toContain(`/driver-${process.pid}/libcontainer-${id}`)
      expect((await made.stats()).cgroups.pids?.max).toBe(7)
      asked.length = 0
      const found = await factory.load(id)
      expect(await found.processes()).toEqual([child.pid])
      await found.pause()
      expect(await found.status()).toBe('paused')
      await found.resume()
      expect(asked).toContain('open')
      await found.destroy({ force: true })
      await child.wait()
      for (const path of Object.values(cgroup_paths)) expect(existsSync(path), path).toBe(false)
    } finally {
      await factory.remove(id)
      const parent = await Cgroup.at(`/driver-${process.pid}`)
      await parent.destroy()
    }
  })

  test('FA-09 what it refuses is the error of the start, and nothing is left', needs, async () => {
    using directory = temporaryDirectory('driver-')
    const driver: CgroupDriver = {
      at: async where => await Cgroup.at(where),
      open: async where => await Cgroup.open(where),
      create: async () => {
        throw new Error('the service says no')
      },
    }
    const factory = await Factory.open(directory.path, { cgroupDriver: driver })
    const id = `refused-${process.pid}`
    await using made = await factory.create(id, { rootfs: busyboxRootfs() })
    await expect(made.run(sleeper)).rejects.toThrow('the service says no')
    expect(await made.status()).toBe('stopped')
    await expect(Cgroup.open(`/libcontainer-${id}`)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('without a factory', () => {
  test('FA-17 functions and factories share what is on disk', needs, async () => {
    using directory = temporaryDirectory('functions-')
    const id = `functions-${process.pid}`
    await using made = await create(directory.path, id, { rootfs: busyboxRootfs() })
    await expect(create(directory.path, id, { rootfs: busyboxRootfs() })).rejects.toMatchObject({ code: 'IdInUse' })
    await made.run(sleeper)
    const factory = await Factory.open(directory.path)
    expect(await factory.list()).toEqual([id])
    expect(await (await factory.load(id)).status()).toBe('running')
    const found = await load(directory.path, id)
    expect(await found.status()).toBe('running')
    await found.destroy({ force: true })
    await expect(load(directory.path, id)).rejects.toMatchObject({ code: 'ContainerNotExists', number: 2 })
    expect(await made.status()).toBe('stopped')
  })

  test('FA-19 a builder makes a container of a bundle, and runs further processes in it', needs, async () => {
    using directory = temporaryDirectory('builder-')
    const id = `builder-${process.pid}`
    const bundle = join(directory.path, 'bundle')
    mkdirSync(bundle)
    const config = { rootfs: busyboxRootfs(), hostname: 'built', process: { args: ['/bin/sleep', '1000'] } }
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
    const root = join(directory.path, 'state')
    await using made = await container(id).withRoot(root).asInit(bundle).withEnv(['PATH=/bin', 'A=b']).build()
    expect(await made.status()).toBe('created')
    await made.exec()
    expect(await made.status()).toBe('running')
    expect(readFileSync(`/proc/${(await made.state()).init_process_pid}/environ`, 'utf8')).toContain('A=b')
    const child = await container(id)
      .withRoot(root)
      .asTenant()
      .withArgs('/bin/sh', '-c', 'hostname; id -u; pwd')
      .withUser('1000:1000')
      .withCwd('/tmp')
      .withProcess({ stdio: 'pipe' })
      .build()
    expect(printed(await finished(child))).toBe('built\n1000\n/tmp')
  })

  test('FA-19 a builder takes a config as it stands; without a program nothing runs yet', needs, async () => {
    using directory = temporaryDirectory('builder-')
    const told: string[] = []
    const mounts = [{ destination: 'tmp', type: 'tmpfs' }]
    await using made = await container(`config-${process.pid}`)
      .withRoot(directory.path)
      .withOptions({ warn: message => void told.push(message) })
      .asInit({ rootfs: busyboxRootfs(), mounts })
      .build()
    expect(await made.status()).toBe('stopped')
    expect(told).toEqual([expect.stringMatching(/mounts\[0\]\.destination.*taken from \//)])
  })

  test('FA-19 a program that cannot be started leaves no container', needs, async () => {
    using directory = temporaryDirectory('builder-')
    const build = container(`none-${process.pid}`)
      .withRoot(directory.path)
      .asInit({ rootfs: busyboxRootfs() })
      .withArgs('/bin/true')
      .withUser('nobody-knows')
    await expect(build.build()).rejects.toThrow(/nobody-knows/)
    expect(await (await Factory.open(directory.path)).list()).toEqual([])
    expect(existsSync(join(directory.path, `none-${process.pid}`))).toBe(false)
  })
})

test('VAL-30 EV-070 a relative destination is told to warn, and mounted from /', needs, async () => {
  await using bench = await Bench.open('relative')
  const mounts = [...defaultMounts, { destination: 'tmp', type: 'tmpfs' }]
  expect(await bench.text('stat -f -c %T /tmp', { mounts })).toBe('tmpfs')
})

test(
  'CO-09 a state root whose path is longer than a socket’s address holds: containers wait in it for their start',
  needs,
  async () => {
    using directory = temporaryDirectory('long-')
    const factory = await Factory.open(join(directory.path, 'x'.repeat(120), 'y'.repeat(120)))
    await using made = await factory.create(`long-${process.pid}`, { rootfs: busyboxRootfs() })
    const child = await made.start({ args: ['/bin/echo', 'started'], stdio: 'pipe' })
    expect(await made.status()).toBe('created')
    await made.exec()
    expect(printed(await finished(child))).toBe('started')
  },
)
