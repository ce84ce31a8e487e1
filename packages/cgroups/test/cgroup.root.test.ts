import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Cgroup, cgroupHost, getAllSubsystems, getInitCgroupDir, getThisCgroupDir } from '@libcontainer/cgroups'
import { OwnedFd } from '@libcontainer/sys'
import { afterAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'
import { cgroupsOf, directoriesOf, freshCgroup, freshPath, hostOf, pause, removedAtEnd, run } from './support.js'

describe('the host', () => {
  test('CG-01 CG-05 CG-07 is what /proc and the mounts say', async () => {
    const host = await cgroupHost()
    expect(await cgroupHost()).toBe(host)
    expect(await cgroupHost({ refresh: true })).toEqual(host)
    const types = new Set(readFileSync('/proc/self/mounts', 'utf8').match(/(?<= )cgroup2?(?= )/g))
    expect(host.mode).toBe(
      { cgroup: 'v1', cgroup2: 'v2', 'cgroup,cgroup2': 'hybrid' }[[...types].sort().join()] ?? 'none',
    )
    const known = new Set(await getAllSubsystems(host))
    for (const { controllers, version } of host.hierarchies) {
      if (version === 1) for (const name of controllers) expect(name.startsWith('name=') || known.has(name)).toBe(true)
    }
    const [first] = host.hierarchies
    const controller = first!.version === 2 ? '' : first!.controllers[0]!
    expect(await getThisCgroupDir(controller)).toBe(cgroupsOf(process.pid).get(controller))
    expect(await getInitCgroupDir(controller)).toBe(cgroupsOf(1).get(controller))
    await expect(getThisCgroupDir('nothing')).rejects.toMatchObject({ code: 'NotFound' })
  })
})

describe('making and removing', () => {
  test('CG-20 CG-44 a process is joined to every hierarchy', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const shell = run(':')
    await group.add(shell.pid)
    expect(new Set(cgroupsOf(shell.pid).values())).toEqual(new Set([group.path]))
    expect(await group.processes()).toEqual([shell.pid])
    expect(await group.exists()).toBe(true)
    shell.go()
    await shell.ended
    await group.destroy()
    expect(await group.exists()).toBe(false)
    expect(await directoriesOf(group.path)).toEqual([])
    expect(await group.processes()).toEqual([])
    expect(await group.oomKillCount()).toBe(0)
    await group.destroy()
    await group.kill()
  })

  test('a cgroup that is there in any hierarchy is not taken over by accident', requires('cgroup:pids'), async () => {
    const path = freshPath()
    removedAtEnd(path)
    const [pids] = (await cgroupHost()).hierarchies.filter(({ controllers }) => controllers.includes('pids'))
    mkdirSync(pids!.mountpoint + path)
    await expect(Cgroup.create(path)).rejects.toMatchObject({
      code: 'EEXIST',
      path: pids!.mountpoint + path,
      hint: expect.stringContaining('Cgroup.open'),
    })
    expect(await directoriesOf(path)).toEqual([pids!.mountpoint + path])
    const partial = await Cgroup.open(path)
    expect([...partial.paths.keys()]).toEqual([pids!.version === 1 ? 'pids' : ''])
    const whole = await Cgroup.create(path, { pids: { max: 5 } }, { existing: true })
    expect((await whole.stats(['pids'])).pids!.max).toBe(5)
    expect(await directoriesOf(path)).toHaveLength((await cgroupHost()).hierarchies.length)
  })

  test('CG-17 saved paths open the same cgroup, and only clean ones', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const saved = JSON.parse(JSON.stringify(Object.fromEntries(group.paths))) as Record<string, string>
    expect((await Cgroup.open(saved)).paths).toEqual(group.paths)
    expect((await Cgroup.open(group.paths)).path).toBe(group.path)
    const [key, directory] = Object.entries(saved)[0]!
    for (const bad of [`${directory}/..`, '/tmp', `${directory}/`, 'relative']) {
      await expect(Cgroup.open({ [key]: bad })).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'paths' })
    }
    await expect(Cgroup.open(freshPath())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('CG-10 what is no cgroup file system is not written to', requires('root'), async () => {
    const mountpoint = mkdtempSync(join(tmpdir(), 'libcontainer-cgroups-'))
    const host = {
      mode: 'v2',
      hierarchies: [{ version: 2, controllers: [], mountpoint, own: '', noPrefix: false }],
    } as const
    try {
      await expect(Cgroup.create('/demo', {}, { host })).rejects.toMatchObject({
        code: 'EXDEV',
        message: expect.stringContaining('no cgroup file system'),
      })
      expect(readdirSync(mountpoint)).toEqual([])
    } finally {
      rmdirSync(mountpoint)
    }
  })

  test('CG-08 a relative path lies below the own cgroup, on v2 beside it', requires('cgroup:memory'), async () => {
    const name = freshPath().replace(/.*\//, '')
    const group = await Cgroup.create(name)
    try {
      const { hierarchies, mode } = await cgroupHost()
      const memory = hierarchies.find(({ controllers }) => controllers.includes('memory'))!
      const key = memory.version === 1 ? 'memory' : ''
      const own = cgroupsOf(process.pid).get(key)!
      const base = mode === 'v2' ? dirname(own) : own
      expect(group.paths.get(key)).toBe(join(memory.mountpoint, base, name))
      const shell = run(':')
      await group.add(shell.pid)
      expect(cgroupsOf(shell.pid).get(key)).toBe(join(base, name))
      shell.child.kill('SIGKILL')
    } finally {
      await group.kill()
      await group.destroy()
    }
  })

  test('CG-30 parents that have no processors yet are filled', requires('root', 'cgroup1:cpuset'), async () => {
    const path = freshPath()
    removedAtEnd(path)
    const cpuset = (await cgroupHost()).hierarchies.find(({ controllers }) => controllers.includes('cpuset'))!
    mkdirSync(cpuset.mountpoint + path)
    const group = await Cgroup.create(`${path}/inner`)
    const shell = run(':')
    await group.add(shell.pid)
    expect(readFileSync(`${cpuset.mountpoint}${path}/cpuset.cpus`, 'utf8')).toMatch(/^\d/)
    expect((await group.stats(['cpuset'])).cpuset!.mems).toContain(0)
  })

  test(
    'CG-12 CG-14 LR-08 cgroups below are listed and removed too; what is busy is told with its path',
    requires('cgroup'),
    async () => {
      const group = await freshCgroup()
      const inner = await Cgroup.create(`${group.path}/a/b/c`)
      // On pure v2 the upper ones hand their controllers on, and may hold no processes.
      const upper = inner.host.mode === 'v2' ? await Cgroup.create(`${group.path}/x`) : group
      const [one, two] = [run(':'), run(':')]
      await upper.add(one.pid)
      await group.add(two.pid, { sub: '../a/b/c' })
      expect(new Set(cgroupsOf(two.pid).values())).toEqual(new Set([inner.path]))
      expect(await group.processes()).toEqual([one.pid, two.pid].sort((a, b) => a - b))
      expect(await group.processes({ recursive: false })).toEqual(upper === group ? [one.pid] : [])
      await expect(group.destroy({ timeoutMs: 50 })).rejects.toMatchObject({
        code: 'EBUSY',
        path: expect.stringContaining(group.path),
        hint: expect.stringContaining('processes()'),
      })
      expect(await group.signal(15)).toBe(2)
      await group.destroy()
      expect(await directoriesOf(group.path)).toEqual([])
    },
  )

  test('on v2 a cgroup that hands controllers on takes no processes', requires('cgroup2:memory'), async () => {
    const host = await hostOf('v2', ['memory'])
    const group = await freshCgroup({}, { host })
    await Cgroup.create(`${group.path}/inner`, {}, { host })
    await expect(group.add(run(':').pid)).rejects.toMatchObject({
      code: 'EBUSY',
      hint: expect.stringContaining('use a child of it'),
    })
  })

  test('CG-14 removal waits for processes that are ending', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const shell = run('trap "" TERM; sleep 0.3')
    await group.add(shell.pid)
    shell.go()
    await group.destroy({ timeoutMs: 5000 })
    expect(await directoriesOf(group.path)).toEqual([])
  })

  test('an abandoned wait ends at once', requires('cgroup'), async () => {
    const group = await freshCgroup()
    await group.add(run(':').pid)
    const reason = new Error('enough')
    await expect(group.destroy({ timeoutMs: 60_000, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const destroying = group.destroy({ timeoutMs: 60_000, signal: controller.signal })
    setTimeout(() => controller.abort(reason), 20)
    await expect(destroying).rejects.toBe(reason)
  })

  test('CG-13 bad and ended processes are refused', requires('cgroup'), async () => {
    const group = await freshCgroup()
    for (const pid of [0, -1, 1.5, Number.NaN]) await expect(group.add(pid)).rejects.toMatchObject({ field: 'pid' })
    const gone = run('')
    gone.go()
    await gone.ended
    await expect(group.add(gone.pid)).rejects.toMatchObject({ code: 'ESRCH', hint: 'the process has ended' })
  })

  test('EV-159 a user who may not is told what would help', requires('root', 'reachable', 'CAP_SETUID'), async () => {
    const script = `
      import { Cgroup } from '@libcontainer/cgroups'
      process.setgid(65534); process.setuid(65534)
      await Cgroup.create('/lc-test-nobody').catch(error => console.log(error.code, error.path, '|', error.hint))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(output).toMatch(/^EACCES \/sys\/fs\/cgroup\/.* \| .*Delegate=yes/)
  })

  test('many at once, and no descriptor is left', requires('cgroup:memory'), async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    await (await freshCgroup({ pids: { max: 5 } })).destroy()
    const before = open()
    const paths = Array.from({ length: 40 }, freshPath)
    for (const path of paths) removedAtEnd(path)
    await Promise.all(
      paths.map(async path => {
        const group = await Cgroup.create(path, { pids: { max: 5 }, memory: { max: 2 ** 24 } })
        await group.stats()
        await group.destroy()
      }),
    )
    expect(open()).toBe(before)
    for (const path of paths) expect(await directoriesOf(path)).toEqual([])
  })
})

describe('being born inside', () => {
  const driver = new Driver(['cgroups'])
  afterAll(() => driver.close())

  test('S27 a process moves itself into every v1 hierarchy', requires('root', 'cgroup1', 'program:gcc'), async () => {
    const group = await freshCgroup()
    const { code, stdout, stderr } = await driver.run(group.joinSelfSteps({ unified: true }), {
      argv: ['/bin/cat', '/proc/self/cgroup'],
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(
      new Set(
        stdout
          .trim()
          .split('\n')
          .map(line => line.split(':')[2]),
      ),
    ).toEqual(new Set([group.path]))
  })

  test('S27 also from a new user namespace', requires('root', 'cgroup1', 'program:gcc', 'namespace:user'), async () => {
    const group = await freshCgroup()
    const { code, stdout } = await driver.run(group.joinSelfSteps(), {
      argv: ['/bin/cat', '/proc/self/cgroup'],
      wrapper: ['unshare', '--user'],
    })
    expect(code).toBe(0)
    expect(stdout).toContain(`pids:${group.path}\n`)
  })

  test('the unified directory is opened for CLONE_INTO_CGROUP', requires('cgroup', 'cgroup2'), async () => {
    const group = await freshCgroup()
    const fd = await group.openUnified()
    expect(fd).toBeInstanceOf(OwnedFd)
    try {
      expect(readlinkSync(`/proc/self/fd/${fd!.fd}`)).toBe(group.paths.get(''))
    } finally {
      fd!.close()
    }
  })

  test('v1 has no such directory', requires('root', 'cgroup1'), async () => {
    const old = await Cgroup.create(freshPath(), {}, { host: await hostOf('v1') })
    expect(await old.openUnified()).toBeUndefined()
    await old.destroy()
  })
})

describe.each(['hybrid', 'v2', 'v1'] as const)('stopping and killing, as %s', mode => {
  const needs =
    mode === 'hybrid' ? requires('root', 'hybrid') : requires('cgroup', mode === 'v2' ? 'cgroup2' : 'cgroup1:freezer')
  const fresh = async (): Promise<Cgroup> => freshCgroup({}, mode === 'hybrid' ? {} : { host: await hostOf(mode) })

  test('CG-37 CG-61 CG-38 frozen processes make no progress until they are thawed', needs, async () => {
    const group = await fresh()
    const loop = run('while :; do echo x; done')
    let size = 0
    loop.child.stdout!.on('data', chunk => {
      size += chunk.length
    })
    await group.add(loop.pid)
    loop.go()
    while (size === 0) await pause(5)
    expect(await group.freezerState()).toBe('THAWED')
    await group.freeze()
    expect(await group.freezerState()).toBe('FROZEN')
    await pause(100)
    const still = size
    await pause(200)
    expect(size).toBe(still)
    await group.setFreezer('THAWED')
    expect(await group.freezerState()).toBe('THAWED')
    while (size === still) await pause(5)
  })

  test('CG-65 kill ends those that fork, and frozen ones', needs, async () => {
    const group = await fresh()
    const bomb = run('while :; do sleep 1 & done 2>/dev/null')
    await group.add(bomb.pid)
    bomb.go()
    while ((await group.processes()).length < 20) await pause(5)
    await group.kill()
    expect((await bomb.ended).signal).toBe('SIGKILL')
    await group.destroy({ timeoutMs: 10_000 })
    const again = await fresh()
    const frozen = run(':')
    await again.add(frozen.pid)
    await again.freeze()
    await again.kill()
    expect((await frozen.ended).signal).toBe('SIGKILL')
    await again.destroy()
    expect(await directoriesOf(again.path)).toEqual([])
  })
})

describe('freezing', () => {
  test(
    'an empty cgroup is frozen at once, and EV-158 other words are refused',
    requires('cgroup', 'cgroup2'),
    async () => {
      const group = await freshCgroup()
      await group.freeze({ timeoutMs: 1000 })
      expect(await group.freezerState()).toBe('FROZEN')
      for (const state of ['FREEZING', '', 'frozen']) {
        await expect(group.setFreezer(state as 'FROZEN')).rejects.toMatchObject({ code: 'ConfigInvalid', value: state })
      }
      await expect(group.freeze({ signal: AbortSignal.abort() })).rejects.toThrow()
    },
  )

  test(
    "S27 a hybrid cgroup that v1's freezer has stopped says so, and is thawed",
    requires('root', 'hybrid', 'cgroup1:freezer'),
    async () => {
      const group = await freshCgroup()
      const v1 = await Cgroup.open(group.path, { host: await hostOf('v1') })
      const shell = run('echo done')
      await group.add(shell.pid)
      await v1.freeze()
      expect(await group.freezerState()).toBe('FROZEN')
      shell.go()
      await group.thaw()
      expect((await shell.ended).stdout).toBe('done\n')
      await v1.freeze()
      await group.kill()
      expect(await group.freezerState()).toBe('THAWED')
    },
  )
})

test('asyncDispose kills and removes', requires('cgroup'), async () => {
  const group = await freshCgroup()
  const shell = run(':')
  await group.add(shell.pid)
  await group[Symbol.asyncDispose]()
  expect(existsSync([...group.paths.values()][0]!)).toBe(false)
})
