import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Cgroup, cgroupHost } from '@libcontainer/cgroups'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { directoriesOf, directoryOf, freshCgroup, freshPath, keyOf, pause, removedAtEnd } from './support.js'

const MiB = 1024 * 1024
const imports = "import { Cgroup, cgroupHost } from '@libcontainer/cgroups'\n"

/** What a program of Node.js prints. @param around - in whose arguments it is started, such as `unshare` and its own */
async function program(source: string, around: readonly string[] = []): Promise<string> {
  const [first, ...args] = [...around, process.execPath, '--input-type=module', '-e', imports + source]
  const child = spawn(first!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return (await Promise.all([text(child.stdout), once(child, 'close')]))[0]
}

/** In a mount namespace of its own, after these commands. */
const aside = (commands: string, source: string): Promise<string> =>
  program(source, ['unshare', '--mount', 'sh', '-ec', `${commands}\nexec "$0" "$@"`])

describe('hierarchies', () => {
  const needs = requires('root', 'namespace:mnt', 'cgroup1:pids')

  test.each([
    ['unmounted', (mountpoint: string) => `umount ${mountpoint}`],
    ['covered by something else', (mountpoint: string) => `mount -t tmpfs none ${mountpoint}`],
  ])('one that is %s after it was looked at takes nothing, and the others keep nothing', needs, async (_, command) => {
    const path = freshPath()
    removedAtEnd(path)
    const { mountpoint } = (await cgroupHost()).hierarchies.find(({ controllers }) => controllers.includes('pids'))!
    const output = await aside(
      '',
      `await cgroupHost()
       const { execSync } = await import('node:child_process')
       execSync(${JSON.stringify(command(mountpoint))})
       await Cgroup.create('${path}', { pids: { max: 5 } }).then(
         () => console.log('made'), ({ name, code, path }) => console.log(name, code, path))`,
    )
    expect(output).toMatch(new RegExp(`^SyscallError (EXDEV|ENOENT) ${mountpoint}`))
    expect(await directoriesOf(path)).toEqual([])
  })

  test('of one that is read-only no limit changes and nobody moves; what is there is told', needs, async () => {
    const group = await freshCgroup({ pids: { max: 7 } })
    const { mountpoint } = (await cgroupHost()).hierarchies.find(({ controllers }) => controllers.includes('pids'))!
    const output = await aside(
      `mount -o remount,bind,ro ${mountpoint}`,
      `const group = await Cgroup.open('${group.path}')
       const tell = act => act.then(() => console.log('done'), ({ name, code, path }) => console.log(name, code, path))
       await tell(group.set({ memory: { max: ${64 * MiB} }, pids: { max: 5 } }))
       await tell(group.add(process.pid))
       console.log((await group.stats(['pids'])).pids.max, (await group.processes()).length)`,
    )
    const directory = group.paths.get(keyOf(group, 'pids'))!
    const [set, add, ...told] = output.trim().split('\n')
    expect(set).toBe(`SyscallError EROFS ${directory}/pids.max`)
    expect(add).toMatch(new RegExp(`^SyscallError EROFS ${directory}/`))
    expect(told).toEqual(['7 0'])
    const { memory, pids } = await group.stats(['memory', 'pids'])
    expect([memory!.max, pids!.max]).toEqual(['max', 7])
  })
})

describe('a cgroup that somebody else removes', () => {
  test(
    'between two writes: the file that is gone is named, and the limits before it are as they were',
    requires('root', 'cgroup1:pids', 'cgroup1:memory'),
    async () => {
      const group = await freshCgroup({ memory: { max: 32 * MiB } })
      const directory = directoryOf(group, 'pids')
      rmdirSync(directory)
      await expect(group.set({ memory: { max: 64 * MiB }, pids: { max: 5 } })).rejects.toMatchObject({
        name: 'SyscallError',
        code: 'ENOENT',
        path: `${directory}/pids.max`,
      })
      expect((await group.stats(['memory'])).memory!.max).toBe(32 * MiB)
      await group.kill()
      await group.destroy()
      expect(await directoriesOf(group.path)).toEqual([])
    },
  )

  test(
    'while it is made and limited: it is made, or an error tells; nothing is left',
    requires('cgroup:pids'),
    async () => {
      const path = freshPath()
      removedAtEnd(path)
      const { hierarchies } = await cgroupHost()
      const remover = program(
        `import { rmdirSync } from 'node:fs'
       const places = ${JSON.stringify(hierarchies.map(({ mountpoint }) => mountpoint + path))}
       for (const end = Date.now() + 1500; Date.now() < end; ) for (const place of places) try { rmdirSync(place) } catch {}`,
      )
      let over = false
      void remover.then(() => {
        over = true
      })
      const outcomes = new Set<string>()
      while (!over) {
        try {
          const group = await Cgroup.create(path, { pids: { max: 5 } })
          outcomes.add('made')
          await group.set({ pids: { max: 6 } }).catch(({ code }) => outcomes.add(code))
          await group.destroy()
        } catch (error) {
          outcomes.add((error as { code: string }).code)
        }
      }
      await remover
      for (const outcome of outcomes) expect(['made', 'ENOENT', 'ENODEV', 'EEXIST']).toContain(outcome)
      expect(await directoriesOf(path)).toEqual([])
    },
  )
})

test('500 are made, entered, killed and removed by 8 processes at once: no directory, process or descriptor is left', {
  ...requires('root', 'cgroup:pids'),
  timeout: 120_000,
}, async () => {
  const top = freshPath()
  removedAtEnd(top)
  const outputs = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      program(
        `import { spawn } from 'node:child_process'
           import { once } from 'node:events'
           import { readdirSync } from 'node:fs'
           import { openPidfd, POLLIN, poll } from '@libcontainer/sys'
           const fds = () => readdirSync('/proc/self/fd').length
           const outcomes = {}
           async function cycle(name) {
             const group = await Cgroup.create('${top}/' + name, { pids: { max: 9 } })
             const child = spawn('sh', ['-c', 'read go; sleep 1000 & sleep 1000 & wait'], { stdio: ['pipe', 'ignore', 'ignore'] })
             child.stdin.on('error', () => {})
             const ended = once(child, 'exit')
             try {
               await group.add(child.pid)
               child.stdin.end('go\\n')
             } finally {
               await group.kill()
               child.kill('SIGKILL')
               await ended
               await group.destroy({ timeoutMs: 10_000 })
             }
           }
           // What is opened at the first use, once for the process, is there then.
           await cycle('own-${n}')
           const pidfd = openPidfd(spawn('true', { stdio: 'ignore' }).pid)
           await poll(pidfd.fd, POLLIN)
           pidfd.close()
           const before = fds()
           for (let i = 0; i < 63; i++) {
             const outcome = await cycle((i * 7 + ${n}) % 20).then(() => 'done', ({ code }) => code)
             outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
           }
           console.log(JSON.stringify({ outcomes, more: fds() - before }))`,
      ),
    ),
  )
  let done = 0
  for (const output of outputs) {
    const { outcomes, more } = JSON.parse(output) as { outcomes: Record<string, number>; more: number }
    for (const outcome of Object.keys(outcomes)) expect(['done', 'EEXIST', 'ENOENT', 'ENODEV']).toContain(outcome)
    done += outcomes.done ?? 0
    expect(more).toBeLessThanOrEqual(0)
  }
  expect(done).toBeGreaterThan(0)
  await pause(50)
  for (const directory of await directoriesOf(top)) {
    expect(readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory())).toEqual([])
    expect(readFileSync(`${directory}/cgroup.procs`, 'utf8')).toBe('')
  }
})
