import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { outcome, Running, requires, temporaryDirectory, until } from '../../../test/support/index.js'

const needs = requires('root')
const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))
const run = (...args: string[]) =>
  outcome(spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 60_000 }))
const start = (...args: string[]): Running => new Running(spawn(process.execPath, [main, ...args]))

test('help, version, and what is refused', () => {
  expect(run('help', 'enter').stdout).toMatch(/^NAME\n {4}namespaces enter/)
  expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+/)
  expect(run('walk')).toEqual({
    status: 125,
    stdout: '',
    stderr: "namespaces: there is no command 'walk'\n  try 'namespaces help'\n",
  })
})

test(
  'NS-09 NS-15 NS-22 unshare, list and enter: the command’s streams, its exit code, and its namespaces',
  needs,
  async () => {
    const outer = start(
      'unshare',
      '--net',
      '--pid',
      '--mnt',
      '--proc',
      '--',
      'sh',
      '-c',
      'echo ready; trap "exit 9" TERM; sleep 1000 & wait',
    )
    try {
      await outer.wrote('ready')
      const list = JSON.parse(run('list', '--json', '--kind', 'pid').stdout) as {
        pid: number
        command: string
        inode: number
      }[]
      const { pid, inode } = list.find(({ command }) => command.includes('echo ready'))!
      expect(`pid:[${inode}]`).toBe(readlinkSync(`/proc/${pid}/ns/pid`))
      expect(run('list', '-k', 'pid').stdout).toMatch(new RegExp(`^pid +${inode} +2 +${pid} `, 'm'))
      const inside = run('enter', '-t', String(pid), 'sh', '-c', 'readlink /proc/self/ns/net; echo err >&2; exit 7')
      expect(inside).toEqual({ status: 7, stdout: `${readlinkSync(`/proc/${pid}/ns/net`)}\n`, stderr: 'err\n' })
      expect(run('enter', '--net', `/proc/${pid}/ns/net`, 'readlink', '/proc/self/ns/net').stdout).toBe(inside.stdout)
      // A signal is handed on, and the exit code is the command's.
      outer.child.kill('SIGTERM')
      expect(await outer.ended()).toBe(9)
      await until('it is gone', () => {
        try {
          return readlinkSync(`/proc/${pid}/exe`) === undefined
        } catch {
          return true
        }
      })
    } finally {
      await outer.killed()
    }
  },
)

test('NS-15 how a command ended, and that there is none', needs, () => {
  expect(run('unshare', '--uts', 'sh', '-c', 'kill -USR1 $$').status).toBe(128 + 10)
  expect(run('unshare', '--uts', 'no-such-program')).toMatchObject({
    status: 127,
    stderr: expect.stringMatching(/^namespaces: no-such-program: ENOENT/),
  })
  expect(run('unshare', '--uts', '/etc/passwd').status).toBe(126)
  expect(run('enter', '-t', '1073741824', 'true')).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/ESRCH/),
  })
})

test('NS-15 a command ends with the one that was called for it, whatever ends that', needs, async () => {
  const outer = start('unshare', '--uts', '--as', '0', 'sh', '-c', 'echo $$; exec sleep 1000')
  await outer.wrote(/\d+\n/)
  const pid = Number(outer.stdout)
  expect(readlinkSync(`/proc/${pid}/ns/uts`)).not.toBe(readlinkSync('/proc/self/ns/uts'))
  await outer.killed()
  await until(
    'it is gone',
    () => !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  )
})

test('NS-21 pin and unpin, also by a relative path', needs, () => {
  using place = temporaryDirectory('pin-')
  const at = (...args: string[]) =>
    outcome(spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: place.path }))
  expect(at('pin', '--kind', 'uts', 'mine')).toEqual({ status: 0, stdout: '', stderr: '' })
  try {
    const inside = at('enter', '--uts', `${place.path}/mine`, 'readlink', '/proc/self/ns/uts')
    expect(inside.stdout.trim()).toBe(readlinkSync('/proc/self/ns/uts'))
    const again = at('pin', '-t', String(process.pid), '-k', 'net', 'mine')
    expect(again).toMatchObject({ status: 125, stderr: expect.stringMatching(/EEXIST.*mine.*\n.*unpin PATH/) })
  } finally {
    expect(at('unpin', 'mine')).toEqual({ status: 0, stdout: '', stderr: '' })
  }
  expect(at('unpin', 'mine')).toMatchObject({ status: 125, stderr: expect.stringMatching(/nothing is pinned/) })
})
