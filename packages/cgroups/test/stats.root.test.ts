import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Cgroup, cgroupHost, statsControllers, statsOf } from '@libcontainer/cgroups'
import { expect, onTestFinished, test } from 'vitest'
import { requires, slowness } from '../../../test/support/index.js'
import { hierarchyOf } from '../src/host/host.js'
import { directoryOf, freshCgroup, hostOf, pause, run } from './support.js'

test('CG-90 CG-32 CG-98 processor time is counted, by processor too', requires('cgroup:cpu'), async () => {
  const group = await freshCgroup()
  const loop = run('while :; do :; done')
  await group.add(loop.pid)
  loop.go()
  const used = async (): Promise<number> => (await group.stats(['cpu'])).cpu!.usageUs
  await expect.poll(used, { timeout: 10_000 * slowness }).toBeGreaterThan(100_000)
  const { cpu } = await group.stats(['cpu'])
  expect(cpu!.userUs! + cpu!.systemUs!).toBeGreaterThan(0)
  if (cpu!.perCpu !== undefined) {
    const sum = async (): Promise<number> =>
      (await group.stats(['cpu'])).cpu!.perCpu!.reduce((all, { userUs, systemUs }) => all + userUs + systemUs, 0)
    // Counted by ticks, of which a machine loses some that is emulated, or whose processors others use: the loop goes on.
    await expect.poll(sum, { timeout: 10_000 * slowness }).toBeGreaterThan(50_000)
  }
  expect(cpu!.pressure === undefined || cpu!.pressure.some!.totalUs >= 0).toBe(true)
})

test('CG-92 memory is counted, and its stall times where there is PSI', requires('cgroup:memory'), async () => {
  const group = await freshCgroup({ memory: { max: 2 ** 26 } })
  const shell = run('x=$(head -c 4000000 /dev/zero | tr "\\\\0" x); read more')
  await group.add(shell.pid)
  shell.child.stdin!.write('go\n')
  const used = async (): Promise<number> => (await group.stats(['memory'])).memory!.current
  while ((await used()) < 4_000_000) await pause(10)
  const { memory } = await group.stats(['memory'])
  expect(memory).toMatchObject({ max: 2 ** 26, oomKillCount: 0 })
  expect(memory!.stat.get(memory!.stat.has('anon') ? 'anon' : 'rss')).toBeGreaterThan(1_000_000)
  expect(memory!.numa === undefined || memory!.numa.size > 0).toBe(true)
})

test('CG-94 what goes to a disk is counted', requires('cgroup', 'file:/dev/vda'), async () => {
  const { hierarchies } = await cgroupHost()
  if (!hierarchies.some(({ controllers }) => controllers.includes('blkio') || controllers.includes('io'))) return
  const [major, minor] = readFileSync('/sys/class/block/vda/dev', 'utf8').split(':').map(Number)
  // From Linux 5.19 to 6.4 v1 counts only what has a rate: one that nothing reaches.
  const group = await freshCgroup({ io: { devices: [{ major: major!, minor: minor!, wbps: 2 ** 40 }] } })
  const directory = mkdtempSync('/var/tmp/libcontainer-cgroups-')
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const writer = run(`exec dd if=/dev/zero of=${directory}/file bs=64k count=8 oflag=direct`)
  await group.add(writer.pid)
  writer.go()
  expect(await writer.ended).toMatchObject({ code: 0 })
  const { io } = await group.stats(['io'])
  const disk = io!.devices.find(device => device.major === major && device.minor === minor)
  expect(disk!.wbytes).toBeGreaterThanOrEqual(512 * 1024)
  expect(disk!.wios).toBeGreaterThanOrEqual(8)
})

test('CG-93 CG-96 processes are counted, also where no controller does it', requires('cgroup:pids'), async () => {
  const group = await freshCgroup()
  await group.add(run(':').pid)
  expect((await group.stats()).pids!.current).toBe(1)
  expect((await group.stats()).freezer).toEqual({ selfFreezing: false, parentFreezing: false, frozen: false })
  await group.freeze()
  expect((await group.stats(['freezer'])).freezer).toMatchObject({ selfFreezing: true, frozen: true })
  await group.thaw()
  const host = await cgroupHost()
  const bare = {
    ...host,
    hierarchies: host.hierarchies.flatMap(one =>
      one.version === 1 && one.controllers.includes('pids')
        ? []
        : [{ ...one, controllers: one.controllers.filter(name => name !== 'pids') }],
    ),
  }
  const without = await Cgroup.open(group.path, { host: bare })
  expect((await without.stats(['pids'])).pids).toEqual({ current: 1, max: 'max' })
})

test('CG-97 only what is asked for', requires('cgroup:memory'), async () => {
  const group = await freshCgroup()
  expect(Object.keys(await group.stats(['memory', 'pids'])).sort()).toEqual(['memory', 'pids'])
  expect(await group.stats([])).toEqual({})
  expect(Object.keys(await group.stats()).filter(name => !statsControllers.includes(name as 'cpu'))).toEqual([])
  await expect(group.stats(['disk' as 'io'])).rejects.toMatchObject({ field: 'controllers', value: 'disk' })
})

test('CG-99 many cgroups at once, in order; one that is gone has no numbers', requires('cgroup:pids'), async () => {
  const parent = await freshCgroup()
  const groups: Cgroup[] = []
  for (let i = 0; i < 150; i++) groups.push(await Cgroup.create(`${parent.path}/${i}`, { pids: { max: i + 1 } }))
  await groups[70]!.destroy()
  const open = (): number => readdirSync('/proc/self/fd').length
  const before = open()
  const all = await statsOf(groups)
  expect(open()).toBe(before)
  expect(all).toHaveLength(150)
  for (const [i, stats] of all.entries()) {
    if (i === 70) expect(stats).toEqual({})
    else expect(stats.pids).toMatchObject({ current: 0, max: i + 1 })
  }
  expect(await statsOf([])).toEqual([])
  // Cgroups of another view of the host go together with them.
  const v1 = hierarchyOf(await cgroupHost(), 'pids')!.version === 1
  const other = await Cgroup.open(groups[3]!.path, { host: await hostOf(v1 ? 'v1' : 'v2', ['pids']) })
  const mixed = await statsOf([groups[5]!, other, groups[7]!], ['pids'])
  expect(mixed.map(({ pids }) => pids?.max)).toEqual([6, 4, 8])
})

test(
  'CG-99 a file that may not be read is told, and the others are read',
  requires('root', 'reachable', 'cgroup:memory', 'CAP_SETUID'),
  async () => {
    const group = await freshCgroup()
    const file = `${directoryOf(group, 'memory')}/memory.stat`
    chmodSync(file, 0o600)
    const script = `
    import { Cgroup } from '@libcontainer/cgroups'
    process.setgid(65534); process.setuid(65534)
    const { memory, pids, unreadable } = await (await Cgroup.open(${JSON.stringify(group.path)})).stats()
    console.log(JSON.stringify([memory.current, memory.stat.size, pids.current, unreadable.map(({ code, path }) => [code, path])]))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(JSON.parse(output)).toEqual([expect.any(Number), 0, 0, [['EACCES', file]]])
  },
)

test('CG-92 the top of v2 has the numbers of the machine', requires('root', 'cgroup2:memory'), async () => {
  const host = await hostOf('v2', ['memory', 'pids', 'io', 'cpu'])
  const top = await Cgroup.open('/', { host })
  const { memory } = await top.stats(['memory'])
  expect(memory!.current).toBeGreaterThan(0)
  expect(memory!.max).toBe('max')
})
