import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Factory } from '@libcontainer/container'
import { beforeAll, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { everything } from './everything.js'

const names = /^lc-killed/

const program = `
import { Factory } from '@libcontainer/container'
const [root, rootfs, how] = process.argv.slice(1)
const factory = await Factory.open(root)
const config = { rootfs, cgroups: { path: '/lc-killed' }, ...(how === 'pdeath' ? { parentDeathSignal: 'SIGKILL' } : {}) }
const spec = { args: ['/bin/sleep', '1000'], env: ['PATH=/bin'], ...(how === 'pdeath' ? { user: { uid: 1000, gid: 1000 } } : {}) }
const warm = await factory.create('warm', config)
await (await warm.run({ ...spec, args: ['/bin/true'] })).wait()
await warm.destroy()
process.stdout.write('ready')
await new Promise(go => process.stdin.once('data', go))
const container = await factory.create('killed', config)
await (how === 'start' ? container.start(spec) : container.run(spec))
process.stdout.write('done')
await new Promise(() => {})
`

/** Runs the program, and kills it so many milliseconds after it begins to make its container; -1: when it has. */
async function killedAfter(ms: number, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const heard = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (data: Buffer) => {
        text += data
        if (text.includes(word)) resolve()
      })
      child.once('exit', () => reject(new Error(`the program ended early: ${text}`)))
    })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const done = heard('done')
  done.catch(() => {})
  await heard('ready')
  child.stdin.write('go')
  if (ms < 0) await done
  else await new Promise(resolve => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await ended
}

/** Processes named `sleep` or `init` in the cgroup of the container, and those that run our program there. */
const leftIn = (cgroup: string): string[] =>
  existsSync(cgroup) ? readFileSync(`${cgroup}/cgroup.procs`, 'utf8').split('\n').filter(Boolean) : []

// What this process makes at first use and keeps, such as its watcher, is no leak.
beforeAll(async () => {
  using root = temporaryDirectory('kill-')
  const container = await (await Factory.open(root.path)).create('lc-killed', { rootfs: busyboxRootfs() })
  await (await container.run({ args: ['/bin/true'] })).wait()
  await container.destroy()
})

test('LR-03 ST-16 a creator killed at any moment leaves what remove() cleans wholly', {
  ...requires('root', 'rootfs'),
  timeout: 90_000,
}, async () => {
  using root = temporaryDirectory('kill-')
  const rootfs = busyboxRootfs()
  const state = `${root.path}/state`
  const factory = await Factory.open(state)
  const before = everything(names)
  const stages = new Set<string>()
  for (let i = 0; i < 16; i++) {
    await killedAfter(i * 1.5, [state, rootfs, i % 2 ? 'start' : 'run'])
    // An init without its parent ends by itself at its next rendezvous; one that runs or is created stays.
    stages.add(
      readdirSync(state).length === 0
        ? 'nothing'
        : readdirSync(`${state}/killed`).includes('state.json')
          ? 'state'
          : 'directory',
    )
    await factory.remove('killed')
    expect(readdirSync(state)).toEqual([])
    expect(leftIn('/sys/fs/cgroup/memory/lc-killed')).toEqual([])
    expect(everything(names)).toEqual(before)
  }
  expect(stages.size).toBeGreaterThan(1)
})

test(
  'ST-02 a container outlives its creator, and is found, run into and ended by another process',
  requires('root', 'rootfs'),
  async () => {
    using root = temporaryDirectory('kill-')
    const before = everything(names)
    await killedAfter(-1, [`${root.path}/state`, busyboxRootfs(), 'run'])
    const factory = await Factory.open(`${root.path}/state`)
    const container = await factory.load('killed')
    expect(await container.status()).toBe('running')
    const process = await container.exec({ args: ['/bin/true'] })
    expect(await process.wait()).toMatchObject({ code: 0 })
    await container.signal('KILL')
    await container.ended()
    expect(await container.status()).toBe('stopped')
    await container.destroy()
    expect(everything(names)).toEqual(before)
  },
)

test(
  'S10 PP-05 with a parent-death signal the container ends with its creator, whoever it runs as',
  requires('root', 'rootfs'),
  async () => {
    using root = temporaryDirectory('kill-')
    await killedAfter(-1, [`${root.path}/state`, busyboxRootfs(), 'pdeath'])
    const factory = await Factory.open(`${root.path}/state`)
    const container = await factory.load('killed')
    await container.ended({ signal: AbortSignal.timeout(5000) })
    expect(await container.status()).toBe('stopped')
    await container.destroy()
  },
)
