import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Cgroup } from '@libcontainer/cgroups'
import { type Container, Factory } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { alive, busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { everything } from './everything.js'
import { Bench, elsewhere, finished, inside, sleeper } from './support.js'

const needs = requires('root', 'rootfs')
/** The cgroups of the containers that these tests make. */
const ours = new RegExp(`^(libcontainer-[a-z]+-${process.pid}-|lc-[a-z]+-${process.pid})`)
const directoryOf = (bench: Bench, container: Container): string => `${bench.factory.root}/${container.id}`
const settle = (ms = 50): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe('create', () => {
  test('FA-10 FA-11 CO-01 CO-05 it makes a directory, and starts nothing', needs, async () => {
    await using bench = await Bench.open('create')
    const before = everything(ours)
    const config = { rootfs: busyboxRootfs(), hostname: 'here', cgroups: { pids: { max: 7 } } }
    const container = await bench.factory.create(bench.id(), config)
    const directory = directoryOf(bench, container)
    expect(statSync(bench.factory.root).mode & 0o7777).toBe(0o700)
    expect(statSync(directory).mode & 0o7777).toBe(0o711)
    expect(readdirSync(directory)).toEqual([])
    expect(everything(ours)).toEqual(before)
    expect(await container.status()).toBe('stopped')
    expect(await container.processes()).toEqual([])
    await expect(container.state()).rejects.toMatchObject({ code: 'ContainerNotExists' })
    await expect(bench.factory.load(container.id)).rejects.toMatchObject({ code: 'ContainerNotExists' })

    // A copy: what the caller changes is his.
    const copy = container.config() as { hostname: string; cgroups: { pids: { max: number } } }
    copy.hostname = 'there'
    copy.cgroups.pids.max = 1
    config.hostname = 'nowhere'
    config.cgroups.pids.max = 2
    expect(container.config()).toMatchObject({
      hostname: 'here',
      cgroups: { pids: { max: 7 }, path: `/libcontainer-${container.id}` },
    })
    await container.destroy()
    expect(existsSync(directory)).toBe(false)
  })

  test('EV-006 ER-01 an id in use is refused, running or not, and the container is untouched', needs, async () => {
    await using bench = await Bench.open('inuse')
    const container = await bench.create()
    await expect(bench.create({}, container.id)).rejects.toMatchObject({ code: 'IdInUse', number: 0 })
    const process = await container.run(sleeper)
    await expect(bench.create({}, container.id)).rejects.toMatchObject({ code: 'IdInUse' })
    expect(await container.status()).toBe('running')
    expect(await container.processes()).toEqual([process.pid])
    await container.destroy({ force: true })
    await (await bench.create({}, container.id)).destroy()
  })

  test('FA-18 EV-006 of many creates of one id at once one wins', needs, async () => {
    await using bench = await Bench.open('race')
    const id = bench.id()
    const results = await Promise.allSettled(Array.from({ length: 16 }, () => bench.create({}, id)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'IdInUse' })
  })

  test('FA-18 CO-23 also when it is two processes that create', needs, async () => {
    await using bench = await Bench.open('race')
    const id = bench.id()
    const program = `
      const factory = await Factory.open(args[0])
      return await factory.create(args[1], { rootfs: args[2] }).then(() => 'won')
    `
    const answers = await Promise.all([1, 2, 3].map(() => elsewhere(program, bench.factory.root, id, busyboxRootfs())))
    expect(answers.filter(answer => answer === 'won')).toHaveLength(1)
    expect(answers.filter(answer => (answer as { error?: string }).error === 'IdInUse')).toHaveLength(2)
  })

  test('FA-12 EV-144 a cgroup that others live in, or that is frozen, is refused and left alone', needs, async () => {
    await using bench = await Bench.open('cgroup')
    const { container, init: process } = await bench.running()
    const path = `/libcontainer-${container.id}`
    const before = readdirSync(bench.factory.root)
    await expect(bench.create({ cgroups: { path } })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'cgroups.path',
      message: expect.stringContaining('not empty: 1 processes'),
    })
    expect(readdirSync(bench.factory.root)).toEqual(before)
    expect(alive(process.pid)).toBe(true)

    await using empty = await Cgroup.create(`/lc-frozen-${globalThis.process.pid}`)
    await empty.freeze()
    await expect(bench.create({ cgroups: { path: empty.path } })).rejects.toThrow(/frozen/)
    await empty.thaw()
    await (await bench.create({ cgroups: { path: empty.path } })).destroy()
  })

  test(
    'FA-12 a cgroup that filled between create and start is not joined, and nobody in it is killed',
    needs,
    async () => {
      await using bench = await Bench.open('cgroup')
      const path = `/lc-shared-${process.pid}`
      const first = await bench.create({ cgroups: { path } })
      const second = await bench.create({ cgroups: { path } })
      const init = await first.run(sleeper)
      await expect(second.run(sleeper)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'cgroups.path' })
      expect(alive(init.pid)).toBe(true)
      expect(await first.status()).toBe('running')
      await second.destroy()
      expect(alive(init.pid)).toBe(true)
      expect(await first.status()).toBe('running')
    },
  )
})

describe('start, exec, run', () => {
  test('CO-09 CO-12 ST-01 ST-04 created: the program waits until exec()', needs, async () => {
    await using bench = await Bench.open('start')
    const container = await bench.create({ hostname: 'created' })
    const init = await container.start({ args: ['/bin/sh', '-c', 'hostname; exit 7'], stdio: 'pipe' })
    expect(await container.status()).toBe('created')
    expect(await container.processes()).toEqual([init.pid])
    expect(readFileSync(`/proc/${init.pid}/comm`, 'utf8')).toBe('init:created\n')
    await settle()
    expect(await container.status()).toBe('created')
    await container.exec()
    expect(await finished(init)).toMatchObject({ stdout: 'created\n', code: 7 })
    expect(await container.status()).toBe('stopped')
    expect(readdirSync(directoryOf(bench, container))).not.toContain('start.sock')
  })

  test('ST-12 ST-14 ST-16 CO-03 the state of a created container says where it is', needs, async () => {
    await using bench = await Bench.open('state')
    const container = await bench.create()
    const init = await container.start(sleeper)
    const state = await container.state()
    expect(state).toMatchObject({ id: container.id, init_process_pid: init.pid })
    expect(new Date(state.created!).toISOString()).toBe(state.created)
    expect(Math.abs(Date.parse(state.created!) - Date.now())).toBeLessThan(60_000)
    const stat = readFileSync(`/proc/${init.pid}/stat`, 'utf8')
    expect(state.init_process_start).toBe(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    expect(state.namespace_paths.cgroup).toBe(`/proc/${init.pid}/ns/cgroup`)
    for (const path of Object.values(state.cgroup_paths))
      expect(readFileSync(`${path}/cgroup.procs`, 'utf8')).toBe(`${init.pid}\n`)
    expect(statSync(`${directoryOf(bench, container)}/state.json`).mode & 0o7777).toBe(0o600)
  })

  test('CO-11 run() of a container that has nothing is start and exec, else it joins', needs, async () => {
    await using bench = await Bench.open('run')
    const { container, init } = await bench.running()
    expect(await container.status()).toBe('running')
    const second = await container.run({ args: ['/bin/sh', '-c', 'echo $$; cat /proc/1/comm'], stdio: 'pipe' })
    const { stdout, code } = await finished(second)
    expect(stdout).toMatch(/^\d+\nsleep\n$/)
    expect(code).toBe(0)
    expect(alive(init.pid)).toBe(true)
  })

  test('CO-09 a second first process is refused', needs, async () => {
    await using bench = await Bench.open('second')
    const container = await bench.create()
    const init = await container.start(sleeper)
    await expect(container.start(sleeper)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
    await container.exec()
    await expect(container.start(sleeper)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
    await container.pause()
    await expect(container.start(sleeper)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
    expect(alive(init.pid)).toBe(true)
  })

  test('ST-07 a stopped container can be started again', needs, async () => {
    await using bench = await Bench.open('again')
    const container = await bench.create()
    for (let i = 0; i < 3; i++) {
      const process = await container.run({ args: ['/bin/sh', '-c', `exit ${i}`] })
      expect((await process.wait()).code).toBe(i)
      expect(await container.status()).toBe('stopped')
    }
    const process = await container.start(sleeper)
    expect((await container.state()).init_process_pid).toBe(process.pid)
  })

  test('CO-10 a further process is in the same namespaces and cgroups, with the same filter', needs, async () => {
    await using bench = await Bench.open('join')
    const { container, init } = await bench.running({
      hostname: 'joined',
      namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup', 'time'],
      timeOffsets: { boottime: { secs: 1_000_000 } },
    })
    const script =
      'for file in /proc/self/ns/* /proc/1/ns/*; do readlink $file; done; grep -E "Seccomp:|NoNewPrivs|CapBnd" /proc/self/status /proc/1/status'
    const lines = (await inside(container, script)).split('\n')
    const namespaces = lines.filter(line => line.includes(':['))
    expect(namespaces).toHaveLength(20)
    expect(namespaces.slice(0, 10)).toEqual(namespaces.slice(10))
    const facts = lines.filter(line => line.includes('status:')).map(line => line.replace(/^.*status:/, ''))
    expect(facts.slice(0, 3)).toEqual(facts.slice(3))
    expect(facts.join()).toContain('Seccomp:\t2')
    expect(Number((await inside(container, 'cat /proc/uptime')).split(' ')[0])).toBeGreaterThan(1_000_000)
    const process = await container.exec(sleeper)
    expect((await container.processes()).sort()).toEqual([init.pid, process.pid].sort())
    expect(readFileSync(`/proc/${process.pid}/cgroup`, 'utf8')).toBe(readFileSync(`/proc/${init.pid}/cgroup`, 'utf8'))
  })

  test('CO-10 into a created container, too', needs, async () => {
    await using bench = await Bench.open('early')
    const container = await bench.create()
    await container.start(sleeper)
    expect(await inside(container, 'cat /proc/1/comm')).toBe('init:created')
    expect(await container.status()).toBe('created')
  })

  test('LR-04 S20 two starters: one wins, the other has a clear error', needs, async () => {
    await using bench = await Bench.open('starters')
    for (let i = 0; i < 5; i++) {
      const container = await bench.create()
      const init = await container.start(sleeper)
      const results = await Promise.allSettled([container.exec(), container.exec(), container.exec()])
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ name: 'ContainerError', code: 'AlreadyStarted' })
      }
      expect(await container.status()).toBe('running')
      await expect(container.exec()).rejects.toMatchObject({
        code: 'AlreadyStarted',
        message: expect.stringContaining('running'),
      })
      expect(alive(init.pid)).toBe(true)
      await container.destroy({ force: true })
    }
  })

  test('LR-05 a created init that was killed: starting fails at once', needs, async () => {
    await using bench = await Bench.open('dead')
    const container = await bench.create()
    const init = await container.start(sleeper)
    init.signal('KILL')
    expect(await init.wait()).toMatchObject({ signal: 'SIGKILL', code: undefined })
    expect(await container.status()).toBe('stopped')
    await expect(container.exec()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await container.destroy()
  })

  test('S20 the failure of the exec itself is told to who starts', needs, async () => {
    await using bench = await Bench.open('failing')
    using directory = temporaryDirectory('failing-')
    writeFileSync(`${directory.path}/text`, 'neither a binary nor a script\n', { mode: 0o755 })
    const mounts = [{ destination: '/mnt', source: directory.path, options: ['bind'] }]
    const container = await bench.create({ mounts: [...(await bench.create()).config().mounts, ...mounts] })
    const init = await container.start({ args: ['/mnt/text'] })
    await expect(container.exec()).rejects.toMatchObject({
      code: 'SystemError',
      syscall: 'execve',
      errno: -8,
      hint: expect.stringContaining('#!'),
    })
    expect((await init.wait()).code).toBe(127)
    expect(await container.status()).toBe('stopped')
  })
})

describe('statuses', () => {
  test('ST-01 ST-02 ST-05 ST-06 CO-02 created, running, paused, running, stopped', needs, async () => {
    await using bench = await Bench.open('statuses')
    const container = await bench.create()
    const other = async (): Promise<string> => await (await bench.factory.load(container.id)).status()
    await container.start(sleeper)
    expect([await container.status(), await other()]).toEqual(['created', 'created'])
    await container.pause()
    expect([await container.status(), await other()]).toEqual(['paused', 'paused'])
    await container.resume()
    expect([await container.status(), await other()]).toEqual(['created', 'created'])
    await container.exec()
    expect([await container.status(), await other()]).toEqual(['running', 'running'])
    await container.pause()
    await container.pause()
    expect([await container.status(), await other()]).toEqual(['paused', 'paused'])
    await container.resume()
    expect([await container.status(), await other()]).toEqual(['running', 'running'])
    await container.signal('KILL')
    await container.ended()
    expect([await container.status(), await other()]).toEqual(['stopped', 'stopped'])
    await container.destroy()
    expect(await container.status()).toBe('stopped')
    await expect(other()).rejects.toMatchObject({ code: 'ContainerNotExists' })
  })

  test('ST-03 LR-01 a process that has the number of a dead init is not it', needs, async () => {
    await using bench = await Bench.open('reuse')
    const { container } = await bench.running()
    const path = `${directoryOf(bench, container)}/state.json`
    const state = JSON.parse(readFileSync(path, 'utf8')) as object
    const withPid = (pid: number): string =>
      JSON.stringify({ ...state, init_process_pid: pid, namespace_paths: { pid: `/proc/${pid}/ns/pid` } })
    // Another process of ours, with the start time of the old one.
    writeFileSync(path, withPid(process.pid))
    expect(await container.status()).toBe('stopped')
    await expect(container.signal('TERM')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await expect(container.signal('KILL')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await expect(container.exec(sleeper)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await container.ended()
    writeFileSync(path, withPid(4_194_304))
    expect(await container.status()).toBe('stopped')
    // What is left of it in the cgroup is killed all the same.
    await container.destroy()
    expect(await container.processes()).toEqual([])
  })

  test('ST-10 ER-06 CO-16 CO-17 nothing runs: pause, resume, signal, exec and stats say so', needs, async () => {
    await using bench = await Bench.open('stopped')
    const container = await bench.create()
    const check = async (): Promise<void> => {
      await expect(container.pause()).rejects.toMatchObject({ code: 'ContainerNotRunning', number: 5 })
      await expect(container.resume()).rejects.toMatchObject({ code: 'NotPaused' })
      await expect(container.signal('TERM')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
      await expect(container.exec(sleeper)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
      await expect(container.exec()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
      await container.ended()
    }
    await check()
    await expect(container.stats()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await (await container.run({ args: ['/bin/true'] })).wait()
    await check()
    await container.destroy()
    await container.destroy()
    await expect(container.signal('TERM')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await expect(container.run(sleeper)).rejects.toMatchObject({ code: 'ContainerNotExists' })
    await expect(container.start(sleeper)).rejects.toMatchObject({ code: 'ContainerNotExists' })
    await expect(container.stats()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    expect(await container.processes()).toEqual([])
  })

  test('ST-10 ER-04 ER-07 a paused container: no exec, no destroy, and resume but once', needs, async () => {
    await using bench = await Bench.open('paused')
    const { container } = await bench.running()
    await expect(container.resume()).rejects.toMatchObject({ code: 'NotPaused', number: undefined })
    await container.pause()
    await expect(container.exec({ args: ['/bin/true'] })).rejects.toMatchObject({ code: 'ContainerPaused', number: 3 })
    await expect(container.run({ args: ['/bin/true'] })).rejects.toMatchObject({ code: 'ContainerPaused' })
    await expect(container.destroy()).rejects.toMatchObject({ code: 'ContainerPaused' })
    expect(await container.status()).toBe('paused')
    await container.resume()
    await expect(container.resume()).rejects.toMatchObject({ code: 'NotPaused' })
    expect(await inside(container, 'echo on')).toBe('on')
  })

  test('CO-16 what is paused does nothing, and goes on afterwards', needs, async () => {
    await using bench = await Bench.open('counting')
    using shared = temporaryDirectory('counting-')
    const mounts = [
      ...(await bench.create()).config().mounts,
      { destination: '/mnt', source: shared.path, options: ['bind'] },
    ]
    const container = await bench.create({ mounts })
    await container.run({ args: ['/bin/sh', '-c', 'while :; do echo x >> /mnt/file; usleep 1000; done'] })
    const size = (): number => (existsSync(`${shared.path}/file`) ? statSync(`${shared.path}/file`).size : 0)
    while (size() === 0) await settle(5)
    await container.pause()
    const stood = size()
    await settle(60)
    expect(size()).toBe(stood)
    await container.resume()
    while (size() === stood) await settle(5)
    await container.destroy({ force: true })
  })
})

describe('signals and ends', () => {
  test('CO-13 a signal goes to the first process alone', needs, async () => {
    await using bench = await Bench.open('signal')
    const container = await bench.create()
    const init = await container.run({
      args: ['/bin/sh', '-c', 'trap "exit 9" USR1; echo ready; while :; do sleep 0.01; done'],
      stdio: ['null', 'pipe', 'null'],
    })
    const other = await container.exec(sleeper)
    await new Promise(resolve => init.stdout!.once('data', resolve))
    await container.signal('SIGUSR1')
    expect(await init.wait()).toMatchObject({ code: 9 })
    // CO-27: the kernel ends the rest of the pid namespace.
    expect(await other.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await container.processes()).toEqual([])
    expect(await container.status()).toBe('stopped')
    init.stdout!.destroy()
  })

  test('CO-13 EV-196 unknown signals are refused, and 0 is none', needs, async () => {
    await using bench = await Bench.open('unknown')
    const { container, init } = await bench.running()
    for (const signal of ['NOPE', '', 0, 65, -9, 1.5, null, undefined]) {
      await expect(container.signal(signal as never)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'signal' })
      expect(() => init.signal(signal as never)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
    }
    expect(alive(init.pid)).toBe(true)
  })

  test('CO-13 KILL reaches a paused container', needs, async () => {
    await using bench = await Bench.open('frozen')
    const { container, init } = await bench.running()
    await container.pause()
    await container.signal('KILL')
    expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await container.status()).toBe('stopped')
    await container.destroy()
  })

  test('CO-27 with the first process of a pid namespace all others end', needs, async () => {
    await using bench = await Bench.open('all')
    const container = await bench.create()
    const init = await container.run({
      args: ['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & echo; read x'],
      stdio: 'pipe',
    })
    await new Promise(resolve => init.stdout!.once('data', resolve))
    const pids = await container.processes()
    expect(pids).toHaveLength(3)
    init.stdin!.end()
    expect((await finished(init)).code).toBe(1)
    expect(await container.processes()).toEqual([])
    for (const pid of pids) expect(alive(pid)).toBe(false)
  })

  test('CO-28 with a shared pid namespace the others live on: KILL and destroy end them', needs, async () => {
    await using bench = await Bench.open('shared')
    const start = async (): Promise<{
      container: Container
      pids: number[]
      init: Awaited<ReturnType<Container['run']>>
    }> => {
      const container = await bench.create({ namespaces: ['mnt', 'ipc', 'uts', 'net'] })
      const init = await container.run({
        args: ['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & echo; read x'],
        stdio: 'pipe',
      })
      await new Promise(resolve => init.stdout!.once('data', resolve))
      return { container, init, pids: await container.processes() }
    }
    const one = await start()
    expect(one.pids).toHaveLength(3)
    one.init.signal('TERM')
    await one.init.wait()
    expect(await one.container.status()).toBe('stopped')
    expect((await one.container.processes()).sort()).toEqual(one.pids.filter(pid => pid !== one.init.pid).sort())
    await one.container.destroy()
    for (const pid of one.pids) expect(alive(pid)).toBe(false)
    one.init.stdout!.destroy()

    const two = await start()
    await two.container.signal('KILL')
    await two.init.wait()
    for (let i = 0; i < 100 && two.pids.some(alive); i++) await settle(10)
    expect(two.pids.filter(alive)).toEqual([])
    two.init.stdout!.destroy()
  })

  test('CO-06 the list of processes has those of cgroups below, and outlives the cgroup', needs, async () => {
    await using bench = await Bench.open('below')
    const { container, init } = await bench.running()
    const { cgroup_paths: paths } = await container.state()
    const freezer = paths.freezer ?? paths['']!
    mkdirSync(`${freezer}/below`)
    const other = await container.exec(sleeper)
    for (const path of new Set(Object.values(paths))) {
      if (!existsSync(`${path}/below`)) mkdirSync(`${path}/below`)
      if (path.includes('cpuset'))
        for (const file of ['cpuset.cpus', 'cpuset.mems'])
          writeFileSync(`${path}/below/${file}`, readFileSync(`${path}/${file}`))
      writeFileSync(`${path}/below/cgroup.procs`, String(other.pid))
    }
    expect((await container.processes()).sort()).toEqual([init.pid, other.pid].sort())
    await container.destroy({ force: true })
    for (const path of Object.values(paths)) expect(existsSync(path)).toBe(false)
    expect(await container.processes()).toEqual([])
  })

  test('CO-13 ended() waits for a container, whoever its parent is, and can be ended itself', needs, async () => {
    await using bench = await Bench.open('ended')
    const { container, init } = await bench.running()
    const controller = new AbortController()
    const waiting = container.ended({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    const loaded = await bench.factory.load(container.id)
    let over = false
    const end = loaded.ended().then(() => {
      over = true
    })
    await settle()
    expect(over).toBe(false)
    init.signal('KILL')
    await end
    expect(over).toBe(true)
  })
})

describe('destroy', () => {
  test(
    'CO-18 ER-05 a running container is refused, a created one killed, a stopped one removed; once more is fine',
    needs,
    async () => {
      await using bench = await Bench.open('destroy')
      const before = everything(ours)
      const { container: running, init } = await bench.running()
      await expect(running.destroy()).rejects.toMatchObject({ code: 'ContainerNotStopped', number: 4 })
      expect(alive(init.pid)).toBe(true)
      await running.destroy({ force: true })
      expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
      await running.destroy()
      await running.destroy({ force: true })

      const created = await bench.create()
      const waiting = await created.start(sleeper)
      await created.destroy()
      expect(await waiting.wait()).toMatchObject({ signal: 'SIGKILL' })

      const { container: paused } = await bench.running()
      await paused.pause()
      await expect(paused.destroy()).rejects.toMatchObject({ code: 'ContainerPaused' })
      await paused.destroy({ force: true })

      const never = await bench.create()
      await never.destroy()
      expect(readdirSync(bench.factory.root)).toEqual([])
      expect(everything(ours)).toEqual(before)
    },
  )

  test('CO-18 ST-06 a paused container whose init is dead is thawed and destroyed', needs, async () => {
    await using bench = await Bench.open('halfdead')
    const container = await bench.create({ namespaces: ['mnt', 'ipc', 'uts', 'net'] })
    const init = await container.run({ args: ['/bin/sh', '-c', 'sleep 1000 & echo; read x'], stdio: 'pipe' })
    await new Promise(resolve => init.stdout!.once('data', resolve))
    init.signal('TERM')
    await init.wait()
    const [left] = await container.processes()
    await container.pause().catch(() => {})
    const cgroup = await Cgroup.open(container.config().cgroups.path)
    await cgroup.freeze()
    expect(await container.status()).toBe('paused')
    await container.destroy()
    expect(alive(left!)).toBe(false)
    init.stdout!.destroy()
  })

  test('CO-18 the end of an `await using` ends and removes the container', needs, async () => {
    await using bench = await Bench.open('using')
    const before = everything(ours)
    let pid = 0
    {
      await using container = await bench.create()
      pid = (await container.run(sleeper)).pid
      expect(alive(pid)).toBe(true)
    }
    expect(alive(pid)).toBe(false)
    expect(readdirSync(bench.factory.root)).toEqual([])
    expect(everything(ours)).toEqual(before)
  })

  test('EV-009 EV-011 remove() cleans what has no state, or a broken one, with the processes', needs, async () => {
    await using bench = await Bench.open('broken')
    const told: string[] = []
    const factory = await Factory.open(bench.factory.root, { warn: message => void told.push(message) })
    const before = everything(ours)
    for (const spoil of [
      (path: string) => writeFileSync(path, '{"id":'),
      (path: string) => writeFileSync(path, 'null'),
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"cgroups"', '"groups"')),
      (path: string) =>
        writeFileSync(path, readFileSync(path, 'utf8').replace(/"path":"\/libcontainer-[^"]*"/, '"path":"/"')),
      (path: string) => {
        rmSync(path)
        mkdirSync(path)
      },
      (path: string) => rmSync(path),
    ]) {
      const container = await factory.create(bench.id(), { rootfs: busyboxRootfs() })
      const init = await container.run(sleeper)
      spoil(`${directoryOf(bench, container)}/state.json`)
      expect(await factory.list()).toEqual([])
      await expect(factory.load(container.id)).rejects.toMatchObject({
        code: expect.stringMatching(/^(SystemError|ContainerNotExists)$/),
      })
      await factory.remove(container.id)
      expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
      expect(everything(ours)).toEqual(before)
    }
    expect(told.length).toBe(5)
    expect(readdirSync(factory.root)).toEqual([])
    await factory.remove('never-was')
  })

  test('EV-009 LR-03 also where its cgroup is none of the usual ones', needs, async () => {
    await using bench = await Bench.open('broken')
    const before = everything(ours)
    const { container, init } = await bench.running({ cgroups: { path: `/lc-unusual-${process.pid}` } })
    writeFileSync(`${directoryOf(bench, container)}/state.json`, '')
    await bench.factory.remove(container.id)
    expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(everything(ours)).toEqual(before)
  })
})

describe('two processes', () => {
  test(
    'FA-13 FA-14 ST-09 another process finds it, runs into it, signals it and waits for its end',
    needs,
    async () => {
      await using bench = await Bench.open('other')
      const { container, init } = await bench.running({ hostname: 'found' })
      const answer = await elsewhere(
        `
      const factory = await Factory.open(args[0])
      const container = await factory.load(args[1])
      const found = { list: await factory.list(), status: await container.status(), hostname: container.config().hostname }
      const process = await container.exec({ args: ['/bin/hostname'], stdio: ['null', 'pipe', 'null'] })
      let text = ''
      for await (const chunk of process.stdout) text += chunk
      const { code } = await process.wait()
      const stats = await container.stats()
      await container.pause()
      const paused = await container.status()
      await container.resume()
      const waiting = container.ended()
      await container.signal('KILL')
      await waiting
      return { ...found, text, code, paused, pids: stats.cgroups.pids.current, after: await container.status() }
    `,
        bench.factory.root,
        container.id,
      )
      expect(answer).toEqual({
        list: [container.id],
        status: 'running',
        hostname: 'found',
        text: 'found\n',
        code: 0,
        paused: 'paused',
        pids: 1,
        after: 'stopped',
      })
      expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
      await container.destroy()
    },
  )

  test('S20 another process starts what this one created; then both know', needs, async () => {
    await using bench = await Bench.open('start')
    const container = await bench.create()
    const init = await container.start({ args: ['/bin/sh', '-c', 'exit 5'] })
    const program = `
      const container = await (await Factory.open(args[0])).load(args[1])
      const before = await container.status()
      await container.exec()
      return before
    `
    expect(await elsewhere(program, bench.factory.root, container.id)).toBe('created')
    expect((await init.wait()).code).toBe(5)
    expect(await elsewhere(program, bench.factory.root, container.id)).toMatchObject({ error: 'ContainerNotRunning' })
  })

  test('FA-14 another process destroys it; this one’s handle says what happened', needs, async () => {
    await using bench = await Bench.open('destroyed')
    const { container, init } = await bench.running()
    const program = `
      const container = await (await Factory.open(args[0])).load(args[1])
      const refused = await container.destroy().catch(error => error.code)
      await container.destroy({ force: true })
      return [refused, await container.status()]
    `
    expect(await elsewhere(program, bench.factory.root, container.id)).toEqual(['ContainerNotStopped', 'stopped'])
    expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await container.status()).toBe('stopped')
    await container.destroy()
    await expect(container.pause()).rejects.toMatchObject({ code: 'ContainerNotExists' })
  })

  test('CO-23 what two processes do to one container at once is done in turns', needs, async () => {
    await using bench = await Bench.open('turns')
    const { container } = await bench.running()
    const program = `
      const container = await (await Factory.open(args[0])).load(args[1])
      const errors = new Set()
      for (let i = 0; i < 25; i++) {
        await container.pause().catch(error => errors.add(error.code))
        await container.resume().catch(error => errors.add(error.code))
      }
      return [...errors]
    `
    const answers = await Promise.all([1, 2].map(() => elsewhere(program, bench.factory.root, container.id)))
    for (const errors of answers as string[][]) expect(errors.filter(code => code !== 'NotPaused')).toEqual([])
    expect(await container.status()).toBe('running')
    expect((await container.state()).id).toBe(container.id)
  })

  test('LR-02 start against destroy: one of them waits, and nothing is left', needs, async () => {
    await using bench = await Bench.open('against')
    const before = everything(ours)
    for (let i = 0; i < 12; i++) {
      const container = await bench.create()
      const [run, destroy] = await Promise.allSettled([
        container.run(sleeper),
        settle(i).then(() => container.destroy({ force: true })),
      ])
      expect(destroy.status).toBe('fulfilled')
      if (run.status === 'rejected') expect(run.reason).toMatchObject({ code: 'ContainerNotExists' })
      else expect(await run.value.wait()).toMatchObject({ signal: 'SIGKILL' })
      expect(readdirSync(bench.factory.root)).toEqual([])
    }
    expect(everything(ours)).toEqual(before)
  })

  test('LR-02 LR-04 exec against the end of the container, pause against kill', needs, async () => {
    await using bench = await Bench.open('against')
    const before = everything(ours)
    for (let i = 0; i < 8; i++) {
      const { container } = await bench.running()
      const results = await Promise.allSettled([
        container.exec({ args: ['/bin/true'] }).then(process => process.wait()),
        container.pause(),
        settle(i).then(() => container.signal('KILL')),
      ])
      for (const result of results)
        if (result.status === 'rejected') {
          expect(result.reason).toMatchObject({ name: 'ContainerError' })
          expect(result.reason.code, result.reason.message).toMatch(
            /^(ContainerNotRunning|ContainerPaused|SystemError)$/,
          )
        }
      await container.ended()
      await container.destroy({ force: true })
    }
    expect(everything(ours)).toEqual(before)
  })

  test('LR-02 two first processes at once: one is refused', needs, async () => {
    await using bench = await Bench.open('twice')
    const container = await bench.create()
    const results = await Promise.allSettled([container.start(sleeper), container.start(sleeper)])
    const [winner] = results.filter(result => result.status === 'fulfilled')
    const [loser] = results.filter(result => result.status === 'rejected')
    expect(loser!.reason).toMatchObject({ code: 'ContainerNotStopped' })
    expect(await container.processes()).toEqual([winner!.value.pid])
  })

  test('CO-23 a lock ends with the process that holds it', needs, async () => {
    await using bench = await Bench.open('lock')
    const { container } = await bench.running()
    const program = `
      const container = await (await Factory.open(args[0])).load(args[1])
      void container.pause()
      await new Promise(resolve => setTimeout(resolve, Number(args[2])))
      process.kill(process.pid, 'SIGKILL')
    `
    for (const ms of ['0', '1', '3']) await elsewhere(program, bench.factory.root, container.id, ms).catch(() => {})
    await container.destroy({ force: true })
  })
})
