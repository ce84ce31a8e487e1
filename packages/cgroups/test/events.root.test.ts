import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import {
  Cgroup,
  type CgroupEvent,
  type CgroupEventType,
  cgroupHost,
  type EventsOptions,
  eventsOf,
} from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires, slowness } from '../../../test/support/index.js'
import { directoriesOf, directoryOf, freshCgroup, freshPath, hostOf, pause, removedAtEnd, run } from './support.js'

const MiB = 1024 * 1024

/** Descriptors of this process by what they are. */
const descriptors = (kind: string): number =>
  readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes(kind)
    } catch {
      return false
    }
  }).length

/** All that is told until the cgroup is gone, as it comes. */
function collect(cgroup: Cgroup, options: EventsOptions = {}): { told: CgroupEvent[]; ended: Promise<void> } {
  const events = cgroup.events(options)
  const told: CgroupEvent[] = []
  const ended = (async () => {
    for await (const event of events) told.push(event)
  })()
  ended.catch(() => undefined)
  return { told, ended }
}

/** Waits for what is told to be so, since the kernel tells a moment later. */
async function until<T>(told: T[], holds: (told: T[]) => boolean): Promise<void> {
  const deadline = Date.now() + 15_000 * slowness
  while (!holds(told)) {
    if (Date.now() > deadline) throw new Error(`was told: ${JSON.stringify(told)}`)
    await pause(5)
  }
}

describe('want of memory', () => {
  const oom = async (cgroup: Cgroup): Promise<void> => {
    const hog = run('exec tail /dev/zero')
    await cgroup.add(hog.pid)
    hog.go()
    expect(await hog.ended).toMatchObject({ signal: 'SIGKILL' })
  }

  for (const [id, version] of [
    ['CG-100', 1],
    ['CG-101', 2],
  ] as const) {
    test(`${id} is told each time, with the kills so far, and ends with the cgroup`, {
      ...requires(version === 1 ? 'cgroup1:memory' : 'cgroup2:memory'),
      timeout: 60_000,
    }, async () => {
      const cgroup = await freshCgroup({ memory: { max: 16 * MiB, swapMax: 0 } })
      const { told, ended } = collect(cgroup, { types: ['oom'] })
      const older = cgroup.oomEvents()
      for (const kills of [1, 2]) {
        await oom(cgroup)
        await until(told, all => all.length >= kills)
        // v1 tells before it counts.
        expect(told[kills - 1]).toMatchObject({ type: 'oom', kills: version === 2 ? kills : expect.any(Number) })
      }
      expect((await older.next()).value).toMatchObject({ kills: expect.any(Number) })
      await cgroup.destroy()
      await ended
      expect(told.at(-1)).toEqual({ type: 'removed' })
      expect(await older.next()).toEqual({ done: true, value: undefined })
    })
  }

  test('CG-101 reaching the limit is no want of memory while the kernel finds some', {
    ...requires('cgroup2:memory'),
    timeout: 60_000,
  }, async () => {
    const cgroup = await freshCgroup({ memory: { max: 16 * MiB, swapMax: 0 } })
    const { told, ended } = collect(cgroup, { types: ['oom'] })
    const name = `/var/tmp/lc-events-${process.pid}`
    const writer = run(`head -c 32m /dev/zero > ${name}; rm ${name}`)
    await cgroup.add(writer.pid)
    writer.go()
    expect(await writer.ended).toMatchObject({ code: 0 })
    expect((await cgroup.stats(['memory'])).memory!.maxCount).toBeGreaterThan(0)
    await cgroup.destroy()
    await ended
    expect(told).toEqual([{ type: 'removed' }])
  })
})

/** As the host is, and as one with v1 alone. */
const views: readonly [string, 'host' | 'v1', ReturnType<typeof requires>][] = [
  ['as the host has it', 'host', requires('cgroup')],
  ['by v1 alone', 'v1', requires('root', 'cgroup1:freezer')],
]

describe.each(views)('%s', (_, view, needs) => {
  const fresh = async (): Promise<Cgroup> => {
    const { mode } = await cgroupHost()
    return await freshCgroup({}, view === 'host' || mode === 'v1' ? {} : { host: await hostOf('v1') })
  }

  test('CG-101 the first process and the last are told, and the removal', { ...needs, timeout: 30_000 }, async () => {
    const cgroup = await fresh()
    const { told, ended } = collect(cgroup, { types: ['populated'] })
    const [one, two] = [run('true'), run('true')]
    await cgroup.add(one.pid)
    await until(told, all => all.length === 1)
    await cgroup.add(two.pid)
    one.go()
    await one.ended
    await pause(50)
    expect(told).toEqual([{ type: 'populated', populated: true }])
    expect(await cgroup.processes()).toEqual([two.pid])
    two.go()
    await until(told, all => all.length === 2)
    expect(told[1]).toEqual({ type: 'populated', populated: false })
    await cgroup.destroy()
    await ended
    expect(told.slice(2)).toEqual([{ type: 'removed' }])
  })

  test('CG-101 who came and went before anybody could look is told of', { ...needs, timeout: 30_000 }, async () => {
    const cgroup = await fresh()
    const { told, ended } = collect(cgroup, { types: ['populated'] })
    const directories = [...new Set(cgroup.paths.values())]
    // It moves itself in and ends while this thread can do nothing.
    const { status } = spawnSync('sh', ['-c', 'for file; do echo 0 > "$file"/cgroup.procs; done', '-', ...directories])
    expect(status).toBe(0)
    await until(told, all => all.length > 0)
    await cgroup.destroy()
    await ended
    // Coming and going are two notices: where they are some 10 ms apart, v2 tells of each, and neither look finds anybody.
    const states = told.filter(event => event.type === 'populated')
    expect(new Set(states.map(({ populated }) => populated))).toEqual(new Set([false]))
    expect(states.length).toBeLessThanOrEqual(2)
  })

  test('CG-61 CG-37 that all stand is told, and that they run again', { ...needs, timeout: 30_000 }, async () => {
    const cgroup = await fresh()
    const process = run('sleep 100')
    await cgroup.add(process.pid)
    const { told, ended } = collect(cgroup, { types: ['frozen'] })
    await cgroup.freeze()
    await until(told, all => all.length === 1)
    await cgroup.thaw()
    await until(told, all => all.length === 2)
    expect(told).toEqual([
      { type: 'frozen', frozen: true },
      { type: 'frozen', frozen: false },
    ])
    await cgroup.kill()
    await cgroup.destroy()
    await ended
  })

  test('CG-101 who waits until it is empty is told so, of a removed one too', {
    ...needs,
    timeout: 30_000,
  }, async () => {
    const cgroup = await fresh()
    await cgroup.untilEmpty()
    const process = run('true')
    await cgroup.add(process.pid)
    let empty = false
    const waits = cgroup.untilEmpty().then(() => {
      empty = true
    })
    await expect(cgroup.untilEmpty({ signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/)
    expect(empty).toBe(false)
    process.go()
    await waits
    expect(await cgroup.processes()).toEqual([])
    await cgroup.destroy()
    await cgroup.untilEmpty()
  })

  test('CG-101 one that goes while it is begun to be waited for is empty', { ...needs, timeout: 60_000 }, async () => {
    for (let round = 0; round < 40; round++) {
      const cgroup = await fresh()
      const waits = cgroup.untilEmpty()
      waits.catch(() => undefined)
      for (let turn = 0; turn < round % 4; turn++) await null
      for (const { directory } of cgroup.places) rmdirSync(directory)
      await waits
    }
    const cgroup = await fresh()
    await cgroup.destroy()
    await cgroup.untilEmpty()
  })

  test('CG-101 of no type at all its end is told, and not before', { ...needs, timeout: 30_000 }, async () => {
    const cgroup = await fresh()
    const { told, ended } = collect(cgroup, { types: [] })
    const many = eventsOf([cgroup], { types: [] })
    const process = run('true')
    await cgroup.add(process.pid)
    process.go()
    await process.ended
    await pause(50)
    expect(told).toEqual([])
    await cgroup.destroy()
    await ended
    expect(told).toEqual([{ type: 'removed' }])
    expect((await many.next()).value).toMatchObject({ type: 'removed', cgroup })
    expect((await many.next()).done).toBe(true)
  })

  test('CG-101 one that is made anew by the same name is another', { ...needs, timeout: 30_000 }, async () => {
    const first = await fresh()
    const old = collect(first, { types: ['populated'] })
    // So fast that both notices are read at once.
    for (const { directory, hierarchy } of first.places) {
      rmdirSync(directory)
      mkdirSync(directory)
      // Of v1 it is born empty, and takes no process.
      if (!hierarchy.controllers.includes('cpuset') || hierarchy.version === 2) continue
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        writeFileSync(`${directory}/${file}`, readFileSync(`${dirname(directory)}/${file}`))
      }
    }
    const young = collect(first, { types: ['populated'] })
    await old.ended
    expect(old.told).toEqual([{ type: 'removed' }])
    const process = run('true')
    await first.add(process.pid)
    await until(young.told, all => all.length === 1)
    process.go()
    await until(young.told, all => all.length === 2)
    await first.destroy()
    await young.ended
    expect(young.told.at(-1)).toEqual({ type: 'removed' })
  })

  test('CG-101 no descriptor is left', { ...needs, timeout: 30_000 }, async () => {
    const before = readdirSync('/proc/self/fd').length
    const cgroup = await fresh()
    const process = run('sleep 100')
    await cgroup.add(process.pid)
    const stop = new AbortController()
    const reads = [cgroup.events({ signal: stop.signal }), cgroup.events(), cgroup.events()] as const
    const next = reads[0].next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    await reads[1].return!()
    await cgroup.kill()
    await process.ended
    await cgroup.destroy()
    const rest: CgroupEvent[] = []
    for await (const event of reads[2]) rest.push(event)
    expect(rest.at(-1)).toEqual({ type: 'removed' })
    await expect
      .poll(() => readdirSync('/proc/self/fd').length, { timeout: 2000 * slowness })
      .toBeLessThanOrEqual(before)
  })
})

describe('many', () => {
  test('CG-101 a thousand are watched by one descriptor, and each is told for itself', {
    ...requires('cgroup', 'cgroup2'),
    timeout: 120_000,
  }, async () => {
    const host = await hostOf('v2')
    const path = freshPath()
    removedAtEnd(path)
    const top = await Cgroup.create(path, {}, { host })
    const names = Array.from({ length: 1000 }, (_, i) => String(i))
    for (const name of names) mkdirSync(`${top.places[0]!.directory}/${name}`)
    const all = await top.children()
    expect(all).toHaveLength(1000)
    const before = readdirSync('/proc/self/fd').length
    const events = eventsOf(all, { types: ['populated', 'frozen'] })
    const again = all.map(one => one.events({ types: ['populated'] }))
    expect([readdirSync('/proc/self/fd').length - before, descriptors('inotify')]).toEqual([1, 1])
    const told: { type: string; path: string }[] = []
    const ended = (async () => {
      for await (const { type, cgroup } of events) told.push({ type, path: cgroup.path })
    })()
    const process = run('true')
    await all[500]!.add(process.pid)
    await until(told, one => one.length === 1)
    process.go()
    await until(told, one => one.length === 2)
    expect(told).toEqual([
      { type: 'populated', path: all[500]!.path },
      { type: 'populated', path: all[500]!.path },
    ])
    await top.destroy()
    await ended
    expect(told.slice(2).map(({ type }) => type)).toEqual(Array(1000).fill('removed'))
    expect(new Set(told.slice(2).map(one => one.path)).size).toBe(1000)
    for (const one of again) await one.return!()
    expect(descriptors('inotify')).toBe(0)
  })

  test('CG-101 one that is gone already is told as removed', requires('cgroup'), async () => {
    const [here, gone] = [await freshCgroup(), await freshCgroup()]
    await gone.destroy()
    const events = eventsOf([here, gone], { types: ['populated'] })
    expect((await events.next()).value).toMatchObject({ type: 'removed', cgroup: gone })
    await here.destroy()
    expect((await events.next()).value).toMatchObject({ type: 'removed', cgroup: here })
    expect((await events.next()).done).toBe(true)
    expect(await eventsOf([]).next()).toEqual({ done: true, value: undefined })
  })
})

describe('CG-103', () => {
  test('CG-103 BY-19 tasks that wait for a processor are told, with how long; a removal ends it', {
    ...requires('cgroup', 'cgroup2', 'file:/proc/pressure/cpu'),
    timeout: 60_000,
  }, async () => {
    const cgroup = await freshCgroup()
    const events = await cgroup.notifyPressure('cpu', 'some', 50_000, 2_000_000)
    const processors = availableParallelism()
    const busy = Array.from({ length: processors * 2 }, () => run('while :; do :; done'))
    for (const { pid, go } of busy) {
      await cgroup.add(pid)
      go()
    }
    const { value, done } = await events.next()
    expect(done).toBe(false)
    expect(value.some.totalUs).toBeGreaterThanOrEqual(50_000)
    await cgroup.kill()
    await Promise.all(busy.map(({ ended }) => ended))
    const quiet = await cgroup.notifyPressure('io', 'full', 1_900_000, 2_000_000)
    const next = quiet.next()
    await cgroup.destroy()
    expect(await next).toEqual({ done: true, value: undefined })
    for await (const _ of events);
    await expect(cgroup.notifyPressure('cpu', 'some', 1, 2_000_000)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('CG-103 BY-19 pressure that is not to be counted is neither told nor waited for, until it is again', {
    ...requires('cgroup', 'cgroup2', 'kernel:6.1', 'file:/proc/pressure/cpu'),
    timeout: 60_000,
  }, async () => {
    const cgroup = await freshCgroup()
    await cgroup.set({ unified: { 'cgroup.pressure': '0' } })
    expect((await cgroup.stats(['cpu'])).cpu?.pressure).toBeUndefined()
    await expect(cgroup.notifyPressure('cpu', 'some', 50_000, 2_000_000)).rejects.toMatchObject({
      name: 'SyscallError',
      path: expect.stringContaining('cpu.pressure'),
    })
    await cgroup.set({ unified: { 'cgroup.pressure': '1' } })
    expect((await cgroup.stats(['cpu'])).cpu?.pressure?.some?.totalUs).toBeGreaterThanOrEqual(0)
    await (await cgroup.notifyPressure('cpu', 'some', 50_000, 2_000_000)).return!()
  })

  test('CG-103 who gives up while it is begun leaves no descriptor', {
    ...requires('cgroup', 'cgroup2', 'file:/proc/pressure/cpu'),
  }, async () => {
    const cgroup = await freshCgroup()
    const before = descriptors('.pressure')
    const stop = new AbortController()
    const begun = cgroup.notifyPressure('cpu', 'some', 50_000, 2_000_000, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(begun).rejects.toThrow('enough')
    await expect(cgroup.notifyPressure('cpu', 'some', 1, 2_000_000, { signal: stop.signal })).rejects.toThrow('enough')
    expect(descriptors('.pressure')).toBe(before)
  })

  test('CG-103 without a unified hierarchy, and for what no kernel takes, it is refused', {
    ...requires('root', 'cgroup1:freezer'),
  }, async () => {
    const cgroup = await freshCgroup({}, { host: await hostOf('v1') })
    await expect(cgroup.notifyPressure('memory', 'some', 1, 2_000_000)).rejects.toMatchObject({
      code: 'LimitUnsupported',
      field: 'pressure.memory',
    })
    await expect(cgroup.notifyPressure('memory', 'some', 3, 2)).rejects.toMatchObject({ field: 'stallUs' })
  })
})

describe('refusals', () => {
  test(
    'CG-101 a type that is none, a controller that is missing, a cgroup that is gone',
    requires('cgroup'),
    async () => {
      const cgroup = await freshCgroup()
      expect(() => cgroup.events({ types: ['pressure' as CgroupEventType] })).toThrow(ConfigInvalid)
      const { hierarchies, mode } = await cgroupHost()
      const poor = {
        mode,
        hierarchies: hierarchies
          .filter(({ version, controllers }) => version === 2 || controllers.includes('freezer'))
          .map(hierarchy => ({ ...hierarchy, controllers: hierarchy.controllers.filter(name => name !== 'memory') })),
      }
      const without = await Cgroup.open(cgroup.path, { host: poor })
      expect(() => without.events({ types: ['oom'] })).toThrow(
        expect.objectContaining({ code: 'LimitUnsupported', controller: 'memory' }),
      )
      // What is not asked for by name is left out.
      await without.events().return!()
      await cgroup.destroy()
      expect(() => cgroup.events()).toThrow(expect.objectContaining({ code: 'ENOENT' }))
      expect(await directoriesOf(cgroup.path)).toEqual([])
    },
  )

  test('CG-101 on v2 one that was made without the controller has no want of memory to tell', {
    ...requires('root', 'cgroup2:memory'),
  }, async () => {
    const outer = await freshCgroup()
    mkdirSync(`${directoryOf(outer, 'pids')}/inner`)
    const [inner] = await outer.children()
    expect(() => inner!.events({ types: ['oom'] })).toThrow(expect.objectContaining({ code: 'LimitUnsupported' }))
    const { told, ended } = collect(inner!)
    await inner!.destroy()
    await ended
    expect(told).toEqual([{ type: 'removed' }])
  })
})

test('CO-19 listening keeps no program from ending, awaiting does', {
  ...requires('cgroup'),
  timeout: 60_000,
}, async () => {
  const cgroup = await freshCgroup()
  const program = `
    import { Cgroup } from ${JSON.stringify(import.meta.resolve('@libcontainer/cgroups'))}
    const events = (await Cgroup.open(${JSON.stringify(cgroup.path)})).events()
    process.once('exit', () => console.log('ends'))`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 50_000 * slowness,
  })
  expect({ stdout, status }).toEqual({ stdout: 'ends\n', status: 0 })
})

describe('one that is long about to stand', () => {
  const follow = (cgroup: Cgroup): string => `
    import { Cgroup } from ${JSON.stringify(import.meta.resolve('@libcontainer/cgroups'))}
    import { follow } from ${JSON.stringify(new URL('../dist/events/follow.js', import.meta.url).href)}
    const [place] = (await Cgroup.open(${JSON.stringify(cgroup.path)})).places
    const looked = new Promise(resolve => {
      follow(place, ['cgroup.procs'], {
        first: () => true,
        next: () => (resolve(), 60_000),
        gone: () => console.log('gone'),
        failed: error => console.log(error),
      })
    })
    const hold = setInterval(() => undefined, 10_000)
    await looked
    await new Promise(resolve => setTimeout(resolve, 20))
    clearInterval(hold)
    `
  const play = (program: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 25_000 * slowness,
    })

  test('CO-19 keeps no program from ending', { ...requires('cgroup'), timeout: 60_000 }, async () => {
    const { stdout, status } = play(`${follow(await freshCgroup())} console.log('ends')`)
    expect({ stdout, status }).toEqual({ stdout: 'ends\n', status: 0 })
  })

  test('CG-101 is told to be gone as soon as it is', { ...requires('cgroup'), timeout: 60_000 }, async () => {
    const cgroup = await freshCgroup()
    const removal = `
      await (await Cgroup.open(${JSON.stringify(cgroup.path)})).destroy()
      await new Promise(resolve => setTimeout(resolve, 500))
      process.exit()`
    expect(play(follow(cgroup) + removal)).toMatchObject({ stdout: 'gone\n', status: 0 })
  })
})
