import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { defaultProfile, loadProfile, removeProfile } from '@libcontainer/apparmor'
import { describe, expect, test } from 'vitest'
import { requires, securityModules, together } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

const CAP_NET_ADMIN = 1n << 12n

/** One of the masks of /proc/self/status. */
const mask = (status: string, name: string): bigint =>
  BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)![1]}`)

describe.each(hosts)('$name', host => {
  test('OL-07 OL-03 exec gives the status of its program, and what the container has', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    // The config of then counts, not what the bundle says now.
    rmSync(bundle.file('config.json'))
    const script = 'cat; echo "$OWN,$MORE,$(pwd),$(hostname)"; exit 9'
    expect(
      bundle.run(['exec', '--env', 'MORE=a,b', '--cwd', '/tmp', id, 'sh', '-c', script], { input: 'in\n' }),
    ).toEqual({
      status: 9,
      stdout: 'in\nof the config,a,b,/tmp,bundle\n',
      stderr: '',
    })
    expect(bundle.run(['exec', id, 'sh', '-c', 'sleep 0.3; kill -TERM $$'])).toMatchObject({ status: 143 })
    expect(bundle.run(['exec', id, 'no-such-program'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('no such file or directory'),
    })
    expect(bundle.run(['exec', id, '/etc'])).toMatchObject({
      status: 255,
      stderr: expect.stringMatching(/EACCES|permission denied/i),
    })
  })

  test('OL-07 --process reads all of it from a file; --pid-file and --detach', host.needs, async () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    const file = bundle.file('process.json')
    const process = { cwd: '/tmp', env: ['PATH=/bin', 'X=y'], user: { uid: 5, gid: 6, additionalGids: [7] } }
    writeFileSync(file, JSON.stringify({ ...process, args: ['sh', '-c', 'echo $X $OWN $(pwd) $(id -u) $(id -G)'] }))
    expect(bundle.run(['exec', '--process', file, id])).toEqual({ status: 0, stdout: 'y /tmp 5 6 7\n', stderr: '' })
    writeFileSync(file, JSON.stringify({ ...process, args: ['sleep', '1000'] }))
    expect(bundle.detached(['exec', '-d', '-p', file, '--pid-file', bundle.file('pid'), id])).toMatchObject({
      status: 0,
      stderr: '',
    })
    const pid = readFileSync(bundle.file('pid'), 'utf8')
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe(['sleep', '1000', ''].join('\0'))
    writeFileSync(file, '{ "args": 3 }')
    expect(bundle.run(['exec', '--process', file, id])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('args'),
    })
    bundle.run(['kill', id, 'KILL'])
    await until('the end', () => (existsSync(`/proc/${pid}/exe`) ? undefined : true))
  })
})

describe.each(either)('$name', host => {
  test('OL-07 OL-21 flags end at the id, repeat, and are never split at commas', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    expect(bundle.run(['exec', id, 'echo', '-e', '--tty', '--user', 'x'])).toMatchObject({ stdout: '--tty --user x\n' })
    const { stdout } = bundle.run([
      'exec',
      '-e',
      'A=1,B=2',
      '-e',
      'C=3',
      '-e',
      'A=4',
      '-g',
      '7',
      '-g',
      '8',
      id,
      'sh',
      '-c',
      'echo $A $B $C; id -G',
    ])
    expect(stdout).toBe('4 3\n0 7 8\n')
    expect(bundle.run(['exec', '-g', '7,8', id, 'true'])).toMatchObject({ status: 255 })
    expect(bundle.run(['exec', '-e', '=x', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('NAME=value'),
    })
  })

  test('EV-117 --user takes decimal numbers alone, and nothing of it means root', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    const run = (user: string) => bundle.run(['exec', '--user', user, id, 'sh', '-c', 'echo $(id -u):$(id -g)'])
    for (const [user, ids] of [
      ['1', '1:0'],
      ['1:2', '1:2'],
      ['0', '0:0'],
      ['4294967294:0', '4294967294:0'],
    ] as const)
      expect({ user, ...run(user) }).toMatchObject({ user, status: 0, stdout: `${ids}\n` })
    for (const user of [
      '',
      ':',
      '1:',
      ':1',
      '-1',
      '+1',
      ' 1',
      '1 ',
      '0x1',
      'root',
      '1:root',
      '1:2:3',
      '4294967295',
      '99999999999',
      '1e3',
      '٣',
    ])
      expect({ user, ...run(user) }).toEqual({
        user,
        status: 255,
        stdout: '',
        stderr: expect.stringContaining('--user'),
      })
  })

  test('EV-118 a group that is no number', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    for (const group of ['-1', '', 'wheel', '4294967295'])
      expect(bundle.run(['exec', `--additional-gids=${group}`, bundle.id, 'true'])).toMatchObject({
        status: 255,
        stderr: expect.stringContaining('--additional-gids'),
      })
  })

  test('EV-119 a container that has stopped, or is paused unless that is ignored', host.needs, async () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    expect(bundle.run(['pause', id])).toMatchObject({ status: 0 })
    expect(bundle.run(['exec', id, 'true'])).toMatchObject({ status: 255, stderr: expect.stringContaining('paused') })
    expect(bundle.run(['delete', id])).toMatchObject({ status: 1, stderr: expect.stringContaining('it is paused') })
    const running = bundle.start(['exec', '--ignore-paused', id, 'echo', 'resumed'])
    expect(bundle.run(['resume', id])).toMatchObject({ status: 0 })
    expect(await running.ended()).toBe(0)
    expect(running.stdout).toBe('resumed\n')
    bundle.run(['kill', id, 'KILL'])
    await bundle.stopped()
    expect(bundle.run(['exec', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('it has stopped'),
    })
  })

  test('EV-120 exec without a command', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    expect(bundle.run(['exec', bundle.id])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('exec needs a command, or --process FILE'),
    })
  })

  test('OL-07 CVE-2022-29162 --cap: bounding, effective and permitted, and none is inheritable', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    const status = (...flags: string[]) => bundle.run(['exec', ...flags, id, 'cat', '/proc/self/status']).stdout
    expect(mask(status(), 'CapBnd') & CAP_NET_ADMIN).toBe(0n)
    const more = status('--cap', 'CAP_NET_ADMIN', '-c', 'CAP_SYS_TIME')
    for (const name of ['CapBnd', 'CapEff', 'CapPrm']) expect(mask(more, name) & CAP_NET_ADMIN).toBe(CAP_NET_ADMIN)
    for (const name of ['CapInh', 'CapAmb']) expect(mask(more, name)).toBe(0n)
    expect(bundle.run(['exec', '--cap', 'CAP_NOPE', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('--cap'),
    })
  })

  test('OL-07 --no-new-privs, and a label that is none is refused', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.write(specOf(['/bin/sleep', '1000'], { process: { noNewPrivileges: false } }))
    bundle.detached(['run', '-d', id])
    const status = (...flags: string[]) =>
      bundle.run(['exec', ...flags, id, 'grep', 'NoNewPrivs', '/proc/self/status']).stdout
    expect([status(), status('--no-new-privs')]).toEqual(['NoNewPrivs:\t0\n', 'NoNewPrivs:\t1\n'])
    expect(bundle.run(['exec', '--process-label', 'x', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('process.selinuxLabel: must be user:role:type'),
    })
  })

  test(
    'AA-08 AA-10 --apparmor: a profile that is not there is refused by name, and unconfined is none',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      const { id } = bundle
      bundle.sleeping()
      expect(bundle.run(['exec', '--apparmor', 'absent', id, 'true'])).toMatchObject({
        status: 255,
        stderr: expect.stringMatching(
          securityModules().includes('apparmor') ? /absent/ : /process\.apparmorProfile: .*\(got "absent"\)/,
        ),
      })
      expect(bundle.run(['exec', '--apparmor', 'unconfined', id, 'true'])).toMatchObject({ status: 0, stderr: '' })
    },
  )

  test(
    'XT-14 AA-10 a profile is refused at create where AppArmor is off, by name and with what helps',
    together(host.needs, requires('nolsm:apparmor')),
    () => {
      using bundle = new Bundle(host, specOf(['/bin/true'], { process: { apparmorProfile: 'docker-default' } }))
      const { status, stderr } = bundle.run(['create', bundle.id])
      expect(status).toBe(1)
      expect(stderr).toMatch(/process\.apparmorProfile: cannot confine anything here: .*\(got "docker-default"\)/)
      expect(stderr).toMatch(/leave it out, or have the engine do so/)
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'AA-08 EV-114 exec under the profile of the container, and under another by --apparmor',
    together(host.needs, requires('lsm:apparmor', 'program:apparmor_parser')),
    async () => {
      const [own, other] = ['own', 'other'].map(name => `lcrun-${process.pid}-${name}`) as [string, string]
      for (const name of [own, other]) await loadProfile(defaultProfile(name))
      try {
        using bundle = new Bundle(host)
        const { id } = bundle
        bundle.sleeping(id, specOf(['/bin/sleep', '1000'], { process: { apparmorProfile: own } }))
        const label = (...flags: string[]) =>
          bundle.run(['exec', ...flags, id, 'cat', '/proc/self/attr/current']).stdout
        expect([label(), label('--apparmor', other), label('--apparmor', '')]).toEqual([
          `${own} (enforce)\n`,
          `${other} (enforce)\n`,
          `${own} (enforce)\n`,
        ])
      } finally {
        for (const name of [own, other]) await removeProfile(name)
      }
    },
  )

  test('OL-07 --cgroup: one below the container, which must be there', host.needs, () => {
    using bundle = new Bundle(host)
    const { id } = bundle
    bundle.sleeping()
    expect(bundle.run(['exec', '--cgroup', 'absent', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('is no cgroup'),
    })
    expect(bundle.run(['exec', '--cgroup', '../..', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('climb'),
    })
    expect(bundle.run(['exec', '--cgroup', 'nope:x', id, 'true'])).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('no hierarchy'),
    })
    expect(bundle.run(['exec', '--cgroup', '/', id, 'true'])).toMatchObject({ status: 0 })
  })
})
