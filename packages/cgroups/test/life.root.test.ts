import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Cgroup, cgroupHost, classic } from '@libcontainer/cgroups'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { cgroupsOf, directoriesOf, freshCgroup, freshPath, hostOf, pause, removedAtEnd, run } from './support.js'

describe('processes and threads', () => {
  test('CG-13 one thread moves by itself', requires('root', 'cgroup1:cpu'), async () => {
    const [one, other] = [await freshCgroup(), await freshCgroup()]
    const program =
      'const { Worker } = require("node:worker_threads"); new Worker("setInterval(() => 1, 1e6)", { eval: true }); console.log(1)'
    const node = run(`exec ${process.execPath} -e '${program}'`)
    await one.add(node.pid)
    node.go()
    await once(node.child.stdout!, 'data')
    const threads = await one.threads()
    expect(threads).toContain(node.pid)
    expect(threads.length).toBeGreaterThan(2)
    const tid = threads.find(thread => thread !== node.pid)!
    await other.addThread(tid)
    expect(await other.threads()).toEqual([tid])
    expect(await one.threads()).not.toContain(tid)
    await expect(other.addThread(0)).rejects.toMatchObject({ field: 'tid' })
    await expect(other.addThread(2 ** 22 - 1)).rejects.toMatchObject({ code: 'ESRCH', hint: 'the thread has ended' })
  })

  test('on v2 threads move within a tree of threads alone', requires('root', 'cgroup2'), async () => {
    const host = await hostOf('v2')
    const domain = await freshCgroup({}, { host })
    const shell = run(':')
    await domain.add(shell.pid)
    const group = await freshCgroup({}, { host })
    await expect(group.addThread(shell.pid)).rejects.toMatchObject({ code: 'EOPNOTSUPP' })
    const inner = await Cgroup.create(`${domain.path}/threads`, {}, { host })
    writeFileSync(`${inner.paths.get('')}/cgroup.type`, 'threaded')
    await inner.addThread(shell.pid)
    expect(await inner.threads()).toEqual([shell.pid])
    // CG-12: it has threads of processes, but no processes to list.
    expect(await inner.processes()).toEqual([shell.pid])
  })

  test('processes make room in a leaf, those that fork meanwhile too', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const busy = run('while :; do sleep 0.01 & wait; done')
    await group.add(busy.pid)
    busy.go()
    await pause(50)
    const leaf = await group.moveToLeaf()
    expect(leaf.path).toBe(`${group.path}/leaf`)
    expect(await group.processes({ recursive: false })).toEqual([])
    expect(await leaf.processes()).toContain(busy.pid)
    expect(new Set(cgroupsOf(busy.pid).values())).toEqual(new Set([leaf.path]))
    // Again is fine.
    await group.moveToLeaf()
    await expect(group.moveToLeaf('..')).rejects.toMatchObject({ field: 'name' })
  })

  test('what cannot be moved into a leaf is all back where it was, and the leaf is gone', {
    ...requires('cgroup', 'cgroup1:pids', 'cgroup2'),
  }, async () => {
    const group = await freshCgroup()
    const shell = run(':')
    await group.add(shell.pid)
    const before = [...cgroupsOf(shell.pid)]
    // The top of a tree of threads lists the processes of all of it, and so is never empty.
    const unified = `${group.paths.get('')}/threaded`
    mkdirSync(unified)
    writeFileSync(`${unified}/cgroup.type`, 'threaded')
    await expect(group.moveToLeaf('threaded/leaf')).rejects.toMatchObject({ code: 'EBUSY' })
    expect([...cgroupsOf(shell.pid)]).toEqual(before)
    expect(await directoriesOf(`${group.path}/threaded/leaf`)).toEqual([])
    expect(await directoriesOf(`${group.path}/threaded`)).toEqual([unified])
  })

  test('on v2 what was moved to a leaf lets controllers be handed on', requires('root', 'cgroup2:pids'), async () => {
    const host = await hostOf('v2', ['pids'])
    const group = await freshCgroup({}, { host })
    await group.add(run(':').pid)
    await group.moveToLeaf()
    expect(readFileSync(`${group.paths.get('')}/cgroup.subtree_control`, 'utf8')).toContain('pids')
    await Cgroup.create(`${group.path}/other`, { pids: { max: 3 } }, { host })
  })
})

describe('trees', () => {
  test('CG-12 the cgroups below are listed, in whatever hierarchy they are', requires('cgroup'), async () => {
    const group = await freshCgroup()
    await Cgroup.create(`${group.path}/b/inner`)
    const { hierarchies } = await cgroupHost()
    const last = hierarchies.at(-1)!
    mkdirSync(`${last.mountpoint}${group.path}/a`)
    const names = (groups: Cgroup[]): string[] => groups.map(({ path }) => path.slice(group.path.length + 1))
    expect(names(await group.children())).toEqual(['a', 'b'])
    const all = await group.children({ recursive: true })
    expect(names(all)).toEqual(['a', 'b', 'b/inner'])
    expect(all[0]!.places).toHaveLength(1)
    expect(all[2]!.places).toHaveLength(hierarchies.length)
    expect(await all[2]!.exists()).toBe(true)
    await group.destroy()
    expect(await group.children({ recursive: true })).toEqual([])
    expect(await group.threads()).toEqual([])
  })

  test('CG-12 CG-14 hundreds below are listed, ended and removed', requires('cgroup:pids'), async () => {
    const group = await freshCgroup()
    await Promise.all(Array.from({ length: 200 }, (_, i) => Cgroup.create(`${group.path}/${i}/x`)))
    expect(await group.children({ recursive: true })).toHaveLength(400)
    const shells = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const shell = run(':')
        await (await Cgroup.open(`${group.path}/${i * 40}/x`)).add(shell.pid)
        return shell
      }),
    )
    expect(await group.processes()).toEqual(shells.map(({ pid }) => pid).sort((a, b) => a - b))
    await group.kill()
    await group.destroy()
    for (const shell of shells) expect(await shell.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(await directoriesOf(group.path)).toEqual([])
  })

  test(
    'CG-12 CG-14 whoever may make cgroups makes them as deep as he likes: all are found, signalled and removed',
    requires('cgroup:pids'),
    async () => {
      const group = await freshCgroup()
      const deep = (levels: number): string => `${group.path}${'/d'.repeat(levels)}`
      // Beyond the depth to which a walk holds a descriptor for each level, with others beside, in all hierarchies.
      const places = [`${deep(66)}/beside`, `${deep(66)}/empty/x`, `${deep(150)}/last`]
      const groups: Cgroup[] = []
      for (const place of places) groups.push(await Cgroup.create(place))
      const shells = await Promise.all(
        groups
          .filter(({ path }) => /\/(beside|last)$/.test(path))
          .map(async each => {
            const shell = run(':')
            await each.add(shell.pid)
            return shell
          }),
      )
      expect(await group.processes()).toEqual(shells.map(({ pid }) => pid).sort((a, b) => a - b))
      await expect(group.destroy({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'EBUSY' })
      // What nobody was in is gone all the same.
      expect(await directoriesOf(`${deep(66)}/empty`)).toEqual([])
      await group.kill()
      for (const shell of shells) expect(await shell.ended).toMatchObject({ signal: 'SIGKILL' })
      await group.destroy()
      expect(await directoriesOf(group.path)).toEqual([])
    },
  )

  test('LR-08 a busy one is told by its path, within the bound', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const inner = await Cgroup.create(`${group.path}/inner`)
    await inner.add(run(':').pid)
    const start = performance.now()
    await expect(group.destroy({ timeoutMs: 100 })).rejects.toMatchObject({
      code: 'EBUSY',
      path: expect.stringContaining(group.path),
    })
    expect(performance.now() - start).toBeLessThan(5000)
    expect(await inner.exists()).toBe(true)
  })

  test(
    'CG-63 a cgroup is given to a user, who can then make others in it',
    requires('root', 'reachable', 'cgroup2', 'CAP_SETUID', 'CAP_CHOWN'),
    async () => {
      const host = await hostOf('v2')
      const group = await freshCgroup({}, { host })
      await group.delegate(65534, 65534)
      const directory = group.paths.get('')!
      expect([statSync(directory).uid, statSync(`${directory}/cgroup.procs`).gid]).toEqual([65534, 65534])
      expect(statSync(`${directory}/cgroup.max.depth`).uid).toBe(0)
      const script = `
      import { Cgroup } from '@libcontainer/cgroups'
      process.setgroups([]); process.setgid(65534); process.setuid(65534)
      const host = ${JSON.stringify(host)}
      const inner = await Cgroup.create('${group.path}/inner', {}, { host })
      console.log(await inner.exists())
      await inner.destroy()
      await Cgroup.create('${group.path}-beside', {}, { host }).catch(({ code }) => console.log(code))`
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
      expect(output).toBe('true\nEACCES\n')
      await expect(group.delegate(-1)).rejects.toMatchObject({ field: 'uid' })
      const { delegatedFiles } = await import('../src/processes/tree.js')
      expect(await delegatedFiles('/nowhere')).toEqual(['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'])
    },
  )

  test('CG-18 what was made for limits that are refused is gone again', requires('cgroup:cpuset'), async () => {
    const path = freshPath()
    removedAtEnd(path)
    const refused = Cgroup.create(`${path}/a`, { cpuset: { cpus: '4000' } }, { existing: true })
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('4000') })
    expect(await directoriesOf(path)).toEqual([])
  })
})

test('BY-19 memory is taken back', requires('root', 'cgroup:memory'), async () => {
  const group = await freshCgroup()
  if (group.host.mode === 'v2') {
    expect(typeof (await group.reclaim(4096))).toBe('boolean')
    await expect(group.reclaim(-1)).rejects.toMatchObject({ field: 'bytes' })
  } else {
    expect(await group.reclaim()).toBe(true)
    await expect(group.reclaim(4096)).rejects.toMatchObject({ code: 'LimitUnsupported', field: 'memory.reclaim' })
  }
})

describe("libcontainer's own calls", () => {
  test('CG-16 each of its manager has its like', requires('cgroup:pids'), async () => {
    const group = await freshCgroup()
    const shell = run(':')
    // Apply, AddPid, GetPids, GetAllPids, Path, GetPaths, Exists
    await group.add(shell.pid)
    expect([await group.processes({ recursive: false }), await group.processes()]).toEqual([[shell.pid], [shell.pid]])
    expect([...group.paths.values()].every(path => path.endsWith(group.path))).toBe(true)
    expect(await group.exists()).toBe(true)
    // Set, GetStats, Stats, OOMKillCount
    await group.set({ pids: { max: 9 } })
    expect((await group.stats()).pids).toEqual((await group.stats(['pids'])).pids)
    expect(await group.oomKillCount()).toBe(0)
    // Freeze, GetFreezerState
    await group.setFreezer('FROZEN')
    expect(await group.freezerState()).toBe('FROZEN')
    await group.setFreezer('THAWED')
    // Destroy
    await group.kill()
    await group.destroy()
    expect(await group.exists()).toBe(false)
  })

  test('CG-19 apply, getStats, freeze, getPids and cleanup as in 2014', requires('root', 'cgroup:pids'), async () => {
    const path = freshPath()
    removedAtEnd(path)
    const cgroup = { parent: path, name: 'one', pids_limit: 5 }
    const shell = run(':')
    const active = await classic.apply(cgroup, shell.pid)
    expect(await classic.getPids(cgroup)).toEqual([shell.pid])
    expect((await classic.getStats(cgroup)).pids).toMatchObject({ current: 1, max: 5 })
    await classic.freeze(cgroup, 'FROZEN')
    expect(await (await Cgroup.open(`${path}/one`)).freezerState()).toBe('FROZEN')
    await classic.freeze(cgroup, 'THAWED')
    shell.go()
    await shell.ended
    await active.cleanup()
    expect(await directoriesOf(`${path}/one`)).toEqual([])
    // A pid of -1 makes it only; one that is none leaves nothing.
    await (await classic.apply({ path: `${path}/two` }, -1)).cleanup()
    await expect(classic.apply({ path: `${path}/three` }, 2 ** 22 - 1)).rejects.toMatchObject({ code: 'ESRCH' })
    expect(await directoriesOf(`${path}/three`)).toEqual([])
    await expect(classic.freeze(cgroup, 'COLD' as 'FROZEN')).rejects.toMatchObject({ field: 'freezer' })
  })

  test('EV-140 EV-141 a path, or a name and its parent; neither climbs', () => {
    const { classicPath } = classic
    expect(() => classicPath({ path: '/a', name: 'b' })).toThrow('must be alone')
    expect(() => classicPath({ path: 'a', parent: '/b' })).toThrow('must be alone')
    expect(() => classicPath({ parent: '/b' })).toThrow('must name')
    expect(() => classicPath({})).toThrow('must name')
    expect(classicPath({ parent: '/b/../..', name: '../../c' })).toBe('/c')
    expect(classicPath({ name: 'c' })).toBe('c')
    expect(classicPath({ path: '/../x' })).toBe('/x')
  })
})

describe('faults', () => {
  /** Runs a program of Node.js in a mount namespace of its own, after these commands. */
  async function aside(commands: string, program: string): Promise<string> {
    const script = `import { Cgroup } from '@libcontainer/cgroups'\n${program}`
    const line = `${commands}\nexec "$0" --input-type=module -e "$1"`
    const child = spawn('unshare', ['--mount', 'sh', '-ec', line, process.execPath, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
    return output
  }

  test(
    'a hierarchy that is read-only ends it, and nothing is left in the others',
    requires('root', 'namespace:mnt', 'cgroup1:pids'),
    async () => {
      const path = freshPath()
      const pids = (await cgroupHost()).hierarchies.find(({ controllers }) => controllers.includes('pids'))!
      const output = await aside(
        `mount -o remount,bind,ro ${pids.mountpoint}`,
        `await Cgroup.create('${path}').catch(({ code, path, hint }) => console.log(code, path, hint))`,
      )
      expect(output).toMatch(new RegExp(`^EROFS ${pids.mountpoint}${path} .*read-only`))
      expect(await directoriesOf(path)).toEqual([])
    },
  )

  test(
    'CG-43 a hierarchy that is not there is missed only by who needs it',
    requires('root', 'namespace:mnt', 'cgroup1:pids'),
    async () => {
      const path = freshPath()
      removedAtEnd(path)
      const pids = (await cgroupHost()).hierarchies.find(({ controllers }) => controllers.includes('pids'))!
      const output = await aside(
        `umount ${pids.mountpoint}`,
        `await Cgroup.create('${path}', { pids: { max: 5 } }).catch(({ code, controller }) => console.log(code, controller))
       const group = await Cgroup.create('${path}', {})
       console.log((await group.stats()).pids.current, [...group.paths.keys()].includes('pids'))
       await group.destroy()`,
      )
      expect(output).toBe('LimitUnsupported pids\n0 false\n')
      expect(await directoriesOf(path)).toEqual([])
    },
  )

  test('one that vanishes between two calls is no error to whoever ends it', requires('cgroup:pids'), async () => {
    const group = await freshCgroup()
    const gone = await Cgroup.open(group.path)
    await group.destroy()
    for (const end of [gone.kill(), gone.destroy(), gone.thaw()]) await end
    expect([await gone.processes(), await gone.threads(), await gone.children(), await gone.stats()]).toEqual([
      [],
      [],
      [],
      {},
    ])
    expect([await gone.exists(), await gone.oomKillCount(), await gone.freezerState()]).toEqual([false, 0, 'THAWED'])
    await expect(gone.set({ pids: { max: 5 } })).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(gone.add(process.pid)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await directoriesOf(group.path)).toEqual([])
  })

  test('somebody who removes the parents while they are made', requires('cgroup'), async () => {
    const top = freshPath()
    removedAtEnd(top)
    const { hierarchies } = await cgroupHost()
    let over = false
    const remover = (async () => {
      while (!over) {
        for (const { mountpoint } of hierarchies) {
          try {
            rmdirSync(`${mountpoint}${top}`)
          } catch {
            // In use, or gone: as it comes.
          }
        }
        await pause(0)
      }
    })()
    for (let i = 0; i < 40; i++) {
      const group = await Cgroup.create(`${top}/inner`).catch(error => error as Error & { code: string })
      if (group instanceof Cgroup) await group.destroy()
      else expect(['ENOENT', 'EEXIST', 'ENODEV']).toContain(group.code)
    }
    over = true
    await remover
    expect(await directoriesOf(`${top}/inner`)).toEqual([])
  })

  test('LR-07 a storm of freezing amid forks leaves nobody stopped', requires('cgroup'), async () => {
    const group = await freshCgroup({})
    const bomb = run('while :; do (:) & wait; done')
    await group.add(bomb.pid)
    bomb.go()
    const outcomes = new Set<string>()
    for (let i = 0; i < 10; i++) {
      await Promise.all(
        [group.freeze({ timeoutMs: 2000 }), group.thaw(), group.freeze({ timeoutMs: 2000 })].map(one =>
          one.then(
            () => outcomes.add('done'),
            ({ code }) => outcomes.add(code),
          ),
        ),
      )
      await group.thaw()
    }
    for (const outcome of outcomes) expect(['done', 'EBUSY', 'ETIMEDOUT']).toContain(outcome)
    expect(await group.freezerState()).toBe('THAWED')
    await group.kill()
    expect(await bomb.ended).toMatchObject({ signal: 'SIGKILL' })
  })
})

describe('two processes', () => {
  test(
    'and more make and remove the same few cgroups: each succeeds or is told why',
    requires('root', 'cgroup:pids'),
    async () => {
      const top = freshPath()
      removedAtEnd(top)
      const program = `
      import { Cgroup } from '@libcontainer/cgroups'
      const codes = {}
      for (let i = 0; i < 40; i++) {
        const path = '${top}/' + (i % 5)
        const outcome = await Cgroup.create(path, { pids: { max: 9 } }).then(
          group => group.destroy().then(() => 'done', ({ code }) => 'destroy ' + code),
          ({ code }) => code)
        codes[outcome] = (codes[outcome] ?? 0) + 1
      }
      console.log(JSON.stringify(codes), (await import('node:fs')).readdirSync('/proc/self/fd').length < 60)`
      const outputs = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
            stdio: ['ignore', 'pipe', 'inherit'],
          })
          return (await Promise.all([text(child.stdout), once(child, 'close')]))[0]
        }),
      )
      for (const output of outputs) {
        const [codes, few] = output.trim().split(' ') as [string, string]
        for (const code of Object.keys(JSON.parse(codes)))
          expect(['done', 'EEXIST', 'ENOENT', 'ENODEV']).toContain(code)
        expect(few).toBe('true')
      }
      for (const directory of await directoriesOf(top)) {
        expect(readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory())).toEqual([])
      }
    },
  )
})
