import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Factory } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { requires, type TemporaryDirectory } from '../../../test/support/index.js'
import { addGroup, resctrlTree } from '../../../test/support/resctrl-tree.js'
import { Bench, sleeper } from './support.js'

const needs = requires('root')
const text = (path: string): string => readFileSync(path, 'utf8')
const bench = async (tree: TemporaryDirectory, name: string): Promise<Bench> =>
  await Bench.open(name, { resctrl: { root: tree.path, anyFilesystem: true } })
const refused = (field: string, message: string) => ({
  code: 'ConfigInvalid',
  field,
  message: expect.stringContaining(message),
})

/** What is there beside what the kernel has there itself. */
const groups = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .flatMap(entry => (entry.isDirectory() && !/^(?:info|mon_\w+)$/.test(entry.name) ? [entry.name] : []))
    .sort()

test(
  'RD-02 RD-03 RD-05 RD-06 RD-09 ST-12 CO-18 on a tree in the kernel’s shape: a class of its own',
  needs,
  async () => {
    using tree = resctrlTree()
    await using factory = await bench(tree, 'rdt-own')
    const intelRdt = { l3CacheSchema: 'L3:0=7f0;1=1f', memBwSchema: 'MB:0=20', enableMonitoring: true }
    const { container, init } = await factory.running({ intelRdt })
    const group = `${tree.path}/${container.id}`
    const mon = `${group}/mon_groups/${container.id}`
    expect(text(`${group}/schemata`)).toBe('L3:0=7f0;1=1f\nMB:0=20\n')
    expect([text(`${group}/tasks`), text(`${mon}/tasks`)]).toEqual([String(init.pid), String(init.pid)])
    expect(await container.state()).toMatchObject({ intel_rdt_path: group, intel_rdt_mon_path: mon })

    const further = await container.exec(sleeper)
    expect([text(`${group}/tasks`), text(`${mon}/tasks`)]).toEqual([String(further.pid), String(further.pid)])
    // By another process, which knows of it what is saved.
    const again = await (
      await Factory.open(factory.factory.root, { resctrl: { root: tree.path, anyFilesystem: true } })
    ).load(container.id)
    const { pid } = await again.exec(sleeper)
    expect(text(`${mon}/tasks`)).toBe(String(pid))
    await container.destroy({ force: true })
    expect(groups(tree.path)).toEqual([])
    expect(text(`${tree.path}/schemata`)).toContain('L3:0=7ff')
    // One that has ended by itself goes by another way.
    const ended = await factory.create({ intelRdt: {} })
    await (await ended.run({ args: ['/bin/true'] })).wait()
    expect(groups(tree.path)).toEqual([ended.id])
    await ended.destroy()
    expect(groups(tree.path)).toEqual([])
  },
)

test(
  'RD-02 RD-04 RD-06 on a tree in the kernel’s shape: a class by its name stays, its monitoring group goes',
  needs,
  async () => {
    using tree = resctrlTree()
    addGroup(tree.path, 'gold', '    MB:0=100;1=100\n    L3:0=00f;1=7ff\n')
    await using factory = await bench(tree, 'rdt-shared')
    const { container } = await factory.running({ intelRdt: { closId: 'gold', enableMonitoring: true } })
    expect(readdirSync(`${tree.path}/gold/mon_groups`)).toContain(container.id)
    await container.destroy({ force: true })
    expect(readdirSync(`${tree.path}/gold/mon_groups`)).not.toContain(container.id)
    expect(groups(tree.path)).toEqual(['gold'])
    const { container: root, init } = await factory.running({ intelRdt: { closId: '/' } })
    expect(text(`${tree.path}/tasks`)).toBe(String(init.pid))
    await root.destroy({ force: true })
    expect(existsSync(`${tree.path}/schemata`)).toBe(true)
  },
)

test(
  'VAL-21 EV-161 RD-04 on a tree in the kernel’s shape: what cannot be had is refused before anything is made',
  needs,
  async () => {
    using tree = resctrlTree()
    addGroup(tree.path, 'gold', '    L3:0=00f;1=7ff\n')
    await using factory = await bench(tree, 'rdt-refused')
    for (const [intelRdt, field, problem] of [
      [{ closId: 'gold', l3CacheSchema: 'L3:0=ff' }, 'intelRdt.closId', 'it has L3:0=f'],
      [{ closId: 'silver' }, 'intelRdt.closId', 'group that is there'],
      [{ l3CacheSchema: 'L3:0=fff' }, 'intelRdt.l3CacheSchema', 'the whole cache'],
      [{ schemata: ['L2:0=f'] }, 'intelRdt.schemata[0]', 'L3, MB'],
    ] as const) {
      const id = factory.id()
      await expect(factory.create({ intelRdt }, id)).rejects.toMatchObject(refused(field, problem))
      expect(existsSync(`${factory.factory.root}/${id}`)).toBe(false)
    }
    const none = await Factory.open(`${tree.path}/state`, { resctrl: { root: tree.path } })
    await expect(none.create('box', { rootfs: '/usr', intelRdt: {} })).rejects.toMatchObject(
      refused('intelRdt', 'not mounted'),
    )
    expect(groups(tree.path)).toEqual(['gold', 'state'])
  },
)

test('CO-25 RD-06 RD-08 on a tree in the kernel’s shape: a start that fails takes its groups back', needs, async () => {
  using tree = resctrlTree()
  await using factory = await bench(tree, 'rdt-fails')
  const missing = await factory.create({ intelRdt: { enableMonitoring: true } })
  await expect(missing.run({ args: ['/no/such/program'] })).rejects.toMatchObject({ code: 'SystemError' })
  expect(groups(tree.path)).toEqual([])
  // A monitoring group of the name that somebody else has made is not ours to remove.
  const container = await factory.create({ intelRdt: { closId: '/', enableMonitoring: true } })
  mkdirSync(`${tree.path}/mon_groups/${container.id}`)
  writeFileSync(`${tree.path}/info/last_cmd_status`, 'out of RMIDs\n')
  await expect(container.run(sleeper)).rejects.toThrow(/EEXIST.*out of RMIDs/)
  await container.destroy()
  expect(existsSync(`${tree.path}/mon_groups/${container.id}`)).toBe(true)
  // The tasks of one that cannot be written to: nothing is left, and no process runs.
  const third = await factory.create({ intelRdt: { closId: 'late', l3CacheSchema: 'L3:0=f' } })
  addGroup(tree.path, 'late', 'L3:0=f\n')
  rmSync(`${tree.path}/late/tasks`)
  mkdirSync(`${tree.path}/late/tasks`)
  await expect(third.run(sleeper)).rejects.toThrow(/EISDIR.*late\/tasks/)
  expect(await third.processes()).toEqual([])
})

test(
  'RD-06 on a tree in the kernel’s shape: what an aborted creation has left is removed by its record',
  needs,
  async () => {
    using tree = resctrlTree()
    await using factory = await bench(tree, 'rdt-aborted')
    const id = factory.id()
    const directory = `${factory.factory.root}/${id}`
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(`${directory}/intelrdt.json`, JSON.stringify({ own: ['group', 'monGroup'] }), { mode: 0o600 })
    addGroup(tree.path, id, 'L3:0=f\n')
    mkdirSync(`${tree.path}/${id}/mon_groups/${id}`)
    addGroup(tree.path, 'gold', 'L3:0=f\n')
    await factory.factory.remove(id)
    expect([groups(tree.path), existsSync(directory)]).toEqual([['gold'], false])
    // A record that somebody has changed names no directory of theirs.
    for (const record of [
      { closId: '../../etc', own: ['group'] },
      { closId: 7, own: ['group'] },
    ]) {
      mkdirSync(directory, { mode: 0o700 })
      writeFileSync(`${directory}/intelrdt.json`, JSON.stringify(record), { mode: 0o600 })
      await expect(factory.factory.remove(id)).rejects.toMatchObject({ code: 'ConfigInvalid' })
      rmSync(directory, { recursive: true })
    }
    expect(groups(tree.path)).toEqual(['gold'])
  },
)

test(
  'CO-07 CO-08 RD-07 EV-162 on a tree in the kernel’s shape: statistics, and schemata that change or stay',
  needs,
  async () => {
    using tree = resctrlTree()
    await using factory = await bench(tree, 'rdt-set')
    const schemata = ['L3:0=f;1=f', 'MB:0=50']
    const { container } = await factory.running({ intelRdt: { schemata } })
    const file = `${tree.path}/${container.id}/schemata`
    expect(await container.stats()).toMatchObject({
      cgroups: expect.any(Object),
      intelRdt: { schemata: [{ resource: 'L3', domains: { 0: 15, 1: 15 } }, { resource: 'MB' }], monitoring: [] },
    })
    await container.set({ intelRdt: { l3CacheSchema: 'L3:0=ff' } })
    expect(text(file)).toBe('L3:0=ff\n')
    // Its config tells what counts now.
    expect(container.config().intelRdt).toEqual({ l3CacheSchema: 'L3:0=ff', schemata: ['MB:0=50'] })

    await expect(container.set({ intelRdt: { closId: 'gold' } })).rejects.toMatchObject(
      refused('intelRdt.closId', 'cannot change'),
    )
    await expect(container.set({ intelRdt: { l3CacheSchema: 'L3:0=1' } })).rejects.toThrow(/2 bits/)
    // What the cgroup refuses takes the class back, too.
    writeFileSync(file, 'L3:0=ff\n')
    await expect(
      container.set({ intelRdt: { l3CacheSchema: 'L3:0=3' }, cgroups: { cpuset: { cpus: '4095' } } }),
    ).rejects.toThrow()
    expect(text(file)).toBe('L3:0=ff\n')
    expect((await container.state()).config.intelRdt).toEqual({ l3CacheSchema: 'L3:0=ff', schemata: ['MB:0=50'] })

    const { container: without } = await factory.running()
    await expect(without.set({ intelRdt: { l3CacheSchema: 'L3:0=ff' } })).rejects.toMatchObject(
      refused('intelRdt', 'made without it'),
    )
    expect(await without.stats()).not.toHaveProperty('intelRdt')
    const { container: whole } = await factory.running({ intelRdt: { closId: '/' } })
    await expect(whole.set({ intelRdt: { memBwSchema: 'MB:0=50' } })).rejects.toMatchObject(
      refused('intelRdt', 'whole machine'),
    )
  },
)
