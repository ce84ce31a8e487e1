import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OrdinaryUser, requires, temporaryDirectory, together } from '../../../test/support/index.js'
import { hosts, until } from './hosts.js'

const samples = new URL('../../../sample_configs/', import.meta.url)

const needs = requires('root', 'rootfs', 'namespace:user')
const lending = requires('program:newuidmap', 'program:newgidmap')
let user: OrdinaryUser

beforeAll(() => {
  if (!needs.skip) user = new OrdinaryUser()
})
afterAll(() => user?.[Symbol.dispose]())

/** What a shell sees of its container. */
const LOOK = `
echo "user $(id -u)"
touch /x /usr/x /etc/x 2>&1 | grep -c 'Read-only'
touch /tmp/x && ls /tmp
ls /sys/class/net
ls / | tr '\\n' ' '
echo
test -e /etc/shadow || echo 'no shadow'
tr '\\0' ' ' < /proc/1/cmdline | cut -c 1-7
`
const SEEN =
  /^user 0\n3\nx\nlo\nbin dev etc home lib (lib32 )?(lib64 )?(libx32 )?proc root run sbin sys tmp usr var \nno shadow\n\/bin\/sh/

for (const host of hosts) {
  const both = together(needs, host.needs)
  const commandOf = (): string[] =>
    host.name === 'Node.js' ? [process.execPath, user.module('nsinit', 'dist/node/main.js')] : [user.executable]

  describe(host.name, () => {
    test('nsinit shell runs a program of the host as root: read-only, with its own /tmp and no network', both, () => {
      using dir = temporaryDirectory('shell-')
      const [first, ...rest] = host.command
      const run = (...args: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(first!, [...rest, '--root', join(dir.path, 'state'), 'shell', ...args], { encoding: 'utf8' })
      const { status, stdout, stderr } = run('/bin/sh', '-c', LOOK)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(SEEN)
      expect(run('/bin/sh', '-c', 'exit 7').status).toBe(7)
      expect(readdirSync(join(dir.path, 'state'))).toEqual([])
    })

    test('nsinit shell as root has 256 MiB and 100 processes', both, () => {
      using dir = temporaryDirectory('shell-')
      const [first, ...rest] = host.command
      const forks = 'i=0; while [ $i -lt 150 ]; do sleep 9 > /dev/null 2>&1 & i=$((i+1)); done; echo all'
      const script = `head -c 400000000 /dev/zero | tail -c 400000000 > /dev/null; echo $?; sh -c '${forks}' 2>&1 | tail -1`
      const { stdout } = spawnSync(
        first!,
        [...rest, '--root', join(dir.path, 'state'), 'shell', '/bin/sh', '-c', script],
        { encoding: 'utf8', timeout: 60_000 },
      )
      expect(stdout).toMatch(/^137\n.*(fork|Resource temporarily unavailable).*\n$/i)
    })

    test(
      'nsinit shell needs neither root nor any set-up, and says which limits do not hold and what would make them',
      both,
      () => {
        const { status, stdout, stderr } = user.run([...commandOf(), 'shell', '/bin/sh', '-c', `${LOOK}exit 3`])
        expect(status).toBe(3)
        expect(stdout).toMatch(SEEN)
        expect(stderr).toMatch(
          /^nsinit: warning: no limit holds for memory \(256 MiB\) and processes \(100\): .*\nnsinit: warning: to make it hold: (sudo|systemd-run --user --scope -p Delegate=yes) nsinit shell \/bin\/sh -c '/,
        )
        expect(readdirSync(join(user.runtime, 'nsinit'))).toEqual([])
      },
    )

    test('without a session the state lies in a directory of the user’s own, and in nobody else’s', both, () => {
      const state = `/tmp/nsinit-${user.uid}`
      const env = { XDG_RUNTIME_DIR: undefined }
      try {
        expect(user.run([...commandOf(), 'shell', '/bin/true'], { env }).status).toBe(0)
        expect(readdirSync(state)).toEqual([])
        const theirs = `chown 0:0 ${state}`
        const refused = user.run([...commandOf(), 'shell', '/bin/true'], { env, before: theirs })
        expect(refused.status).toBe(1)
        expect(refused.stderr).toMatch(/belongs to somebody else.*\nhint: .*--root/)
      } finally {
        spawnSync('rm', ['-rf', state])
      }
    })

    test(
      'nsinit shell opens a shell on a terminal for an ordinary user',
      together(both, requires('program:script')),
      () => {
        const words = [...commandOf(), 'shell'].map(word => `'${word}'`).join(' ')
        const { stdout } = user.run(['script', '-qec', words, '/dev/null'], { input: 'tty; id -u; exit 5\n' })
        expect(stdout).toContain('/dev/pts/0')
        expect(stdout).toMatch(/^0\r$/m)
      },
    )

    test('what a killed shell has left is removed by the next', both, async () => {
      const child = user.start([...commandOf(), 'shell', '/bin/sleep', '100'])
      const state = join(user.runtime, 'nsinit')
      const name = (): string | undefined => (existsSync(state) ? readdirSync(state)[0] : undefined)
      for (let i = 0; i < 200 && !existsSync(join(state, name() ?? '-', 'state.json')); i++)
        await new Promise(resolve => setTimeout(resolve, 50))
      const { init_process_pid: pid } = JSON.parse(readFileSync(join(state, name()!, 'state.json'), 'utf8'))
      child.kill('SIGKILL')
      for (let i = 0; i < 100 && existsSync(`/proc/${pid}`); i++) await new Promise(resolve => setTimeout(resolve, 50))
      expect(existsSync(`/proc/${pid}`)).toBe(false)
      expect(user.run([...commandOf(), 'shell', '/bin/true']).status).toBe(0)
      expect(readdirSync(state)).toEqual([])
    })

    test('nsinit config, plan, exec, state and pause answer an ordinary user', both, async () => {
      const nsinit = (...args: string[]): ReturnType<OrdinaryUser['run']> => user.run([...commandOf(), ...args])
      const made = nsinit('config', '--rootfs', user.rootfs, '--file', 'container.json')
      expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: '' })
      try {
        const run = nsinit('exec', '/bin/sh', '-c', 'id -u; cat /proc/self/uid_map; exit 6')
        expect({ ...run, stdout: run.stdout.replace(/ +/g, ' ') }).toMatchObject({
          status: 6,
          stdout: `0\n 0 ${user.uid} 1\n`,
          stderr: '',
        })
        expect(nsinit('plan', '--json', '/bin/true').stdout).toContain('let the parent write our id maps')
        const first = user.start([...commandOf(), 'exec', '/bin/cat'])
        await until('a state', () => (nsinit('state').stdout.includes('"running"') ? true : undefined))
        expect(nsinit('exec', '/bin/sh', '-c', 'readlink /proc/1/exe; exit 3')).toMatchObject({
          status: 3,
          stdout: '/bin/busybox\n',
        })
        expect(nsinit('pause').stderr).toMatch(/has no cgroup\nhint: .*Delegate=yes/)
        first.stdin!.end()
        await until('its end', () => (first.exitCode !== null || first.signalCode !== null ? true : undefined))
        await until('nothing left', () => (readdirSync(join(user.runtime, 'nsinit')).length === 0 ? true : undefined))
      } finally {
        spawnSync('rm', ['-f', join(user.home, 'container.json')])
      }
    })

    test('SA-09 rootless.json and the classic samples run as an ordinary user', {
      ...together(both, lending),
      timeout: 90_000,
    }, () => {
      using rich = new OrdinaryUser({ subIds: 65536 })
      const command =
        host.name === 'Node.js' ? [process.execPath, rich.module('nsinit', 'dist/node/main.js')] : [rich.executable]
      for (const [sample, id] of [
        ['rootless.json', '0'],
        ['2014/minimal.json', '1'],
        ['2015/minimal.json', '0'],
      ] as const) {
        // In this sample root inside is user 1000 outside.
        const text = readFileSync(new URL(sample, samples), 'utf8').replaceAll(
          '"hostId": 1000,',
          `"hostId": ${rich.uid},`,
        )
        writeFileSync(join(rich.home, 'container.json'), text)
        const args = ['exec', '--tty=false', '--rootfs', rich.rootfs, '/bin/sh', '-c', 'id -u; readlink /proc/1/exe']
        const { status, stdout, stderr } = rich.run([...command, ...args])
        expect({ sample, status, stdout, stderr }).toMatchObject({ status: 0, stdout: `${id}\n/bin/busybox\n` })
      }
    })
  })
}
