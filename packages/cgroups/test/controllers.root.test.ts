import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Cgroup, type IoDeviceLimits } from '@libcontainer/cgroups'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { directoriesOf, directoryOf, freshCgroup, freshPath, hostOf, pause, run, takesBackHandedOn } from './support.js'

const MiB = 1024 * 1024

const fileOf = (group: Cgroup, controller: string, file: string): string =>
  readFileSync(`${directoryOf(group, controller)}/${file}`, 'utf8').trim()

/** Of a disk; nothing where there is none, and then its tests are skipped. */
const numbersOf = (file: string): number[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split(':').map(Number) : []

describe.each([
  ['v1', requires('cgroup1:blkio', 'file:/dev/vda')],
  ['v2', requires('cgroup2:io', 'file:/dev/vda')],
] as const)('disks, by %s', (mode, needs) => {
  const [major, minor] = numbersOf('/sys/class/block/vda/dev')
  const disk = (limits: Partial<IoDeviceLimits>) => ({ major: major!, minor: minor!, ...limits })
  const host = () => hostOf(mode, ['io', 'memory', 'pids'])

  test('CG-35 CG-57 a direct write is as slow as it may be, and is counted', needs, async () => {
    const group = await freshCgroup({ io: { devices: [disk({ wbps: 256 * 1024 })] } }, { host: await host() })
    const directory = mkdtempSync('/var/tmp/libcontainer-cgroups-')
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const writer = run(`exec dd if=/dev/zero of=${directory}/file bs=64k count=8 oflag=direct`)
    await group.add(writer.pid)
    const start = performance.now()
    writer.go()
    expect(await writer.ended).toMatchObject({ code: 0 })
    // Half a megabyte at a quarter of one in a second; the first share is free.
    expect(performance.now() - start).toBeGreaterThan(1000)
  })

  test('CG-35 no rate lifts one, and a rate that is refused puts the others back', needs, async () => {
    const group = await freshCgroup({ io: { devices: [disk({ rbps: 1000, wiops: 5 })] } }, { host: await host() })
    const rates = (): string =>
      mode === 'v2'
        ? fileOf(group, 'io', 'io.max')
        : ['read_bps', 'write_iops'].map(word => fileOf(group, 'blkio', `blkio.throttle.${word}_device`)).join('; ')
    const number = `${major}:${minor}`
    const before = mode === 'v2' ? `${number} rbps=1000 wbps=max riops=max wiops=5` : `${number} 1000; ${number} 5`
    expect(rates()).toBe(before)
    const absent = { major: 4000, minor: 1, rbps: 1000 }
    await expect(group.set({ io: { devices: [disk({ rbps: 2000 }), absent] } })).rejects.toMatchObject({
      code: 'ENODEV',
      message: expect.stringContaining('4000:1'),
      hint: expect.stringContaining('lsblk'),
    })
    expect(rates()).toBe(before)
    await group.set({ io: { devices: [disk({ rbps: 'max', wiops: 'max' })] } })
    expect(rates().replace('; ', '')).toBe('')
  })
})

test('CG-53 a weight goes to the scheduler that has one, or is refused', requires('cgroup1:blkio'), async () => {
  const host = await hostOf('v1')
  const group = await freshCgroup({}, { host })
  const bfq = `${group.paths.get('blkio')}/blkio.bfq.weight`
  if (existsSync(bfq)) {
    await group.set({ io: { blkioWeight: 500 } })
    expect(readFileSync(bfq, 'utf8')).toBe('500\n')
    await group.set({ io: { weight: 100 } })
    expect(readFileSync(bfq, 'utf8')).toBe('100\n')
  } else {
    await expect(group.set({ io: { blkioWeight: 500 } })).rejects.toMatchObject({ code: 'ENOENT', path: bfq })
  }
  await expect(group.set({ io: { leafWeight: 100 } })).rejects.toMatchObject({
    code: 'ENOENT',
    path: `${group.paths.get('blkio')}/blkio.leaf_weight`,
    hint: expect.stringContaining('CFQ'),
  })
})

/** A disk of this test's own. */
function loopDevice(): string {
  const directory = temporaryDirectory('weights-')
  onTestFinished(() => directory[Symbol.dispose]())
  writeFileSync(`${directory.path}/disk`, new Uint8Array(1 << 20))
  const device = execFileSync('losetup', ['-f', '--show', `${directory.path}/disk`], { encoding: 'utf8' }).trim()
  onTestFinished(() => void execFileSync('losetup', ['-d', device]))
  return device.slice('/dev/'.length)
}

describe.each([
  ['v1', 'blkio', 'blkio.bfq.weight_device', requires('root', 'cgroup1:blkio', 'program:losetup')],
  ['v2', 'io', 'io.bfq.weight', requires('root', 'cgroup2:io', 'program:losetup')],
] as const)('weights of disks, by %s', (mode, controller, file, needs) => {
  test('CG-53 are put back when one is refused', needs, async context => {
    const queue = `/sys/block/${existsSync('/dev/nullb0') ? 'nullb0' : loopDevice()}`
    const scheduler = readFileSync(`${queue}/queue/scheduler`, 'utf8')
    if (!scheduler.includes('bfq')) context.skip(`${queue}/queue/scheduler lists ${scheduler.trim()}, and no bfq`)
    writeFileSync(`${queue}/queue/scheduler`, 'bfq')
    onTestFinished(() => writeFileSync(`${queue}/queue/scheduler`, /\[(.*)\]/.exec(scheduler)?.[1] ?? 'none'))
    const [major, minor] = numbersOf(`${queue}/dev`) as [number, number]
    const group = await freshCgroup({}, { host: await hostOf(mode, ['io']) })
    const absent = { major: 4000, minor: 1, blkioWeight: 300 }
    const refused = async (blkioWeight?: number): Promise<void> =>
      await expect(
        group.set({ io: { blkioWeight, devices: [{ major, minor, blkioWeight: 300 }, absent] } }),
      ).rejects.toMatchObject({ code: 'ENODEV' })
    const weights = (): string => fileOf(group, controller, file)
    expect(weights()).toBe('default 100')
    await refused()
    expect(weights()).toBe('default 100')
    await group.set({ io: { blkioWeight: 150, devices: [{ major, minor, blkioWeight: 200 }] } })
    const before = `default 150\n${major}:${minor} 200`
    expect(weights()).toBe(before)
    await refused()
    expect(weights()).toBe(before)
    await refused(500)
    expect(weights()).toBe(before)
  })
})

/** Of three that run in the same time, in microseconds. */
function shares([heavy, light, idle]: number[]): { enough: boolean; more: boolean; some: boolean } {
  return { enough: light! > 40_000, more: heavy! > 3 * light!, some: light! > idle! }
}

describe('processors', () => {
  const [last] = /[0-9]+$/m.exec(/^Cpus_allowed_list:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))![0])!

  test(
    'CG-31 CG-56 weights share a processor, and the idle get the rest',
    requires('cgroup:cpu', 'cgroup:cpuset'),
    async () => {
      // Half of the processor: this test runs there as well.
      const parent = await freshCgroup({ cpuset: { cpus: last! }, cpu: { quotaUs: 50_000, periodUs: 100_000 } })
      const loops = [{ weight: 1000 }, { weight: 100 }, { idle: true }].map(async (cpu, i) => {
        const group = await Cgroup.create(`${parent.path}/${i}`, { cpu })
        const loop = run('while :; do :; done')
        await group.add(loop.pid)
        return { group, loop }
      })
      const groups = await Promise.all(loops)
      for (const { loop } of groups) loop.go()
      const usage = () => Promise.all(groups.map(async ({ group }) => (await group.stats(['cpu'])).cpu!.usageUs))
      // Counted from when both run, as a shell may be slow to begin, and in their own time: of ours they may get little.
      const lesser = async (): Promise<number> => Math.min(...(await usage()).slice(0, 2))
      await expect.poll(lesser, { timeout: 10_000 }).toBeGreaterThan(20_000)
      const before = await usage()
      const used = async (): Promise<number[]> => (await usage()).map((us, i) => us - before[i]!)
      // Ten to one, and nothing: with wide margins, once what a processor gives at a time no longer counts.
      await expect
        .poll(async () => shares(await used()), { timeout: 20_000 })
        .toEqual({ enough: true, more: true, some: true })
      // All at once: the last ones would wait long for the time to die.
      await parent.kill()
    },
  )

  test(
    'CG-31 who has no realtime budget cannot be a realtime process',
    requires('root', 'file:/sys/fs/cgroup/cpu/cpu.rt_runtime_us', 'program:chrt', 'CAP_SYS_NICE'),
    async () => {
      const [none, some] = [
        await freshCgroup(),
        await freshCgroup({ cpu: { rtRuntimeUs: 10_000, rtPeriodUs: 500_000 } }),
      ]
      const outcome = async (group: Cgroup): Promise<string> => {
        const shell = run('exec chrt -f 1 echo realtime')
        await group.add(shell.pid)
        shell.go()
        const { stdout, stderr } = await shell.ended
        return stdout + stderr
      }
      expect(await outcome(none)).toContain('not permitted')
      expect(await outcome(some)).toBe('realtime\n')
      expect(fileOf(some, 'cpu', 'cpu.rt_period_us')).toBe('500000')
    },
  )

  test('CG-59 a partition is one, or is refused with the reason', requires('root', 'cgroup2:cpuset'), async () => {
    const host = await hostOf('v2', ['cpuset'])
    const group = await freshCgroup({}, { host })
    await expect(group.set({ cpuset: { partition: 'root' } })).rejects.toMatchObject({
      code: 'EOPNOTSUPP',
      message: expect.stringContaining('invalid'),
      hint: expect.stringContaining('partition'),
    })
    expect(fileOf(group, 'cpuset', 'cpuset.cpus.partition')).toBe('member')
  })

  test('CG-30 flags of v1', requires('root', 'cgroup1:cpuset'), async () => {
    const group = await freshCgroup({
      cpuset: { memoryMigrate: true, schedLoadBalance: false, memorySpreadPage: true },
    })
    const values = ['memory_migrate', 'sched_load_balance', 'memory_spread_page', 'mem_hardwall']
    expect(values.map(file => fileOf(group, 'cpuset', `cpuset.${file}`))).toEqual(['1', '0', '1', '0'])
  })
})

describe('memory', () => {
  test(
    'CG-34 a limit that the kernel ignores is refused by name',
    requires('root', 'cgroup1:memory', 'kernel:5.16'),
    async () => {
      const path = freshPath()
      await expect(Cgroup.create(path, { memory: { max: 64 * MiB, kernelMax: 16 * MiB } })).rejects.toMatchObject({
        code: 'EOPNOTSUPP',
        path: expect.stringContaining('memory.kmem.limit_in_bytes'),
        hint: expect.stringContaining('kernelMax'),
      })
      expect(await directoriesOf(path)).toEqual([])
      const group = await freshCgroup({ memory: { kernelTcpMax: 16 * MiB + 1 } })
      expect(fileOf(group, 'memory', 'memory.kmem.tcp.limit_in_bytes')).toBe(String(16 * MiB))
    },
  )

  test('CG-33 without the OOM killer a process waits', requires('root', 'cgroup1:memory'), async () => {
    const group = await freshCgroup({ memory: { max: 16 * MiB, swapMax: 0, oomKillDisable: true, swappiness: 5 } })
    const hog = run('exec tail /dev/zero')
    await group.add(hog.pid)
    hog.go()
    const control = (): string => fileOf(group, 'memory', 'memory.oom_control')
    while (!control().includes('under_oom 1')) await pause(10)
    expect(hog.child.exitCode).toBeNull()
    expect(fileOf(group, 'memory', 'memory.swappiness')).toBe('5')
    await group.kill()
    expect(await hog.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(await group.oomKillCount()).toBe(0)
  })

  test('CG-55 one OOM kill takes the whole cgroup', requires('cgroup2:memory'), async () => {
    const host = await hostOf('v2', ['memory'])
    const group = await freshCgroup(
      { memory: { max: 32 * MiB, swapMax: 0, oomGroup: true, low: MiB, min: 4096 } },
      { host },
    )
    const [hog, bystander] = [run('exec tail /dev/zero'), run('exec sleep 100')]
    for (const { pid } of [hog, bystander]) await group.add(pid)
    bystander.go()
    hog.go()
    expect(await bystander.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(await hog.ended).toMatchObject({ signal: 'SIGKILL' })
    expect([fileOf(group, 'memory', 'memory.low'), fileOf(group, 'memory', 'memory.min')]).toEqual([
      String(MiB),
      '4096',
    ])
  })
})

test(
  'CG-40 CG-59 EV-153 huge pages that may not be reserved are not to be had',
  requires('root', 'cgroup:hugetlb', 'file:/usr/bin/python3', 'file:/sys/kernel/mm/hugepages/hugepages-2048kB'),
  async () => {
    await takesBackHandedOn('hugetlb')
    const pool = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'
    const before = readFileSync(pool, 'utf8')
    onTestFinished(() => writeFileSync(pool, before))
    writeFileSync(pool, String(Number(before) + 1))
    const outcome = async (max: number): Promise<string> => {
      const group = await freshCgroup({ hugetlb: { '2MB': { max } } })
      // MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB
      const child = run(
        `exec /usr/bin/python3 -c 'import mmap; m = mmap.mmap(-1, 2 << 20, flags=0x40022); m[0] = 1; print("got it")'`,
      )
      await group.add(child.pid)
      child.go()
      const { stdout, stderr } = await child.ended
      return stdout + stderr
    }
    expect(await outcome(0)).toContain('Cannot allocate memory')
    expect(await outcome(2 * MiB)).toBe('got it\n')
    const unknown = Cgroup.create(freshPath(), { hugetlb: { '3MB': { max: 0 } } })
    await expect(unknown).rejects.toMatchObject({
      code: 'ENOENT',
      path: expect.stringContaining('hugetlb.3MB.'),
      hint: expect.stringContaining('/sys/kernel/mm/hugepages'),
    })
  },
)

test('CG-41 marks of packets', requires('root', 'cgroup1:net_cls', 'cgroup1:net_prio'), async () => {
  const group = await freshCgroup({ netCls: { classid: 0x100001 }, netPrio: { ifpriomap: { lo: 5 } } })
  expect(fileOf(group, 'net_cls', 'net_cls.classid')).toBe(String(0x100001))
  expect(fileOf(group, 'net_prio', 'net_prio.ifpriomap')).toMatch(/^lo 5$/m)
})

test('CG-41 an interface that there is not leaves the others as they were', {
  ...requires('root', 'cgroup1:net_prio'),
}, async () => {
  const group = await freshCgroup({ netPrio: { ifpriomap: { lo: 5 } } })
  await expect(group.set({ netPrio: { ifpriomap: { lo: 7, 'no-such': 1 } } })).rejects.toMatchObject({ code: 'ENODEV' })
  expect(fileOf(group, 'net_prio', 'net_prio.ifpriomap')).toMatch(/^lo 5$/m)
})

test('CG-11 the line that was refused is named, and those before it stand', requires('cgroup', 'cgroup2'), async () => {
  const group = await freshCgroup()
  const depth = 'cgroup.max.depth'
  await expect(group.set({ unified: { [depth]: '4\nten\n5' } })).rejects.toMatchObject({
    code: 'EINVAL',
    path: `${group.paths.get('')}/${depth}`,
    message: expect.stringMatching(/write 3 lines to cgroup.max.depth.*\(ten\)/),
  })
})

describe('threaded trees', () => {
  test(
    'CG-51 EV-163 take no limits of whole processes, and else become threaded',
    requires('root', 'cgroup2:hugetlb'),
    async () => {
      await takesBackHandedOn('hugetlb')
      const host = await hostOf('v2', ['hugetlb'])
      const outer = await freshCgroup({}, { host: await hostOf('v2') })
      const inner = `${outer.path}/threads`
      const directory = `${outer.paths.get('')}/threads`
      mkdirSync(directory)
      writeFileSync(`${directory}/cgroup.type`, 'threaded')
      await expect(Cgroup.create(`${inner}/a`, { hugetlb: { '2MB': { max: 0 } } }, { host })).rejects.toMatchObject({
        code: 'EOPNOTSUPP',
        path: `${directory}/a`,
        message: expect.stringContaining('domain invalid'),
        hint: expect.stringContaining('threaded'),
      })
      expect(await directoriesOf(`${inner}/a`)).toEqual([])
      const threaded = await Cgroup.create(`${inner}/a`, {}, { host: await hostOf('v2') })
      expect(readFileSync(`${threaded.paths.get('')}/cgroup.type`, 'utf8')).toBe('threaded\n')
    },
  )
})
