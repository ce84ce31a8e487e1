import { readFileSync } from 'node:fs'
import { Cgroup } from '@libcontainer/cgroups'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import {
  directoriesOf,
  freshCgroup,
  freshPath,
  hostOf,
  keyOf,
  pause,
  removedAtEnd,
  run,
  takesBackHandedOn,
} from './support.js'

const MiB = 1024 * 1024

describe('limits by what they do', () => {
  test('CG-33 CG-102 over memory.max a process is killed, and counted', requires('cgroup:memory'), async () => {
    const group = await freshCgroup({ memory: { max: 16 * MiB, swapMax: 0 } })
    // The last line of an endless one.
    const hog = run('exec tail /dev/zero')
    await group.add(hog.pid)
    expect(await group.oomKillCount()).toBe(0)
    hog.go()
    expect(await hog.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(await group.oomKillCount()).toBe(1)
    const { memory } = await group.stats(['memory'])
    expect(memory).toMatchObject({ max: 16 * MiB, oomKillCount: 1 })
    expect(memory!.peak).toBeGreaterThan(15 * MiB)
    expect(memory!.peak).toBeLessThanOrEqual(16 * MiB)
  })

  test('CG-39 at pids.max nobody forks', requires('cgroup:pids'), async () => {
    const group = await freshCgroup({ pids: { max: 1 } })
    const shell = run('true | true; echo not reached')
    await group.add(shell.pid)
    expect((await group.stats(['pids'])).pids).toMatchObject({ current: 1, max: 1 })
    shell.go()
    const { stdout, stderr } = await shell.ended
    expect(stdout).toBe('')
    expect(stderr).toMatch(/fork/i)
  })

  test('CG-31 a quota holds a busy loop down', requires('cgroup:cpu'), async () => {
    const group = await freshCgroup({ cpu: { quotaUs: 10_000, periodUs: 100_000 } })
    const loop = run('while :; do :; done')
    await group.add(loop.pid)
    loop.go()
    await pause(1500)
    const { cpu } = await group.stats(['cpu'])
    // A tenth of a processor is due; left alone it would be nearly all.
    expect(cpu!.usageUs).toBeGreaterThan(10_000)
    expect(cpu!.usageUs).toBeLessThan(600_000)
    expect(cpu!.nrThrottled).toBeGreaterThan(0)
    expect(cpu!.throttledUs).toBeGreaterThan(0)
    expect(cpu!.userUs! + cpu!.systemUs!).toBeGreaterThan(0)
  })

  test('CG-30 a cpuset pins, and its children inherit it', requires('cgroup:cpuset'), async () => {
    const parent = await freshCgroup({ cpuset: { cpus: '0' } })
    const group = await Cgroup.create(`${parent.path}/a/b`)
    const shell = run('grep Cpus_allowed_list /proc/self/status')
    await group.add(shell.pid)
    shell.go()
    expect((await shell.ended).stdout).toMatch(/:\s*0\n/)
    // v1 writes what it inherits into the cgroup itself.
    const asked = keyOf(group, 'cpuset') === 'cpuset' ? [0] : []
    expect((await group.stats(['cpuset'])).cpuset).toMatchObject({
      cpus: asked,
      effectiveCpus: [0],
      mems: asked,
      effectiveMems: [0],
    })
  })

  test(
    'CG-36 a device that is not allowed is EPERM, by the v1 controller',
    requires('root', 'cgroup1:devices'),
    async () => {
      const group = await freshCgroup({ devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }] })
      const shell = run('echo x > /dev/null && echo null; head -c 1 /dev/zero >/dev/null && echo zero')
      await group.add(shell.pid)
      shell.go()
      const { stdout, stderr } = await shell.ended
      expect(stdout).toBe('null\n')
      expect(stderr).toContain('Operation not permitted')
    },
  )

  test(
    'CG-36 an update changes the difference alone, and children see it',
    requires('root', 'cgroup1:devices'),
    async () => {
      const c = (minor: number) => ({ allow: true, type: 'c', major: 1, minor, access: 'rwm' }) as const
      const group = await freshCgroup({ devices: [c(3), c(5)] })
      const list = (): string[] =>
        readFileSync(`${group.paths.get('devices')}/devices.list`, 'utf8')
          .trim()
          .split('\n')
          .sort()
      expect(list()).toEqual(['c 1:3 rwm', 'c 1:5 rwm'])
      await group.set({ devices: [c(3), { ...c(7), access: 'r' }] })
      expect(list()).toEqual(['c 1:3 rwm', 'c 1:7 r'])
      const inner = await Cgroup.create(`${group.path}/inner`)
      await expect(inner.set({ devices: [c(3), c(9)] })).rejects.toMatchObject({
        code: 'EPERM',
        hint: expect.stringContaining('parent'),
      })
      await group.set({ devices: [{ allow: true, type: 'a' }] }).catch(error => {
        // The kernel changes the default of no cgroup that has children.
        expect(error).toMatchObject({ code: 'EINVAL' })
      })
    },
  )

  test('CG-60 a device that is not allowed is EPERM, by an eBPF program', requires('root', 'cgroup2'), async () => {
    const host = await hostOf('v2')
    const group = await freshCgroup(
      { devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }] },
      { host },
    )
    const shell = run('echo x > /dev/null && echo null; head -c 1 /dev/zero >/dev/null && echo zero')
    await group.add(shell.pid)
    shell.go()
    const { stdout, stderr } = await shell.ended
    expect(stdout).toBe('null\n')
    expect(stderr).toContain('Operation not permitted')
  })

  test('CG-60 a new program takes the place of the old one', requires('root', 'cgroup2'), async () => {
    const group = await freshCgroup({ devices: [] }, { host: await hostOf('v2') })
    const shell = run('while read word; do head -c 1 /dev/zero | wc -c; done')
    await group.add(shell.pid)
    let output = ''
    shell.child.stdout!.on('data', chunk => {
      output += chunk
    })
    const ask = async (): Promise<string> => {
      output = ''
      shell.child.stdin!.write('again\n')
      while (!output.includes('\n')) await pause(5)
      return output
    }
    shell.child.stdin!.write('go\n')
    expect(await ask()).toBe('0\n')
    // Were programs stacked, all of them would have to agree.
    await group.set({ devices: [{ allow: true, type: 'a' }] })
    expect(await ask()).toBe('1\n')
    await group.set({
      devices: [
        { allow: true, type: 'a' },
        { allow: false, type: 'c', major: 1, minor: 5, access: 'r' },
      ],
    })
    expect(await ask()).toBe('0\n')
  })

  test('CG-62 raw files of the unified hierarchy, line by line', requires('cgroup', 'cgroup2'), async () => {
    const group = await freshCgroup({ unified: { 'cgroup.max.depth': '3', 'cgroup.max.descendants': '7' } })
    const unified = group.paths.get('')!
    expect(readFileSync(`${unified}/cgroup.max.depth`, 'utf8')).toBe('3\n')
    await group.set({ unified: { 'cgroup.max.depth': '4\n5' } })
    expect(readFileSync(`${unified}/cgroup.max.depth`, 'utf8')).toBe('5\n')
  })

  test(
    'CG-50 the parents hand a controller on where a raw file needs it',
    requires('cgroup', 'cgroup2:hugetlb'),
    async () => {
      const path = freshPath()
      await takesBackHandedOn('hugetlb')
      removedAtEnd(path)
      const group = await Cgroup.create(`${path}/inner`, { unified: { 'hugetlb.2MB.max': '0' } })
      expect(readFileSync(`${group.paths.get('')}/hugetlb.2MB.max`, 'utf8')).toBe('0\n')
      expect(readFileSync(`${group.paths.get('')}/../cgroup.subtree_control`, 'utf8')).toContain('hugetlb')
    },
  )
})

describe('limits that are changed', () => {
  test('CG-33 grow and shrink, memory and swap in either order', requires('cgroup:memory'), async () => {
    const group = await freshCgroup({ memory: { max: 64 * MiB, memswMax: 64 * MiB } })
    const v2 = keyOf(group, 'memory') === ''
    const swapOf = (max: number, memswMax: number): number => (v2 ? memswMax - max : memswMax)
    const values = async (): Promise<unknown[]> => {
      const { memory } = await group.stats(['memory'])
      return [memory!.max, memory!.swapMax]
    }
    for (const [max, memswMax] of [
      [128, 256],
      [16, 16],
      [32, 64],
      [64, 64],
    ] as const) {
      await group.set({ memory: { max: max * MiB, memswMax: memswMax * MiB } })
      expect(await values()).toEqual([max * MiB, swapOf(max * MiB, memswMax * MiB)])
    }
    await group.set({ memory: { max: 'max' } })
    // v2 limits swap by itself: what is not given stays.
    const rest = ['max', v2 ? 0 : 'max']
    expect(await values()).toEqual(rest)
    await group.set({ memory: {} })
    expect(await values()).toEqual(rest)
  })

  test('CG-31 a period that only the new quota allows', requires('cgroup:cpu'), async () => {
    const outer = await freshCgroup({ cpu: { quotaUs: 50_000, periodUs: 100_000 } })
    const inner = await Cgroup.create(`${outer.path}/inner`, { cpu: { quotaUs: 50_000, periodUs: 100_000 } })
    const read = async (): Promise<number[]> => {
      const directory = inner.paths.get(keyOf(inner, 'cpu'))
      const files = keyOf(inner, 'cpu') === '' ? v2Files : v1Files
      const texts = files.map(file => readFileSync(`${directory}/${file}`, 'utf8'))
      return texts.join(' ').trim().split(/\s+/).map(Number)
    }
    const v1Files = ['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.cfs_burst_us']
    const v2Files = ['cpu.max', 'cpu.max.burst']
    // With the old quota this period alone would be more than the parent has.
    await inner.set({ cpu: { quotaUs: 5000, periodUs: 10_000, burstUs: 1000 } })
    expect(await read()).toEqual([5000, 10_000, 1000])
    await inner.set({ cpu: { quotaUs: 500_000, periodUs: 1_000_000 } })
    expect(await read()).toEqual([500_000, 1_000_000, 1000])
  })

  test('EV-149 a quota below a millisecond is refused with its value', requires('cgroup:cpu'), async () => {
    const group = await freshCgroup()
    const file = keyOf(group, 'cpu') === '' ? 'cpu.max' : 'cpu.cfs_quota_us'
    await expect(group.set({ cpu: { quotaUs: 999 } })).rejects.toMatchObject({
      code: 'EINVAL',
      syscall: 'write',
      path: `${group.paths.get(keyOf(group, 'cpu'))}/${file}`,
      message: expect.stringContaining(`write '999' to ${file}`),
      hint: expect.stringContaining('1000'),
    })
  })

  test('EV-151 a processor that the machine lacks', requires('cgroup:cpuset'), async () => {
    const group = await freshCgroup()
    await expect(group.set({ cpuset: { cpus: '4000' } })).rejects.toMatchObject({
      message: expect.stringContaining("'4000'"),
      path: `${group.paths.get(keyOf(group, 'cpuset'))}/cpuset.cpus`,
    })
  })

  test('EV-147 less memory than is in use', requires('cgroup:memory'), async () => {
    const group = await freshCgroup()
    const holder = run(
      `exec ${process.execPath} -e 'const b=Buffer.alloc(${24 * MiB},1);console.log(b.length);setInterval(()=>b,1e6)'`,
    )
    await group.add(holder.pid)
    holder.go()
    await new Promise(resolve => holder.child.stdout!.once('data', resolve))
    await expect(group.set({ memory: { max: 4 * MiB } }, { refuseBelowUse: true })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('bytes in use'),
    })
    expect((await group.stats(['memory'])).memory!.max).toBe('max')
    // v2 takes any limit, and kills.
    if (keyOf(group, 'memory') === '') return
    await expect(group.set({ memory: { max: 64 * 1024 } })).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringMatching(/in use: \d{7,} bytes, at most so far: \d{7,}/),
    })
  })

  test(
    'CG-18 a limit that fails leaves nothing of the cgroup, parents included',
    requires('cgroup:cpuset'),
    async () => {
      const path = freshPath()
      removedAtEnd(path)
      await expect(Cgroup.create(`${path}/a/b`, { cpuset: { cpus: '4000' } })).rejects.toThrow()
      expect(await directoriesOf(path)).toEqual([])
      const outer = await freshCgroup()
      await expect(Cgroup.create(`${outer.path}/a/b`, { cpuset: { cpus: '4000' } })).rejects.toThrow()
      expect(await directoriesOf(`${outer.path}/a`)).toEqual([])
      expect(await directoriesOf(outer.path)).not.toEqual([])
    },
  )
})
