import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ContainerConfig, ProcessSpec } from '@libcontainer/container'
import { resourceLimits } from '@libcontainer/init'
import { machine } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, inside, sleeper } from './support.js'

const needs = requires('root')
type Scheduler = NonNullable<ContainerConfig['scheduler']>

/** What sched_getattr(2) says of a process. */
function attributes(pid: number): Record<string, number> {
  const call = machine() === 'aarch64' ? 275 : 315
  const script = `$b = pack 'L', 56; $b .= "\\0" x 52; syscall(${call}, ${pid}, $b, 56, 0) and die $!; print join ' ', unpack 'LLQlLQQQLL', $b`
  const { stdout, stderr } = spawnSync('perl', ['-e', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  const names = ['size', 'policy', 'flags', 'nice', 'priority', 'runtime', 'deadline', 'period', 'utilMin', 'utilMax']
  return Object.fromEntries(stdout.split(' ').map((number, i) => [names[i], Number(number)]))
}

describe('schedulers, as sched_getattr tells them', () => {
  const reads = requires('root', 'program:perl')

  test('PP-09 policies for everybody, with the nice value, and the flags that keep something', reads, async () => {
    await using bench = await Bench.open('policies')
    const { container } = await bench.running({ scheduler: { policy: 'SCHED_OTHER', nice: 7 } })
    const got = async (scheduler?: Scheduler): Promise<Record<string, number>> => {
      const process = await container.exec({ ...sleeper, ...(scheduler && { scheduler }) })
      const told = attributes(process.pid)
      process.signal('KILL')
      await process.wait()
      return told
    }
    expect(await got()).toMatchObject({ policy: 0, nice: 7, flags: 0 })
    expect(await got({ policy: 'SCHED_BATCH', nice: -3 })).toMatchObject({ policy: 3, nice: -3 })
    expect(await got({ policy: 'SCHED_IDLE' })).toMatchObject({ policy: 5 })
    expect(await got({ policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_RESET_ON_FORK'] })).toMatchObject({ flags: 1 })
    expect(await got({ policy: 'SCHED_BATCH', nice: 4, flags: ['SCHED_FLAG_KEEP_POLICY'] })).toMatchObject({
      policy: 0,
      nice: 4,
    })
    const own = attributes(process.pid).nice
    expect(await got({ policy: 'SCHED_BATCH', nice: 4, flags: ['SCHED_FLAG_KEEP_PARAMS'] })).toMatchObject({
      nice: own,
    })
  })

  test(
    'PP-09 policies of real time, with priority or deadline, and their flags',
    requires('root', 'program:perl', 'cgroup1:cpu', 'CAP_SYS_NICE'),
    async () => {
      await using bench = await Bench.open('real-time')
      // Where the kernel shares real time out by cgroups, one that got none of it has none.
      const { container } = await bench.running({ cgroups: { cpu: { rtPeriodUs: 1_000_000, rtRuntimeUs: 10_000 } } })
      const times = { runtimeNs: 1_000_000, deadlineNs: 50_000_000n, periodNs: 100_000_000 }
      for (const [scheduler, expected] of [
        [
          { policy: 'SCHED_FIFO', priority: 5, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
          { policy: 1, priority: 5, flags: 1 },
        ],
        [
          { policy: 'SCHED_RR', priority: 1 },
          { policy: 2, priority: 1, flags: 0 },
        ],
        [
          { policy: 'SCHED_DEADLINE', ...times },
          { policy: 6, runtime: 1_000_000, deadline: 50_000_000, period: 100_000_000, flags: 0 },
        ],
        [
          { policy: 'SCHED_DEADLINE', ...times, flags: ['SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN'] },
          { policy: 6, flags: 6 },
        ],
      ] as const) {
        const process = await container.exec({ ...sleeper, scheduler })
        expect(attributes(process.pid), JSON.stringify(scheduler.policy)).toMatchObject(expected)
        process.signal('KILL')
        await process.wait()
      }
      // Its number is taken, and no kernel has it.
      await expect(container.exec({ ...sleeper, scheduler: { policy: 'SCHED_ISO' } })).rejects.toMatchObject({
        syscall: 'sched_setattr',
        errno: -22,
        hint: expect.stringContaining('SCHED_ISO'),
      })
    },
  )

  test(
    'PP-09 a cgroup that was given no real time has none, and the hint says what gives it',
    requires('root', 'file:/sys/fs/cgroup/cpu/cpu.rt_runtime_us'),
    async () => {
      await using bench = await Bench.open('no-real-time')
      await expect(bench.run({ args: ['true'], scheduler: { policy: 'SCHED_RR', priority: 1 } })).rejects.toMatchObject(
        { syscall: 'sched_setattr', errno: -1, hint: expect.stringContaining('cpu.rtRuntimeUs') },
      )
    },
  )

  test('PP-09 clamps of utilisation: set, or the kernel has none and it is told', reads, async () => {
    await using bench = await Bench.open('clamps')
    const { container } = await bench.running()
    const flags = ['SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX'] as const
    const scheduler = { policy: 'SCHED_OTHER', flags, utilMin: 100, utilMax: 900 } as const
    const outcome = await container.exec({ ...sleeper, scheduler }).then(
      ({ pid }) => attributes(pid),
      ({ errno, hint }) => ({ errno, hint }),
    )
    if ('errno' in outcome) expect(outcome).toEqual({ errno: -95, hint: expect.stringContaining('CONFIG_UCLAMP_TASK') })
    else expect(outcome).toMatchObject({ utilMin: 100, utilMax: 900 })
  })

  test(
    'EV-108 a deadline in a cpuset of some processors is refused, and the hint says why',
    requires('root', 'cgroup:cpuset', 'file:/sys/devices/system/cpu/cpu1'),
    async () => {
      await using bench = await Bench.open('deadline-cpuset')
      const scheduler = { policy: 'SCHED_DEADLINE', runtimeNs: 1e6, deadlineNs: 1e8, periodNs: 1e8 } as const
      await expect(
        bench.run({ args: ['true'], scheduler }, { cgroups: { cpuset: { cpus: '0', mems: '0' } } }),
      ).rejects.toMatchObject({ syscall: 'sched_setattr', errno: -1, hint: expect.stringContaining('cpuset') })
    },
  )
})

describe('disks, processors and the kernel that a program sees', () => {
  test('PP-10 each class of io priority, of the whole process group', needs, async () => {
    await using bench = await Bench.open('io-classes')
    const { container } = await bench.running({ ioPriority: { class: 'IOPRIO_CLASS_BE', level: 2 } })
    // ionice is a child of the shell, and in its group.
    const told = async (spec: Partial<ProcessSpec> = {}) => await inside(container, 'ionice -p $$; ionice', spec)
    expect(await told()).toBe('best-effort: prio 2\nbest-effort: prio 2')
    expect(await told({ ioPriority: { class: 'IOPRIO_CLASS_RT', level: 5 } })).toMatch(/^realtime: prio 5\n/)
    expect(await told({ ioPriority: { class: 'IOPRIO_CLASS_IDLE' } })).toMatch(/^idle/)
  })

  test('PP-11 a personality, of further processes too', needs, async () => {
    await using bench = await Bench.open('personalities')
    const { container, init } = await bench.running({ personality: 'LINUX32' })
    expect(readFileSync(`/proc/${init.pid}/personality`, 'utf8')).toBe('00000008\n')
    expect(await inside(container, 'cat /proc/self/personality')).toBe('00000008')
    expect(await inside(container, 'cat /proc/self/personality', { personality: 'LINUX' })).toBe('00000000')
  })

  test('PP-12 `initial` counts while it is set up, `final` or all afterwards', needs, async () => {
    using place = temporaryDirectory('affinity-')
    await using bench = await Bench.open('affinities')
    const script = `grep Cpus_allowed_list /proc/self/status > ${place.path}/told`
    const hooks = { createContainer: [{ path: '/bin/sh', args: ['sh', '-c', script] }] }
    const all = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim()
    const allowed = (text: string): string => text.split('\t')[1]!.trim()
    const now = 'grep Cpus_allowed_list /proc/self/status'
    for (const [cpuAffinity, meanwhile, afterwards] of [
      [{ initial: ' 0 ,, ' }, '0', all],
      [{ initial: '0', final: all }, '0', all],
      [{ final: '0' }, undefined, '0'],
    ] as const) {
      expect(allowed(await bench.text(now, { cpuAffinity, hooks }))).toBe(afterwards)
      if (meanwhile !== undefined) expect(allowed(readFileSync(`${place.path}/told`, 'utf8'))).toBe(meanwhile)
    }
  })
})

describe('limits', () => {
  /** As /proc/self/limits calls them. */
  const titles: Readonly<Record<string, string>> = {
    RLIMIT_CPU: 'Max cpu time',
    RLIMIT_FSIZE: 'Max file size',
    RLIMIT_DATA: 'Max data size',
    RLIMIT_STACK: 'Max stack size',
    RLIMIT_CORE: 'Max core file size',
    RLIMIT_RSS: 'Max resident set',
    RLIMIT_NPROC: 'Max processes',
    RLIMIT_NOFILE: 'Max open files',
    RLIMIT_MEMLOCK: 'Max locked memory',
    RLIMIT_AS: 'Max address space',
    RLIMIT_LOCKS: 'Max file locks',
    RLIMIT_SIGPENDING: 'Max pending signals',
    RLIMIT_MSGQUEUE: 'Max msgqueue size',
    RLIMIT_NICE: 'Max nice priority',
    RLIMIT_RTPRIO: 'Max realtime priority',
    RLIMIT_RTTIME: 'Max realtime timeout',
  }
  const read = (text: string): Map<string, string> =>
    new Map(
      text
        .split('\n')
        .map(line => [line.slice(0, 26).trim(), line.slice(26).trim().split(/\s+/).slice(0, 2).join(' ')]),
    )
  const own = read(readFileSync('/proc/self/limits', 'utf8'))

  test('PP-01 each of the sixteen, by name and by number, of the first and of a further process', needs, async () => {
    expect(Object.keys(titles)).toEqual(Object.keys(resourceLimits))
    await using bench = await Bench.open('sixteen')
    // What the hard limit allows already needs no privilege; memory that a program needs to start stays.
    const wanted = Object.keys(titles).map((type, i) => {
      const [, hard] = own.get(titles[type]!)!.split(' ')
      const most = hard === 'unlimited' ? 2n ** 64n - 1n : BigInt(hard!)
      const soft = ['RLIMIT_AS', 'RLIMIT_DATA', 'RLIMIT_STACK', 'RLIMIT_RSS'].includes(type)
        ? 1n << 30n
        : BigInt(90 + i)
      return { type, soft: soft < most ? soft : most, hard: most }
    })
    const expected = wanted.map(({ type, soft, hard }) => [
      titles[type],
      `${soft === 2n ** 64n - 1n ? 'unlimited' : soft} ${hard === 2n ** 64n - 1n ? 'unlimited' : hard}`,
    ])
    const { container } = await bench.running({ rlimits: wanted })
    expect([...read(await inside(container, 'cat /proc/self/limits'))].slice(1, 17).sort()).toEqual(expected.sort())
    const numbers = wanted.map(({ type, ...limit }) => ({ ...limit, type: resourceLimits[type]! }))
    const told = read(await bench.text('cat /proc/self/limits', { rlimits: numbers }))
    expect([...told].slice(1, 17).sort()).toEqual(expected.sort())
  })
})
