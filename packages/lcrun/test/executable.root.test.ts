import { spawnSync } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { Bundle, hosts, specOf, until } from './hosts.js'

/** What a process holds, in kB: what is mapped, and its share of that. */
function held(pid: number): { rss: number; pss: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1])
  return { rss: field('Rss'), pss: field('Pss') }
}

const waits = (pid: number): true | undefined =>
  readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:init') ? true : undefined

describe.each(hosts.filter(({ name }) => name === 'the executable'))('$name', ({ command: [lcrun], needs, asks }) => {
  const nsinit = join(lcrun, '../nsinit')

  test('is one file of less than 4 MiB, which its name makes nsinit or lcrun', asks, () => {
    expect(statSync(lcrun).ino).toBe(statSync(nsinit).ino)
    expect(statSync(lcrun).size).toBeLessThan(4 * 1024 * 1024)
    using place = temporaryDirectory('names-')
    const first = join(place.path, 'nsinit-copy')
    copyFileSync(lcrun, first)
    for (const [name, says] of [
      ['nsinit-copy', 'nsinit version '],
      ['nsenter-exec', 'usage: nsinit '],
      ['lcrun', 'lcrun version '],
      ['runc', 'lcrun version '],
    ] as const) {
      const path = join(place.path, name)
      if (name !== 'nsinit-copy') linkSync(first, path)
      const { stdout, stderr } = spawnSync(path, [name === 'nsenter-exec' ? '--help' : '--version'], {
        encoding: 'utf8',
      })
      expect(`${name}: ${stdout}${stderr}`).toContain(says)
    }
  })

  test('copies few pages of what lies in it: no reference to that is counted', asks, () => {
    // The faults of what the shell has waited for, in /proc/PID/stat.
    const script = '"$0" --version >/dev/null && read -r line </proc/self/stat && echo "$line"'
    const { stdout } = spawnSync('sh', ['-c', script, lcrun], { encoding: 'utf8' })
    const faults = Number(stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')[8])
    expect(faults).toBeGreaterThan(20)
    expect(faults).toBeLessThan(200)
  })

  test('runs in a root filesystem that holds nothing but itself', needs, () => {
    using place = temporaryDirectory('alone-')
    copyFileSync(lcrun, join(place.path, 'lcrun'))
    const alone = (...args: string[]) => spawnSync('chroot', [place.path, '/lcrun', ...args], { encoding: 'utf8' })
    expect(alone('--version')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^lcrun version /),
    })
    expect(JSON.parse(alone('features').stdout)).toMatchObject({ hooks: expect.arrayContaining(['poststop']) })
  })

  test('is the program of a container that holds nothing else', needs, () => {
    using bundle = new Bundle(hosts[1]!)
    mkdirSync(bundle.file('rootfs'))
    copyFileSync(lcrun, bundle.file('rootfs/lcrun'))
    bundle.write({ ...specOf(['/lcrun', '--version']), root: { path: 'rootfs' } })
    const { status, stdout, stderr } = bundle.run(['run', bundle.id])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe(spawnSync(lcrun, ['--version'], { encoding: 'utf8' }).stdout)
  })

  test('S23 holds less than a megabyte while a container runs in the foreground', needs, async () => {
    using bundle = new Bundle(hosts[1]!, specOf(['sh', '-c', 'echo ready; read line; exit 8']))
    const running = bundle.start(['run', bundle.id])
    await running.wrote('ready')
    await until('the waiter', () => waits(running.pid))
    const { rss, pss } = held(running.pid)
    expect(pss).toBeGreaterThan(0)
    expect(rss).toBeLessThan(1024)
    // Nobody waits beside it.
    expect(readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8').trim().split(' ')).toHaveLength(1)
    running.child.stdin?.end('\n')
    expect(await running.ended()).toBe(8)
    expect(bundle.left()).toEqual([])
  })

  test('a container that waits to be started holds at most 128 kB', needs, () => {
    using bundle = new Bundle(hosts[1]!)
    expect(bundle.detached(['create', bundle.id])).toMatchObject({ status: 0, stderr: '' })
    const { pid, status } = bundle.state() ?? {}
    expect(status).toBe('created')
    const { rss, pss } = held(Number(pid))
    expect(pss).toBeGreaterThan(0)
    expect(rss).toBeLessThanOrEqual(128)
    expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0, stderr: '' })
  })
})
