import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { alive } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, until } from './hosts.js'

describe.each(hosts)('$name', host => {
  test(
    'OL-04 OL-05 OL-10 create waits for start: state, pid file, and another process that starts it',
    host.needs,
    async () => {
      using bundle = new Bundle(host)
      const { id } = bundle
      const spec = specOf(['/bin/sh', '-c', 'echo started > /tmp/file; exec sleep 1000'], {
        annotations: { 'org.example.key': 'a=b' },
      })
      bundle.write(spec)
      expect(bundle.detached(['create', '--pid-file', 'pid', id])).toMatchObject({ status: 0, stderr: '' })
      const pid = Number(readFileSync(bundle.file('pid'), 'utf8'))
      const state = {
        ociVersion: expect.stringMatching(/^1\.\d+\.\d+/),
        id,
        pid,
        status: 'created',
        bundle: bundle.path,
        rootfs: spec.root.path,
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        annotations: { 'org.example.key': 'a=b' },
        owner: '',
      }
      const { stdout } = bundle.run(['state', id])
      expect(JSON.parse(stdout)).toEqual(state)
      expect(stdout).toContain('\n  "ociVersion"')
      expect(Object.keys(JSON.parse(stdout) as object)).toEqual(Object.keys(state))
      expect(bundle.run(['start', id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(bundle.state()).toMatchObject({ status: 'running', pid })
      await until('the program', () => (existsSync(`/proc/${pid}/root/tmp/file`) ? true : undefined))
      expect(bundle.run(['kill', id, 'KILL'])).toMatchObject({ status: 0 })
      await bundle.stopped()
      expect(bundle.state()).toMatchObject({ pid: 0 })
      expect(bundle.run(['delete', id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'OL-03 OL-06 run in the foreground gives the status of the program, and removes the container',
    host.needs,
    () => {
      using bundle = new Bundle(host, specOf(['/bin/sh', '-c', 'cat; echo err >&2; exit 7']))
      expect(bundle.run(['run', bundle.id], { input: 'in\n' })).toEqual({ status: 7, stdout: 'in\n', stderr: 'err\n' })
      expect(bundle.left()).toEqual([])
    },
  )

  test('OL-06 signals reach the program of run, whose status is that of the signal', host.needs, async () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sh', '-c', 'trap "echo got; exit 4" USR1; echo ready; while :; do sleep 0.1; done']),
    )
    const running = bundle.start(['run', bundle.id])
    await running.wrote('ready')
    running.child.kill('SIGUSR1')
    expect(await running.ended()).toBe(4)
    expect(running.stdout).toBe('ready\ngot\n')
    await until('the removal', () => (bundle.left().length === 0 ? true : undefined))
  })

  test('PP-24 a pid file has the number and no newline, and replaces another', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    writeFileSync(bundle.file('pid'), 'old')
    bundle.detached(['create', '--pid-file', bundle.file('pid'), bundle.id])
    const { pid } = bundle.state() as { pid: number }
    expect(readFileSync(bundle.file('pid'), 'utf8')).toBe(String(pid))
    expect(existsSync(bundle.file('.pid'))).toBe(false)
  })

  test('PP-21 PP-22 descriptors: those of systemd first, then the preserved ones', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', 'cat <&3; cat <&4; echo $LISTEN_FDS $LISTEN_PID']))
    for (const name of ['one', 'two']) writeFileSync(bundle.file(name), `${name}\n`)
    const script = 'exec 3< one 4< two; export LISTEN_FDS=1; exec "$@"'
    const [first, ...words] = host.command
    const shell = new Bundle(
      { ...host, command: ['/bin/sh', '-c', script, 'sh', first, ...words] },
      specOf(['/bin/true']),
    )
    using _ = shell
    const run = (...flags: string[]) => shell.run(['run', ...flags, bundle.id], { cwd: bundle.path })
    expect(run('--preserve-fds', '1')).toEqual({ status: 0, stdout: 'one\ntwo\n1 1\n', stderr: '' })
    // Meant for somebody else, it is nobody's: the first descriptor is the first preserved one.
    const stranger = new Bundle({
      ...host,
      command: ['/bin/sh', '-c', script.replace('LISTEN_FDS=1', 'LISTEN_FDS=1 LISTEN_PID=1'), 'sh', first, ...words],
    })
    using __ = stranger
    const told = stranger.run(['run', '--preserve-fds', '2', bundle.id], { cwd: bundle.path })
    expect(told).toMatchObject({ status: 0, stdout: expect.stringMatching(/^one\ntwo\n/) })
    expect(run('--preserve-fds', '999')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('which is not open'),
    })
    expect(run('--preserve-fds', '-1')).toMatchObject({ status: 1, stderr: expect.stringContaining('--preserve-fds') })
  })

  test('PP-21 a hundred descriptors arrive, and no other', host.needs, () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sh', '-c', 'cat /proc/self/fd/102; ls /proc/self/fd | sort -n | tail -2']),
    )
    writeFileSync(bundle.file('last'), 'the last\n')
    const file = openSync(bundle.file('last'), 'r')
    const stdio = ['ignore', 'pipe', 'pipe', ...Array.from({ length: 100 }, () => file)] as const
    const { stdout, stderr, status } = bundle.run(['run', '--preserve-fds', '100', bundle.id], { stdio: [...stdio] })
    closeSync(file)
    // ls has one of its own.
    expect({ stdout, stderr, status }).toEqual({ stdout: 'the last\n102\n103\n', stderr: '', status: 0 })
  })

  test('EV-123 PP-21 a closed descriptor is told by its number, also where our log has taken it', host.needs, () => {
    const [first, ...words] = host.command
    const script = 'exec 3>&-; exec "$@"'
    using shell = new Bundle({ ...host, command: ['/bin/sh', '-c', script, 'sh', first, ...words] })
    const refused = { status: 1, stderr: expect.stringContaining('descriptor 3, which is not open') }
    for (const globals of [[], ['--log', shell.file('log')]])
      expect(shell.run([...globals, 'run', '--preserve-fds', '1', shell.id])).toMatchObject(refused)
    expect(shell.run(['run', '--preserve-fds', '1001', shell.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--preserve-fds: must be a number of descriptors, 1000 at most'),
    })
    expect(shell.left()).toEqual([])
  })

  test('OL-24 a link of another name is lcrun too, with the same words and output', host.needs, () => {
    using bundle = new Bundle(host)
    const link = bundle.file('runc')
    const [program, ...words] = host.command
    symlinkSync(words[0] ?? program, link)
    const other = new Bundle(
      { ...host, command: words.length > 0 ? [program, link] : [link] },
      specOf(['/bin/echo', 'hello']),
    )
    using _ = other
    for (const args of [['--version'], ['help', 'exec'], ['state', 'absent']]) {
      const { status, stdout } = bundle.run(args)
      expect(other.run(args)).toMatchObject({ status, stdout })
    }
    expect(other.run(['run', other.id])).toEqual({ status: 0, stdout: 'hello\n', stderr: '' })
  })
})

describe.each(either)('$name', host => {
  test('OL-05 start tells a container that runs from one that has stopped, and from none', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    expect(bundle.run(['start', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it runs already'),
    })
    bundle.run(['kill', bundle.id, '9'])
    await bundle.stopped()
    expect(bundle.run(['start', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it has stopped'),
    })
    expect(bundle.run(['start', 'absent'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not exist'),
    })
  })

  test('OL-04 an id that is in use, a bundle without a config, a config that is none', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    expect(bundle.run(['create', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('already exists'),
    })
    expect(bundle.run(['create', '-b', '/tmp', 'other'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/tmp/config.json: no such file or directory'),
    })
    bundle.write('{"ociVersion": "1.0.2",')
    expect(bundle.run(['create', 'other'])).toMatchObject({ status: 1, stderr: expect.stringContaining('config.json') })
    bundle.write(specOf(['/bin/no-such-program']))
    expect(bundle.run(['run', 'other'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no such file or directory'),
    })
    expect(bundle.left()).toEqual([bundle.id])
  })

  test('OL-04 OL-06 XT-02 --config names another file, --bundle a directory', host.needs, () => {
    using bundle = new Bundle(host)
    const file = bundle.file('other.json')
    writeFileSync(file, JSON.stringify(specOf(['/bin/echo', 'other'])))
    expect(bundle.run(['run', '--config', file, bundle.id])).toMatchObject({ status: 0, stdout: 'other\n' })
    bundle.write(specOf(['/bin/echo', 'bundle']))
    expect(bundle.run(['run', '--bundle', bundle.path, bundle.id], { cwd: '/' })).toMatchObject({ stdout: 'bundle\n' })
  })

  test('OL-06 run --keep leaves the container, run --detach does not wait', host.needs, async () => {
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', 'sleep 0.3; exit 3']))
    expect(bundle.run(['run', '--keep', bundle.id])).toMatchObject({ status: 3 })
    expect(bundle.state()).toMatchObject({ status: 'stopped', pid: 0 })
    expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0 })
    bundle.sleeping()
    expect(bundle.state()).toMatchObject({ status: 'running' })
    expect(bundle.run(['run', '--no-subreaper', bundle.id])).toMatchObject({ status: 1 })
  })

  test('OL-08 kill: names and numbers of signals in any case, all processes, what has ended', host.needs, async () => {
    using bundle = new Bundle(
      host,
      specOf([
        '/bin/sh',
        '-c',
        'for s in USR1 USR2 HUP; do trap "echo $s >> /tmp/got" $s; done; touch /tmp/ready; while :; do sleep 0.1; done',
      ]),
    )
    const { id } = bundle
    expect(bundle.detached(['run', '-d', id]).status).toBe(0)
    const { pid } = bundle.state() as { pid: number }
    const root = `/proc/${pid}/root/tmp`
    await until('the program', () => (existsSync(`${root}/ready`) ? true : undefined))
    for (const word of ['SIGUSR1', 'usr2', '1']) {
      expect(bundle.run(['kill', id, word])).toEqual({ status: 0, stdout: '', stderr: '' })
      await until(
        word,
        () =>
          (existsSync(`${root}/got`) ? readFileSync(`${root}/got`, 'utf8') : '').split('\n').length >
            ['SIGUSR1', 'usr2', '1'].indexOf(word) + 1 || undefined,
      )
    }
    expect(readFileSync(`${root}/got`, 'utf8')).toBe('USR1\nUSR2\nHUP\n')
    expect(bundle.run(['kill', '--all', id, '-9'])).toMatchObject({ status: 0 })
    await bundle.stopped()
    expect(bundle.run(['kill', id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('container not running'),
    })
    expect(bundle.run(['kill', '-a', id, 'KILL'])).toMatchObject({ status: 0, stderr: '' })
  })

  test('EV-196 signals that there are not', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    for (const word of ['NOPE', '0', '65', '-1x', '']) {
      const { status, stderr } = bundle.run(['kill', bundle.id, word])
      expect({ word, status, stderr }).toEqual({ word, status: 1, stderr: expect.stringMatching(/signal|flag/) })
    }
    expect(bundle.state()).toMatchObject({ status: 'running' })
  })

  test(
    'OL-09 EV-011 delete: of what runs only by force, of what was created, of what is left of nothing',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      const { id } = bundle
      bundle.sleeping()
      const { pid } = bundle.state() as { pid: number }
      expect(bundle.run(['delete', id])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('that is not stopped: it is running'),
      })
      expect(alive(pid)).toBe(true)
      expect(bundle.run(['delete', '--force', id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(bundle.left()).toEqual([])
      expect(bundle.detached(['create', id]).status).toBe(0)
      expect(bundle.run(['delete', id])).toEqual({ status: 0, stdout: '', stderr: '' })
      mkdirSync(`${bundle.stateRoot}/${id}`, { mode: 0o711 })
      expect(bundle.run(['delete', id])).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') })
      expect(bundle.left()).toEqual([])
      mkdirSync(`${bundle.stateRoot}/${id}`, { mode: 0o711 })
      expect(bundle.run(['delete', '-f', id])).toMatchObject({ status: 0 })
      expect(bundle.left()).toEqual([])
      expect(bundle.run(['delete', '-f', 'absent'])).toMatchObject({ status: 0 })
      expect(bundle.run(['delete', 'absent', '--force'])).toMatchObject({ status: 0 })
    },
  )

  test('EV-194 a pid file that cannot be written ends what was started', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    mkdirSync(bundle.file('directory'))
    for (const [file, text] of [
      ['no/such/directory/pid', 'ENOENT'],
      ['directory', 'EISDIR'],
    ] as const) {
      expect(bundle.run(['create', '--pid-file', file, bundle.id])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(text),
      })
      expect(bundle.run(['run', '-d', '--pid-file', file, bundle.id])).toMatchObject({ status: 1 })
    }
    writeFileSync(bundle.file('.pid'), 'of somebody else')
    expect(bundle.run(['create', '--pid-file', 'pid', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('EEXIST'),
    })
    expect(bundle.left()).toEqual([])
    expect(readFileSync(bundle.file('.pid'), 'utf8')).toBe('of somebody else')
  })

  test('XT-01 --cgroup-manager disabled makes no cgroup', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    expect(bundle.detached(['--cgroup-manager', 'disabled', 'run', '-d', bundle.id]).status).toBe(0)
    const { pid } = bundle.state() as { pid: number }
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toBe(readFileSync('/proc/self/cgroup', 'utf8'))
    expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0, stderr: '' })
    expect(alive(pid)).toBe(false)
  })
})
