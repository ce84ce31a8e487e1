import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs } from '../../../test/support/index.js'
import { Bench, either, hosts, until } from './hosts.js'

describe.each(hosts)('on $name', host => {
  test('CL-02 exec runs a program, passes its streams on, and leaves nothing', host.needs, () => {
    using bench = new Bench(host, { hostname: 'inside' })
    const script = 'hostname; cat; echo wrong >&2; exit 7'
    expect(bench.run(['exec', 'sh', '-c', script], { input: 'typed\n' })).toEqual({
      status: 7,
      stdout: 'inside\ntyped\n',
      stderr: 'wrong\n',
    })
    expect(bench.left()).toEqual([])
  })

  test('CL-02 the exit code is the program’s', host.needs, () => {
    using bench = new Bench(host)
    expect(bench.run(['exec', 'true']).status).toBe(0)
    expect(bench.run(['exec', 'sh', '-c', 'exit 255']).status).toBe(255)
  })

  test('the first that comes makes the container, however many come at once', host.needs, async () => {
    using bench = new Bench(host)
    // None ends before all are there.
    const script = 'echo $$; echo >> /dev/shm/all; while [ $(wc -l < /dev/shm/all) -lt 4 ]; do sleep 0.1; done'
    const all = [1, 2, 3, 4].map(() => bench.start(['exec', 'sh', '-c', script]))
    const statuses = await Promise.all(all.map(each => each.ended()))
    expect(statuses.filter(status => status !== 0 && status !== 137)).toEqual([])
    expect(all.filter(({ stdout }) => stdout === '1\n')).toHaveLength(1)
    expect(bench.left()).toEqual([])
  })

  test('CL-02 signals reach the program', host.needs, async () => {
    using bench = new Bench(host)
    const names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'TERM', 'CONT', 'XCPU', 'WINCH']
    const passed = names.filter(name => name !== 'WINCH')
    const traps = names.map(name => `trap "echo got ${name}" ${name}`).join('; ')
    const script = `${traps}; trap "exit 6" PWR; echo ready; while :; do sleep 0.05; done`
    const running = bench.start(['exec', 'sh', '-c', script])
    await running.wrote('ready')
    for (const name of passed) {
      running.child.kill(`SIG${name}` as NodeJS.Signals)
      await running.wrote(`got ${name}`)
    }
    running.child.kill('SIGPWR')
    expect(await running.ended()).toBe(6)
    expect(bench.left()).toEqual([])
  })

  test('a signal that comes to a joined program is that program’s', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'trap "echo first" TERM; echo ready; read line'])
    await first.wrote('ready')
    const second = bench.start(['exec', 'sh', '-c', 'echo joined; exec sleep 1000'])
    await second.wrote('joined')
    second.child.kill('SIGTERM')
    expect(await second.ended()).toBe(143)
    expect(first.stdout).toBe('ready\n')
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
  })

  test(
    'TSTP reaches the program and stops nsinit, for the shell that ^Z was typed at; CONT lets it go on',
    host.needs,
    async () => {
      using bench = new Bench(host)
      const script = 'trap "echo got TSTP" TSTP; trap "exit 6" CONT; echo ready; while :; do sleep 0.05; done'
      const running = bench.start(['exec', 'sh', '-c', script])
      await running.wrote('ready')
      const state = (): string =>
        readFileSync(`/proc/${running.pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .slice(0, 1)
      running.child.kill('SIGTSTP')
      await until('nsinit stopped', () => (state() === 'T' ? true : undefined))
      await running.wrote('got TSTP')
      running.child.kill('SIGCONT')
      expect(await running.ended()).toBe(6)
      expect(bench.left()).toEqual([])
    },
  )

  test('standard streams that are closed', host.needs, () => {
    using bench = new Bench(host)
    const script = 'exec "$0" "$@" <&- >&- 2>&-'
    const { status } = spawnSync('sh', ['-c', script, ...bench.command(['exec', 'sh', '-c', 'echo lost; exit 12'])], {
      cwd: bench.path,
    })
    expect(status).toBe(12)
    expect(bench.left()).toEqual([])
  })

  test('a killed nsinit takes its container along, and the next one cleans up', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; sleep 1000'])
    await first.wrote('ready')
    const { init_process_pid: pid } = await bench.running()
    await first.killed()
    await until('the end of the container', () => (existsSync(`/proc/${pid}/root/.`) ? undefined : true))
    expect(bench.left()).not.toEqual([])
    expect(bench.run(['exec', 'cat', '/proc/1/comm'])).toEqual({ status: 0, stdout: 'cat\n', stderr: '' })
    expect(bench.left()).toEqual([])
  })
})

describe.each(either)('on $name', host => {
  test('MT-47 BY-04 a root that is laid over an image in memory; what cannot be meant is refused', host.needs, () => {
    using bench = new Bench(host, { rootOverlay: { temporary: true } })
    const script = 'rm -r /home; echo new >/new; cat /new; ls -d /home'
    expect(bench.run(['exec', 'sh', '-c', script])).toMatchObject({
      stdout: 'new\n',
      stderr: expect.stringContaining('/home'),
    })
    expect([existsSync(join(busyboxRootfs(), 'home')), existsSync(join(busyboxRootfs(), 'new'))]).toEqual([true, false])
    using wrong = new Bench(host, { rootOverlay: { upper: '/upper' } })
    expect(wrong.run(['exec', 'true']).stderr).toMatch(/rootOverlay\.work: must be given too/)
    expect([bench.left(), wrong.left()]).toEqual([[], []])
  })

  test('a program that a signal has ended gives 128 and its number', host.needs, async () => {
    using bench = new Bench(host)
    const running = bench.start(['exec', 'sleep', '1000'])
    const { init_process_pid: pid } = await bench.running()
    process.kill(pid as number, 'SIGKILL')
    expect(await running.ended()).toBe(137)
    expect(bench.left()).toEqual([])
  })

  test('flags behind the command are its own, with and without --', host.needs, () => {
    using bench = new Bench(host)
    expect(bench.run(['exec', 'echo', '--help', '-t', '--', '--root']).stdout).toBe('--help -t -- --root\n')
    expect(bench.run(['exec', '--', 'echo', '--tty']).stdout).toBe('--tty\n')
  })

  test('CL-28 without a command the one of container.json runs, else a shell', host.needs, () => {
    using bench = new Bench(host)
    expect(bench.run(['exec'], { input: 'echo $((6 * 7))\n' }).stdout).toBe('42\n')
    bench.write({ rootfs: busyboxRootfs(), process: { args: ['echo', 'default'] } })
    expect(bench.run(['exec']).stdout).toBe('default\n')
    expect(bench.run(['exec', 'echo', 'other']).stdout).toBe('other\n')
  })

  test('the process of container.json says as whom, where and with what', host.needs, () => {
    using bench = new Bench(host, {
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 300, hard: 400 }],
      process: {
        env: ['PATH=/bin', 'GREETING=hello'],
        cwd: '/tmp',
        user: 'user:staff',
        additionalGroups: ['audio'],
        umask: 0o77,
      },
    })
    const script = 'echo $GREETING; pwd; id -u; id -g; id -G; umask; ulimit -n; ulimit -Hn'
    const { stdout } = bench.run(['exec', 'sh', '-c', script])
    expect(stdout.split('\n')).toEqual(['hello', '/tmp', '1000', '50', '50 29', '0077', '300', '400', ''])
  })

  test(
    'CL-01 the directory is the working one or $data_path; rootfs is relative to it, and by default itself',
    host.needs,
    () => {
      using bench = new Bench(host, { rootfs: 'rootfs' })
      const rootfs = join(bench.path, 'rootfs')
      cpSync(busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true })
      const found = { status: 0, stdout: 'found\n', stderr: '' }
      expect(bench.run(['exec', 'echo', 'found'])).toEqual(found)
      expect(bench.run(['exec', 'echo', 'found'], { cwd: '/', env: { data_path: bench.path } })).toEqual(found)

      writeFileSync(join(rootfs, 'container.json'), '{}')
      expect(bench.run(['exec', 'ls', '/container.json'], { cwd: rootfs }).stdout).toBe('/container.json\n')
    },
  )

  test('a further exec joins, also with other words, and both see one container', host.needs, async () => {
    using bench = new Bench(host, { hostname: 'shared', process: { env: ['PATH=/bin', 'KEPT=yes'] } })
    const first = bench.start(['exec', 'sh', '-c', 'echo mark > /tmp/mark; echo ready; read line; exit 3'])
    await first.wrote('ready')
    // It joins by the config that was saved at the start, whatever has become of the file.
    bench.write('{ broken')
    const { stdout, status } = bench.run(['exec', 'sh', '-c', 'hostname; cat /proc/1/comm; echo $KEPT; exit 9'])
    expect({ stdout, status }).toEqual({ stdout: 'shared\nsh\nyes\n', status: 9 })
    const [own, firsts] = ['self', '1'].map(pid => bench.run(['exec', 'readlink', `/proc/${pid}/ns/pid`]).stdout)
    expect(own).toBe(firsts)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(3)
    expect(bench.left()).toEqual([])
  })

  test('when the first process dies all die, and state.json is gone', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line'])
    await first.wrote('ready')
    const second = bench.start(['exec', 'sh', '-c', 'echo joined; sleep 1000'])
    await second.wrote('joined')
    await until('state.json', () => (bench.left().includes('state.json') ? true : undefined))
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(await second.ended()).toBe(137)
    expect(bench.left()).toEqual([])
  })

  test('without a pid namespace, too', host.needs, async () => {
    using bench = new Bench(host, { namespaces: ['mnt', 'ipc', 'uts', 'net'] })
    const first = bench.start(['exec', 'sh', '-c', 'sleep 1000 & echo ready; read line; exit 5'])
    await first.wrote('ready')
    await bench.running()
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(5)
    expect(bench.left()).toEqual([])
  })

  test('CL-23 state and stats are JSON, indented by tabs; state.json is a copy of the state', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line'])
    await first.wrote('ready')
    const state = bench.run(['state']).stdout
    expect(state.startsWith('{\n\t"status": "running",\n\t"id": ')).toBe(true)
    expect(state.endsWith('}')).toBe(true)
    const { status, ...rest } = JSON.parse(state)
    const copy = join(bench.path, 'state.json')
    await until('state.json', () => (existsSync(copy) ? true : undefined))
    expect(JSON.parse(readFileSync(copy, 'utf8'))).toMatchObject(rest)
    expect(readFileSync(`/proc/${rest.init_process_pid}/comm`, 'utf8')).toBe('sh\n')
    const stats = JSON.parse(bench.run(['stats']).stdout)
    expect(stats.cgroups.pids.current).toBeGreaterThan(0)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(bench.run(['state']).stderr).toBe(
      `nsinit: no container runs in ${bench.path}\nhint: nsinit exec starts one; --id names one of another place\n`,
    )
  })

  test('CL-22 pause and unpause', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line; exit 4'])
    await first.wrote('ready')
    expect(bench.run(['pause'])).toEqual({ status: 0, stdout: '', stderr: '' })
    await bench.running('paused')
    expect(bench.run(['exec', 'true']).stderr).toMatch(/is paused/)
    first.child.stdin?.end('\n')
    expect(bench.run(['unpause'])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(await first.ended()).toBe(4)
    expect(bench.run(['unpause']).status).toBe(1)
  })

  test('parentDeathSignal null leaves it running without its nsinit, and the next one joins', host.needs, async () => {
    using bench = new Bench(host, { parentDeathSignal: null })
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; sleep 1000'])
    await first.wrote('ready')
    const { init_process_pid: pid } = await bench.running()
    await first.killed()
    expect(bench.run(['exec', 'cat', '/proc/1/comm']).stdout).toBe('sleep\n')
    process.kill(pid as number, 'SIGKILL')
    await until('the end of the container', () => (existsSync(`/proc/${pid}/root/.`) ? undefined : true))
    expect(bench.run(['exec', 'cat', '/proc/1/comm']).stdout).toBe('cat\n')
    expect(bench.left()).toEqual([])
  })

  test('killed at any moment, nsinit leaves what the next one cleans', host.needs, async () => {
    using bench = new Bench(host)
    for (let ms = 1; ms <= 60; ms += host.name === 'Node.js' ? 12 : 2) {
      const first = bench.start(['exec', 'sleep', '1000'])
      await new Promise(resolve => setTimeout(resolve, host.name === 'Node.js' ? ms * 5 : ms))
      await first.killed()
      const next = bench.run(['exec', 'cat', '/proc/1/comm'])
      expect({ ms, ...next }).toEqual({ ms, status: 0, stdout: 'cat\n', stderr: '' })
    }
    expect(bench.left()).toEqual([])
  })

  test('a directory that was moved meanwhile, and files that a container has put in the way', host.needs, async () => {
    using bench = new Bench(host)
    const victim = join(bench.stateRoot, '../victim')
    writeFileSync(victim, 'untouched')
    for (const name of ['state.json', '.state.json.new']) symlinkSync(victim, join(bench.path, name))
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line'])
    const copy = join(bench.path, 'state.json')
    await until('state.json in place of the link', () => (lstatSync(copy).isFile() ? true : undefined))
    expect(JSON.parse(readFileSync(copy, 'utf8')).id).toMatch(/^nsinit-/)
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
    renameSync(bench.path, `${bench.path}-moved`)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    renameSync(`${bench.path}-moved`, bench.path)
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
    // The copy went along; the next container takes its place and removes it.
    expect(bench.run(['exec', 'true']).status).toBe(0)
    expect(bench.left()).toEqual([])
  })
})
