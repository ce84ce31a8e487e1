import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cgroup } from '@libcontainer/cgroups'
import { type CgroupDriver, Factory, overview } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import {
  alive,
  busyboxRootfs,
  quoted,
  requires,
  shellCommand,
  temporaryDirectory,
  until,
} from '../../../test/support/index.js'
import { Bench, inside, sh, sleeper } from './support.js'

const needs = { ...requires('root', 'rootfs'), timeout: 60_000 }

const env = ['PATH=/usr/bin:/bin']

/** A container whose first process somebody has moved elsewhere, as systemd and batch systems do. */
class Elsewhere implements AsyncDisposable {
  readonly #cgroup: Cgroup

  private constructor(cgroup: Cgroup) {
    this.#cgroup = cgroup
  }

  static async move(pid: number): Promise<Elsewhere> {
    const cgroup = await Cgroup.create(`/elsewhere-${process.pid}-${pid}`)
    await cgroup.add(pid)
    return new Elsewhere(cgroup)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cgroup.kill()
    await this.#cgroup.destroy()
  }
}

const endOf = async (what: string, pid: number): Promise<true> =>
  await until(what, () => (alive(pid) ? undefined : true))

describe('a first process outside of its cgroup', () => {
  test('ST-03 EV-009 LR-05 is found and joined no less, and ended by force', needs, async () => {
    await using bench = await Bench.open('moved')
    const { container, init } = await bench.running()
    await using _ = await Elsewhere.move(init.pid)
    const found = await bench.factory.load(container.id)
    expect(await found.status()).toBe('running')
    expect(await inside(found, 'cat /proc/1/comm')).toBe('sleep')
    await expect(found.destroy()).rejects.toMatchObject({ code: 'ContainerNotStopped' })
    await bench.factory.remove(container.id)
    expect(alive(init.pid)).toBe(false)
    expect(existsSync(join(bench.factory.root, container.id))).toBe(false)
  })

  test('CO-13 CO-14 is reached by a signal to all, and by KILL where the pid namespace is shared', needs, async () => {
    await using bench = await Bench.open('moved')
    for (const act of ['TERM to all', 'KILL to all', 'KILL'] as const) {
      const container = await bench.create({ namespaces: ['mnt', 'uts', 'ipc'] })
      const init = await container.run(sh('trap "exit 3" TERM; while :; do sleep 0.05; done'))
      const other = await container.exec(sleeper)
      await using _ = await Elsewhere.move(init.pid)
      const found = await bench.factory.load(container.id)
      await found.signal(act.startsWith('TERM') ? 'TERM' : 'KILL', { all: act.endsWith('all') })
      expect(await init.wait({ signal: AbortSignal.timeout(5000) }), act).toMatchObject(
        act.startsWith('TERM') ? { code: 3 } : { signal: 'SIGKILL' },
      )
      expect(await other.wait({ signal: AbortSignal.timeout(5000) }), act).toMatchObject({
        signal: act.startsWith('TERM') ? 'SIGTERM' : 'SIGKILL',
      })
      await container.destroy()
    }
  })

  test(
    'EV-009 is not abandoned when its state contradicts its cgroup: removal fails, and says where it is',
    needs,
    async () => {
      await using bench = await Bench.open('moved')
      const { container, init } = await bench.running()
      const path = join(bench.factory.root, container.id, 'cgroup.json')
      await using _ = await Elsewhere.move(init.pid)
      // What is recorded of the cgroup is another one: neither is believed.
      writeFileSync(path, JSON.stringify({ '': `/sys/fs/cgroup/unified/nowhere-${process.pid}` }))
      await expect(bench.factory.remove(container.id)).rejects.toMatchObject({
        code: 'SystemError',
        message: expect.stringContaining(
          `process ${init.pid}, the first of '${container.id}' as its state says, lives on`,
        ),
      })
      expect(alive(init.pid)).toBe(true)
      rmSync(path)
      await bench.factory.remove(container.id)
      expect(alive(init.pid)).toBe(false)
    },
  )
})

describe('while it is created', () => {
  /** A container whose creation stands still in a hook of the host. */
  async function hanging(bench: Bench, directory: string, script = 'exec sleep 1000') {
    const pidFile = join(directory, 'pid')
    const hook = shellCommand(`echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; ${script}`, { env })
    const container = await bench.create({ hooks: { createRuntime: [hook] } })
    const over = new AbortController()
    const started = container.start({ ...sleeper, signal: over.signal }).catch((error: Error) => error)
    const hookPid = Number(
      await until('the hook', () => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : undefined)),
    )
    return { container, started, over, hookPid, init: (await container.state()).init_process_pid }
  }

  test('LR-02 HK-02 what waits for its creator is refused at once, and changes nothing', needs, async () => {
    await using bench = await Bench.open('hanging')
    using dir = temporaryDirectory('hanging-')
    const { container, started, hookPid, over } = await hanging(bench, dir.path)
    const other = await bench.factory.load(container.id)
    expect(await other.status()).toBe('creating')
    for (const act of [
      () => other.exec(sleeper),
      () => other.pause(),
      () => other.resume(),
      () => other.set({ cgroups: { pids: { max: 20 } } }),
      () => other.signal('TERM', { all: true }),
      () => other.destroy(),
      () => bench.factory.removeAborted(container.id),
    ])
      await expect(act()).rejects.toMatchObject({
        code: 'ContainerNotStopped',
        message: expect.stringContaining('is being created'),
      })
    expect(alive(hookPid)).toBe(true)
    over.abort(new Error('enough'))
    expect(await started).toMatchObject({ message: 'enough' })
    await endOf('the hook’s end', hookPid)
  })

  test('LR-02 HK-09 KILL ends its creation, whatever its hooks wait for', needs, async () => {
    await using bench = await Bench.open('hanging')
    for (const all of [false, true]) {
      using dir = temporaryDirectory('hanging-')
      const { container, started, hookPid } = await hanging(bench, dir.path)
      await (await bench.factory.load(container.id)).signal('KILL', { all })
      expect(await started).toMatchObject({ message: expect.stringContaining('init ended during set-up (signal 9)') })
      await endOf('the hook’s end', hookPid)
      expect(await container.status()).toBe('stopped')
    }
  })

  test('LR-02 CO-18 removal by force ends its creation, which is told so', needs, async () => {
    await using bench = await Bench.open('hanging')
    using dir = temporaryDirectory('hanging-')
    const { container, started, hookPid, init } = await hanging(bench, dir.path)
    await bench.factory.remove(container.id)
    expect(await started).toMatchObject({
      code: 'ContainerNotExists',
      message: expect.stringContaining('removed meanwhile'),
    })
    expect(alive(init)).toBe(false)
    await endOf('the hook’s end', hookPid)
    expect(readdirSync(bench.factory.root)).toEqual([])
  })

  test(
    'LR-02 HK-02 a hook that runs something in its own container is refused, and does not wait for itself',
    needs,
    async () => {
      await using bench = await Bench.open('itself')
      using dir = temporaryDirectory('itself-')
      const container = await bench.create()
      const heard: unknown[] = []
      container.hook('createRuntime', async () => {
        const other = await bench.factory.load(container.id)
        for (const act of [() => other.exec(sleeper), () => other.pause()])
          heard.push(await act().catch((error: Error) => error.message))
      })
      await container.start(sleeper)
      expect(heard).toEqual(Array(2).fill(`container '${container.id}' is being created`))
      expect(await container.status()).toBe('created')
      // From another process, too.
      const second = bench.id()
      const program = `
      const container = await (await Factory.open(args[0])).load(args[1])
      return await container.exec({ args: ['/bin/true'] }).then(() => 'ran', error => error.message)`
      const script = `cd ${quoted(new URL('..', import.meta.url).pathname)}; exec ${quoted(process.execPath)} --input-type=module -e ${quoted(
        `import { Factory } from '@libcontainer/container'
       import { writeFileSync } from 'node:fs'
       const args = process.argv.slice(1)
       writeFileSync(args[2], await (async () => { ${program} })())`,
      )} ${quoted(bench.factory.root)} ${quoted(second)} ${quoted(join(dir.path, 'said'))}`
      const made = await bench.create({ hooks: { createRuntime: [shellCommand(script, { env })] } }, second)
      await made.run(sleeper)
      expect(readFileSync(join(dir.path, 'said'), 'utf8')).toBe(`container '${second}' is being created`)
    },
  )

  test('LR-02 ST-16 just before its creator takes the lock it is not removed either', needs, async () => {
    await using bench = await Bench.open('early')
    const container = await bench.create()
    const removing = bench.factory.removeAborted(container.id)
    const [removed, started] = await Promise.allSettled([removing, container.start(sleeper)])
    expect(started.status).toBe('fulfilled')
    expect(removed).toMatchObject({ status: 'rejected', reason: { code: 'ContainerNotStopped' } })
    // What nobody makes goes.
    const other = await bench.create()
    await bench.factory.removeAborted(other.id)
    expect(existsSync(join(bench.factory.root, other.id))).toBe(false)
  })

  test('LR-02 ST-16 before there is a state: nobody but by force removes what somebody is making', needs, async () => {
    await using bench = await Bench.open('early')
    const container = await bench.create()
    const directory = join(bench.factory.root, container.id)
    const holder = spawn('flock', ['--no-fork', join(directory, 'lock'), 'sh', '-c', 'echo held; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await new Promise(resolve => holder.stdout.once('data', resolve))
      await expect(bench.factory.removeAborted(container.id)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
      expect(existsSync(directory)).toBe(true)
    } finally {
      const ended = new Promise(resolve => holder.once('exit', resolve))
      holder.kill('SIGKILL')
      await ended
    }
  })
})

const debian = fileURLToPath(new URL('../../../test-rootfs/debian', import.meta.url))

/** Runs it in a memory file of the name that init's has, with a name that init gives itself. */
async function posing(bench: Bench, as: string) {
  const script = `
    if (readlink('/proc/self/exe') !~ /memfd/) {
      my $fd = syscall(${process.arch === 'x64' ? 319 : 279}, my $name = 'init', 0);
      open(my $out, '>&=', $fd); open(my $in, '<', '/usr/bin/perl'); binmode $in; binmode $out;
      local $/; my $all = <$in>; print {$out} $all; $out->flush;
      open(my $ready, '<', "/proc/self/fd/$fd"); close $out;
      exec '/proc/self/fd/' . fileno($ready), '-e', $ENV{SCRIPT};
    }
    $0 = '${as}'; sleep 1000;`
  const args = ['/usr/bin/perl', '-MIO::Handle', '-e', script]
  const container = await bench.create({ rootfs: debian })
  const init = await container.run({ args, env: ['PATH=/usr/bin', `SCRIPT=${script}`] })
  await expect.poll(() => readFileSync(`/proc/${init.pid}/comm`, 'utf8')).toBe(`${as}\n`)
  expect(readlinkSync(`/proc/${init.pid}/exe`)).toBe('/memfd:init (deleted)')
  return await bench.factory.load(container.id)
}

describe('ST-04 a program that looks like init', () => {
  const needs = { ...requires('root', `file:${debian}/usr/bin/perl`), timeout: 60_000 }

  test('is not `created`: there is no socket to start it by', needs, async () => {
    await using bench = await Bench.open('posing')
    const container = await posing(bench, 'init:created')
    expect(await container.status()).toBe('running')
    expect((await overview(bench.factory.root)).map(({ status }) => status)).toEqual(['running'])
    await expect(container.destroy()).rejects.toMatchObject({ code: 'ContainerNotStopped' })
  })

  test('is paused all the same, since nobody holds the lock for it', needs, async () => {
    await using bench = await Bench.open('posing')
    const container = await posing(bench, 'init')
    await container.pause()
    expect(await container.status()).toBe('paused')
    await container.resume()
    await expect(container.destroy()).rejects.toMatchObject({ code: 'ContainerNotStopped' })
  })
})

test(
  'LR-02 ST-09 who reads a state while it is removed is told that, and not that it contradicts itself',
  needs,
  async () => {
    using directory = temporaryDirectory('read-')
    let remove = (): void => {}
    const cgroupDriver: CgroupDriver = {
      at: where => {
        remove()
        return Cgroup.at(where)
      },
      open: where => Cgroup.open(where),
      create: (path, limits, options) => Cgroup.create(path, limits, options),
    }
    const factory = await Factory.open(directory.path, { cgroupDriver })
    const id = `read-${process.pid}`
    const container = await factory.create(id, { rootfs: busyboxRootfs(), cgroups: { path: `/${id}` } })
    const file = (name: string): string => join(directory.path, id, name)
    try {
      await container.run(sleeper)
      const [state, record] = ['state.json', 'cgroup.json'].map(name => readFileSync(file(name)))
      rmSync(file('cgroup.json'))
      await expect(factory.load(id)).rejects.toMatchObject({ code: 'SystemError' })
      remove = () => rmSync(file('state.json'), { force: true })
      await expect(factory.load(id)).rejects.toMatchObject({
        code: 'ContainerNotExists',
        message: expect.stringContaining('it was removed meanwhile'),
      })
      remove = () => {}
      writeFileSync(file('cgroup.json'), record!)
      writeFileSync(file('state.json'), state!)
    } finally {
      await factory.remove(id)
    }
    expect(existsSync(join(directory.path, id))).toBe(false)
  },
)

test('HK-09 CO-01 what a start failed by is told, also when it cannot be taken back', needs, async () => {
  using directory = temporaryDirectory('undo-')
  let broken = true
  const cgroupDriver: CgroupDriver = {
    at: async where => {
      const cgroup = await Cgroup.at(where)
      const destroy = cgroup.destroy.bind(cgroup)
      cgroup.destroy = async options => {
        if (broken) throw new Error('no luck')
        await destroy(options)
      }
      return cgroup
    },
    open: where => Cgroup.open(where),
    create: (path, limits, options) => Cgroup.create(path, limits, options),
  }
  const told: string[] = []
  const factory = await Factory.open(directory.path, { cgroupDriver, warn: message => void told.push(message) })
  const id = `undo-${process.pid}`
  const container = await factory.create(id, { rootfs: busyboxRootfs() })
  try {
    await expect(container.run({ args: ['/no/such/program'] })).rejects.toThrow('/no/such/program')
    expect(told).toEqual([expect.stringMatching(/not wholly taken back \(no luck\)/)])
  } finally {
    broken = false
    await factory.remove(id)
  }
  expect(readdirSync(directory.path)).toEqual([])
})

test('CO-18 a container is left alone that is not the one that was meant', needs, async () => {
  await using bench = await Bench.open('meant')
  const { container, init } = await bench.running()
  init.signal('KILL')
  await init.wait()
  const found = await bench.factory.load(container.id)
  await found.destroy({ onlyIf: async () => false })
  expect(await found.status()).toBe('stopped')
  expect(existsSync(join(bench.factory.root, container.id))).toBe(true)
  await found.destroy({ onlyIf: async () => true })
  expect(existsSync(join(bench.factory.root, container.id))).toBe(false)
})
