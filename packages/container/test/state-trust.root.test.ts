import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Cgroup } from '@libcontainer/cgroups'
import { type CgroupDriver, type Container, Factory } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, elsewhere, inside, sleeper } from './support.js'

const needs = requires('root', 'rootfs')

type Json = Record<string, unknown>

/** A process of somebody else in a cgroup of its own, which nothing may be done to. */
class Victim implements AsyncDisposable {
  readonly pid: number
  readonly cgroup: Cgroup
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, cgroup: Cgroup) {
    this.#child = child
    this.pid = child.pid!
    this.cgroup = cgroup
  }

  static async start(): Promise<Victim> {
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' })
    const cgroup = await Cgroup.create(`/victim-${process.pid}-${child.pid}`)
    await cgroup.add(child.pid!)
    return new Victim(child, cgroup)
  }

  get start(): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
  }

  /** It runs, where it was. */
  async isUntouched(): Promise<boolean> {
    return (
      this.#child.exitCode === null &&
      this.#child.signalCode === null &&
      (await this.cgroup.processes()).includes(this.pid) &&
      (await this.cgroup.freezerState()) === 'THAWED'
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
    await this.cgroup.destroy()
  }
}

const directoryOf = (bench: Bench, { id }: Container): string => join(bench.factory.root, id)

function change(bench: Bench, container: Container, how: (state: Json) => Json, file = 'state.json'): void {
  const path = join(directoryOf(bench, container), file)
  writeFileSync(path, JSON.stringify(how(JSON.parse(readFileSync(path, 'utf8')) as Json)))
}

/** What loads a container refuses it by name, with a remedy. */
async function refused(bench: Bench, container: Container, message: RegExp, hint = /by force/): Promise<void> {
  const path = directoryOf(bench, container)
  await expect(bench.factory.load(container.id)).rejects.toMatchObject({
    code: 'SystemError',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  })
  await expect(bench.factory.load(container.id)).rejects.toThrow(path)
}

describe('a state that was forged', () => {
  test(
    'EV-009 ST-03 a foreign process with another start time: it is no first process, and is not signalled',
    needs,
    async () => {
      await using bench = await Bench.open('forged')
      await using victim = await Victim.start()
      const { container } = await bench.running()
      change(bench, container, state => ({
        ...state,
        init_process_pid: victim.pid,
        namespace_paths: { net: `/proc/${victim.pid}/ns/net` },
      }))
      const found = await bench.factory.load(container.id)
      expect(await found.status()).toBe('stopped')
      await expect(found.signal('KILL')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
      await expect(found.exec(sleeper)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
      await found.destroy({ force: true })
      expect(await victim.isUntouched()).toBe(true)
    },
  )

  test('EV-009 a foreign process with its right start time is not in the container’s cgroup', needs, async () => {
    await using bench = await Bench.open('forged')
    await using victim = await Victim.start()
    const { container, init: child } = await bench.running()
    change(bench, container, state => ({
      ...state,
      init_process_pid: victim.pid,
      init_process_start: victim.start,
      namespace_paths: { net: `/proc/${victim.pid}/ns/net` },
    }))
    await refused(bench, container, new RegExp(`names process ${victim.pid}, which is not in the cgroup`))
    // By force: what its own cgroup holds, and nobody else.
    await bench.factory.remove(container.id)
    expect((await child.wait()).signal).toBe('SIGKILL')
    expect(await victim.isUntouched()).toBe(true)
    expect(existsSync(directoryOf(bench, container))).toBe(false)
  })

  test('EV-009 the cgroup of somebody else: by its paths, by the config too, and by both', needs, async () => {
    await using bench = await Bench.open('forged')
    await using victim = await Victim.start()
    const { container } = await bench.running()
    const saved = readFileSync(join(directoryOf(bench, container), 'state.json'), 'utf8')
    const cgroup_paths = Object.fromEntries(victim.cgroup.paths)
    change(bench, container, state => ({ ...state, cgroup_paths }))
    await refused(bench, container, /which is not the cgroup .* of its config/)
    await expect(container.signal('KILL')).rejects.toMatchObject({ code: 'SystemError' })
    await expect(container.destroy({ force: true })).rejects.toMatchObject({ code: 'SystemError' })
    change(bench, container, state => ({
      ...state,
      config: { ...(state.config as Json), cgroups: { path: victim.cgroup.path } },
    }))
    await refused(bench, container, /the cgroup of this container is .*libcontainer-/)
    change(bench, container, state => ({ ...state, init_process_pid: 4_194_304, namespace_paths: {} }))
    await refused(bench, container, /the cgroup of this container is .*libcontainer-/)
    expect(await victim.isUntouched()).toBe(true)
    await bench.factory.remove(container.id)
    expect(await victim.isUntouched()).toBe(true)
    expect(saved).toContain('libcontainer-')
  })

  test('EV-009 cgroup paths outside of the hierarchies', needs, async () => {
    await using bench = await Bench.open('forged')
    const { container } = await bench.running()
    const name = `libcontainer-${container.id}`
    for (const path of ['/etc', `/tmp/${name}`, `/sys/fs/cgroup/unified/../${name}`, `relative/${name}`, '']) {
      change(bench, container, state => ({ ...state, cgroup_paths: { '': path, memory: path, pids: path } }))
      await refused(bench, container, /cgroup_paths|below/)
    }
    expect(await bench.factory.list()).toBeDefined()
  })

  test('EV-009 no cgroup at all, with the process of somebody else', needs, async () => {
    await using bench = await Bench.open('forged')
    await using victim = await Victim.start()
    const { container } = await bench.running()
    change(bench, container, state => ({
      ...state,
      init_process_pid: victim.pid,
      init_process_start: victim.start,
      namespace_paths: {},
      cgroup_paths: {},
    }))
    await refused(bench, container, /names no cgroup, and the cgroup of this container is .*libcontainer-/)
    await bench.factory.remove(container.id)
    expect(await victim.isUntouched()).toBe(true)
  })

  test('EV-009 FA-09 a driver that has its cgroups elsewhere by now: where they were made counts', needs, async () => {
    using directory = temporaryDirectory('elsewhere-')
    let parent = `/here-${process.pid}`
    const below = (where: string | Readonly<Record<string, string>>): string | Readonly<Record<string, string>> =>
      typeof where === 'string' ? parent + where : where
    const cgroupDriver: CgroupDriver = {
      at: async where => await Cgroup.at(below(where)),
      open: async where => await Cgroup.open(below(where)),
      create: async (path, limits, options) => await Cgroup.create(below(path) as string, limits, options),
    }
    const factory = await Factory.open(directory.path, { cgroupDriver })
    const id = `elsewhere-${process.pid}`
    const made = await factory.create(id, { rootfs: busyboxRootfs() })
    try {
      const child = await made.run(sleeper)
      parent = `/there-${process.pid}`
      const found = await factory.load(id)
      expect(await found.processes()).toEqual([child.pid])
      writeFileSync(join(directory.path, id, 'state.json'), '{')
      await factory.remove(id)
      expect((await child.wait()).signal).toBe('SIGKILL')
    } finally {
      await made.destroy({ force: true })
      await (await Cgroup.at(`/here-${process.pid}`)).destroy()
    }
  })

  test('EV-009 namespaces of another process, or files elsewhere', needs, async () => {
    await using bench = await Bench.open('forged')
    const { container, init: child } = await bench.running()
    const paths = ['/proc/1/ns/net', `/proc/${process.pid}/ns/net`, `/proc/${child.pid}/root`, '/etc/passwd', 'net']
    for (const path of [...paths, `/proc/${child.pid}/ns/../../1/ns/net`]) {
      change(bench, container, state => ({ ...state, namespace_paths: { net: path } }))
      await refused(bench, container, /in namespace_paths\.net, which is no namespace of its process/)
      await expect(container.exec(sleeper)).rejects.toMatchObject({ code: 'SystemError' })
    }
  })

  test('EV-009 a state in the directory of another container', needs, async () => {
    await using bench = await Bench.open('forged')
    const one = await bench.create()
    const other = await bench.create()
    const child = await one.run(sleeper)
    const text = readFileSync(join(directoryOf(bench, one), 'state.json'))
    writeFileSync(join(directoryOf(bench, other), 'state.json'), text, { mode: 0o600 })
    await refused(bench, other, /does not name this container in id/)
    await bench.factory.remove(other.id)
    expect(await one.status()).toBe('running')
    expect(await one.processes()).toEqual([child.pid])
  })
})

describe('a state that somebody else could have written', () => {
  test('EV-008 a directory or a file of another user: nothing is done because of it', needs, async () => {
    await using bench = await Bench.open('owner')
    const { container, init: child } = await bench.running()
    const directory = directoryOf(bench, container)
    chownSync(join(directory, 'state.json'), 1234, 1234)
    await refused(bench, container, /state\.json belongs to uid 1234: nothing that it says is believed/, /rm -r/)
    chownSync(join(directory, 'state.json'), 0, 0)
    chownSync(directory, 1234, 1234)
    await refused(bench, container, /belongs to uid 1234/, /rm -r/)
    const told: string[] = []
    const other = await Factory.open(bench.factory.root, { warn: message => void told.push(message) })
    expect(await other.list()).toEqual([])
    expect(told).toEqual([expect.stringMatching(/belongs to uid 1234/)])
    await expect(bench.factory.remove(container.id)).rejects.toThrow(/belongs to uid 1234/)
    expect(existsSync(`/proc/${child.pid}`)).toBe(true)
    chownSync(directory, 0, 0)
    expect(await (await bench.factory.load(container.id)).status()).toBe('running')
  })

  test('EV-008 one that others may write to', needs, async () => {
    await using bench = await Bench.open('mode')
    const { container } = await bench.running()
    const directory = directoryOf(bench, container)
    for (const [path, mode] of [
      [directory, 0o711],
      [join(directory, 'state.json'), 0o600],
    ] as const) {
      for (const more of [0o020, 0o002]) {
        chmodSync(path, mode | more)
        await refused(bench, container, /may be written by others \(mode/, new RegExp(`chmod go-w ${path}`))
      }
      chmodSync(path, mode)
    }
    expect(await (await bench.factory.load(container.id)).status()).toBe('running')
  })

  test('EV-008 links in place of a directory or a file', needs, async () => {
    await using bench = await Bench.open('links')
    const { container } = await bench.running()
    const directory = directoryOf(bench, container)
    renameSync(join(directory, 'state.json'), join(directory, 'moved'))
    symlinkSync('moved', join(directory, 'state.json'))
    await refused(bench, container, /state\.json is a link and no file/, /rm -r/)
    rmSync(join(directory, 'state.json'))
    renameSync(join(directory, 'moved'), join(directory, 'state.json'))
    renameSync(directory, `${directory}.moved`)
    symlinkSync(`${directory}.moved`, directory)
    try {
      await refused(bench, container, /is a link and no directory/, /rm -r/)
      await expect(bench.factory.remove(container.id)).rejects.toThrow(/is a link and no directory/)
      expect(readdirSync(`${directory}.moved`)).toContain('state.json')
    } finally {
      rmSync(directory)
      renameSync(`${directory}.moved`, directory)
    }
  })

  test('EV-009 a record of the cgroup that names this very process', needs, async () => {
    await using bench = await Bench.open('record')
    const container = await bench.create()
    const own = await Cgroup.create(`/record-${process.pid}`)
    const record = join(directoryOf(bench, container), 'cgroup.json')
    writeFileSync(record, JSON.stringify(Object.fromEntries(own.paths)))
    try {
      const program = `
        const { Cgroup } = await import('@libcontainer/cgroups')
        await (await Cgroup.open('/record-${process.pid}')).add(process.pid)
        await (await Factory.open(args[0])).remove(args[1])`
      expect(await elsewhere(program, bench.factory.root, container.id)).toEqual({
        error: 'SystemError',
        message: `the record of '${container.id}' names the cgroup of this very process`,
      })
    } finally {
      rmSync(record)
      await own.destroy()
    }
    expect(existsSync(directoryOf(bench, container))).toBe(true)
  })
})

describe('states of other versions', () => {
  test('EV-010 a state of 2014 is told to be one', needs, async () => {
    await using bench = await Bench.open('era')
    const container = await bench.create()
    const path = join(directoryOf(bench, container), 'state.json')
    writeFileSync(path, '{"init_pid":1,"init_start_time":"5","network_state":{}}', { mode: 0o600 })
    await refused(bench, container, /is a state of 2014/, /the program that started it/)
  })

  test('ST-11 EV-010 a container of 2015: it is found, joined, signalled and removed', needs, async () => {
    await using bench = await Bench.open('era')
    const id = bench.id()
    const name = `libcontainer-${id}`
    const { container, init: child } = await bench.running({ hostname: 'of-2015', cgroups: { path: `/${name}` } }, id)
    change(bench, container, state => to2015(state, child.pid, name))
    const found = await bench.factory.load(id)
    expect(await found.status()).toBe('running')
    expect(await found.processes()).toEqual([child.pid])
    const state = await found.state()
    expect(state).toMatchObject({ id, init_process_pid: child.pid, era: '2015' })
    expect(state.created).toBeUndefined()
    expect(state.namespace_paths.mnt).toBe(`/proc/${child.pid}/ns/mnt`)
    expect(state.external_descriptors).toEqual(['/dev/null', 'pipe:[5]', '/dev/null'])
    expect(await inside(found, 'hostname')).toBe('of-2015')
    await found.signal('KILL')
    await child.wait()
    expect(await found.status()).toBe('stopped')
    await found.destroy()
    expect(existsSync(directoryOf(bench, container))).toBe(false)
    expect(existsSync(Object.values(state.cgroup_paths)[0]!)).toBe(false)
  })

  test('EV-010 one of 2015 that names the cgroup of somebody else', needs, async () => {
    await using bench = await Bench.open('era')
    await using victim = await Victim.start()
    const { container, init: child } = await bench.running()
    const name = victim.cgroup.path.slice(1)
    change(bench, container, state => ({
      ...to2015(state, child.pid, name),
      cgroup_paths: Object.fromEntries(victim.cgroup.paths),
    }))
    await refused(
      bench,
      container,
      new RegExp(`names a cgroup with processes \\(${victim.pid}\\) of which none is its first`),
    )
    change(bench, container, state => ({ ...state, init_process_start: '1' }))
    await refused(bench, container, /of which none is its first/)
    await bench.factory.remove(container.id)
    await child.wait()
    expect(await victim.isUntouched()).toBe(true)
  })

  test('EV-010 one whose config cannot be had here is told with the field', needs, async () => {
    await using bench = await Bench.open('era')
    const { container, init: child } = await bench.running()
    change(bench, container, state => {
      const old = to2015(state, child.pid, `libcontainer-${container.id}`)
      return { ...old, config: { ...(old.config as Json), additional_groups: [''] } }
    })
    await refused(
      bench,
      container,
      /is a state of 2015 whose config cannot be had here: additional_groups/,
      /the program that started it/,
    )
  })

  test(
    'ST-12 CO-04 a container that runc runs: found, joined and removed',
    requires('root', 'rootfs', 'program:runc'),
    async () => {
      using directory = temporaryDirectory('runc-')
      const id = `runc-${process.pid}`
      const root = join(directory.path, 'state')
      const runc = (...args: string[]): string =>
        execFileSync('runc', ['--root', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      execFileSync('runc', ['spec', '--bundle', directory.path])
      const spec = JSON.parse(readFileSync(join(directory.path, 'config.json'), 'utf8')) as Json
      writeFileSync(
        join(directory.path, 'config.json'),
        JSON.stringify({
          ...spec,
          root: { path: busyboxRootfs(), readonly: true },
          process: { ...(spec.process as Json), terminal: false, args: ['/bin/sleep', '1000'] },
          hostname: 'of-runc',
          annotations: { 'org.example.key': 'value' },
        }),
      )
      execFileSync('runc', ['--root', root, 'run', '--detach', '--bundle', directory.path, id], { stdio: 'ignore' })
      try {
        const factory = await Factory.open(root)
        expect(await factory.list()).toEqual([id])
        const container = await factory.load(id)
        const told = JSON.parse(runc('state', id)) as { pid: number; status: string }
        expect(await container.status()).toBe(told.status)
        expect(await container.state()).toMatchObject({ init_process_pid: told.pid, rootless: false, era: '2026' })
        expect(Date.parse((await container.state()).created!)).toBeGreaterThan(Date.now() - 600_000)
        expect(await container.ociState()).toMatchObject({
          id,
          pid: told.pid,
          status: 'running',
          bundle: directory.path,
          annotations: { 'org.example.key': 'value' },
        })
        expect(await inside(container, 'hostname')).toBe('of-runc')
        await container.pause()
        expect(await container.status()).toBe('paused')
        await container.resume()
        await container.destroy({ force: true })
        expect(existsSync(join(root, id))).toBe(false)
        expect(JSON.parse(runc('list', '--format', 'json'))).toBe(null)
      } finally {
        if (existsSync(join(root, id))) runc('delete', '--force', id)
      }
    },
  )
})

/** The state of a container of ours as libcontainer wrote it in 2015. */
function to2015(state: Json, pid: number, name: string): Json {
  const { namespace_paths, cgroup_paths, init_process_start } = state
  const keys: Record<string, string> = { mnt: 'NEWNS', pid: 'NEWPID', ipc: 'NEWIPC', uts: 'NEWUTS', net: 'NEWNET' }
  const types = Object.values(keys)
  return {
    id: state.id,
    init_process_pid: pid,
    init_process_start,
    cgroup_paths,
    namespace_paths: Object.fromEntries(
      Object.entries(keys).map(([kind, key]) => [key, (namespace_paths as Record<string, string>)[kind]]),
    ),
    config: {
      rootfs: busyboxRootfs(),
      hostname: 'of-2015',
      namespaces: types.map(type => ({ type, path: '' })),
      capabilities: ['KILL'],
      cgroups: { name, parent: '/' },
      mounts: [],
      devices: [],
      networks: [],
      routes: [],
      rlimits: [],
      uid_mappings: [],
      gid_mappings: [],
    },
    external_descriptors: ['/dev/null', 'pipe:[5]', '/dev/null'],
  }
}
