import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, either, hosts } from './hosts.js'

describe.each(hosts)('$name', host => {
  test(
    'OL-01 --version names this program, the specification and what compiles filters; --help all commands',
    host.asks,
    () => {
      using bundle = new Bundle(host, {})
      expect(bundle.run(['--version'])).toEqual({
        status: 0,
        stdout: expect.stringMatching(
          /^lcrun version \S+\n(?:commit: \w+\n)?spec: 1\.\d\.\d\nengine: \S+ \S+\nseccomp: \S+ \S+\n$/,
        ),
        stderr: '',
      })
      expect(bundle.run(['-v']).stdout).toBe(bundle.run(['--version']).stdout)
      const { stdout } = bundle.run([])
      expect(stdout).toMatch(/^ {2}create ID +make a container/m)
      expect(stdout).not.toMatch(/^ {2}(init|finish|man) /m)
      for (const words of [['-h'], ['--help'], ['help']])
        expect(bundle.run(words)).toEqual({ status: 0, stdout, stderr: '' })
      expect(bundle.run(['kill', '--help']).stdout).toBe(bundle.run(['help', 'kill']).stdout)
    },
  )

  test('OL-01 --log gets one object a failure, which engines read, and standard error the text', host.asks, () => {
    using bundle = new Bundle(host, {})
    const log = bundle.file('log')
    const failed = bundle.run(['--log', log, '--log-format', 'json', 'state', 'absent'])
    expect(failed).toMatchObject({ status: 1, stdout: '' })
    expect(failed.stderr).toMatch(/^lcrun: container 'absent' does not exist\nhint: /)
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line) as unknown)).toEqual([
      {
        level: 'error',
        msg: expect.stringMatching(/^container 'absent' does not exist \(/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z$/),
      },
    ])
    bundle.run(['--log', log, 'state', 'absent'])
    expect(readFileSync(log, 'utf8').split('\n')[1]).toMatch(/^time="[^"]+" level=error msg="container 'absent' does/)
    bundle.run(['--log', log, '--log-format', 'json', 'state', '--nonsense', 'x'])
    expect(JSON.parse(readFileSync(log, 'utf8').split('\n')[2]!)).toMatchObject({
      msg: expect.stringContaining('--nonsense'),
    })
  })
})

describe.each(either)('$name', host => {
  test('OL-01 --log-format json without a file makes the log of standard error', host.asks, () => {
    using bundle = new Bundle(host, {})
    const { stderr } = bundle.run(['--log-format', 'json', 'state', 'absent'])
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error' })
    expect(bundle.run(['--log-format', 'text', 'state', 'absent']).stderr).toMatch(/^time="[^"]+" level=error msg=/)
  })

  test('EV-197 a log format or file that cannot be is refused before anything is done', host.asks, () => {
    using bundle = new Bundle(host, {})
    expect(bundle.run(['--log-format', 'xml', 'list'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("--log-format is one of text, json, not 'xml'"),
    })
    expect(bundle.run(['--log', '/nonexistent/log', 'run', 'x'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ENOENT: no such file or directory, openat '/nonexistent/log'"),
    })
    expect(bundle.left()).toEqual([])
  })

  test('EV-007 the state root may not be empty or the root of all', host.asks, () => {
    using bundle = new Bundle(host, {})
    for (const [root, cwd] of [
      ['', '/'],
      ['/', '/tmp'],
      ['.', '/'],
      ['../../..', '/usr/bin'],
      ['/tmp/..', '/tmp'],
    ] as const) {
      const { status, stderr } = bundle.run(['--root', root, 'state', 'x'], { cwd })
      expect({ root, status, stderr }).toEqual({ root, status: 1, stderr: expect.stringMatching(/root/) })
    }
  })

  test('OL-01 a relative --root is made absolute', host.asks, () => {
    using bundle = new Bundle(host, {})
    bundle.run(['--root', './a/../below', 'delete', '--force', 'absent'])
    expect(existsSync(bundle.file('below'))).toBe(true)
  })

  test('OL-01 --rootless, --systemd-cgroup and --debug', host.asks, () => {
    using bundle = new Bundle(host)
    for (const word of ['true', 'false', 'auto', '1', 'F'])
      expect(bundle.run(['--rootless', word, 'delete', '--force', 'absent'])).toMatchObject({ status: 0, stderr: '' })
    expect(bundle.run(['--rootless', 'maybe', 'list'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--rootless'),
    })
    if (!existsSync('/run/systemd/system'))
      expect(bundle.run(['--systemd-cgroup', 'run', 'x'])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/systemd.*is not running|is not running.*systemd/),
      })
    expect(bundle.run(['--debug', 'state', 'absent']).stderr).toMatch(/Frames:/)
  })

  test('OL-01 flags of all commands stand before the command', host.asks, () => {
    using bundle = new Bundle(host, {})
    expect(bundle.run(['list', '--root', '/tmp'])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^Incorrect Usage\.\n\nusage: lcrun list/),
      stderr: expect.stringContaining('there is no flag --root of list'),
    })
  })

  test('XT-01 the words of crun: --log file:, --log-level, --cgroup-manager', host.asks, () => {
    using bundle = new Bundle(host, {})
    const log = bundle.file('log')
    bundle.run(['--log', `file:${log}`, '--log-level', 'error', 'state', 'absent'])
    expect(readFileSync(log, 'utf8')).toContain('does not exist')
    for (const [words, text] of [
      [['--log', 'journald:x', 'list'], 'there is no journald to log to'],
      [['--log', 'syslog:x', 'list'], 'there is no syslog to log to'],
      [['--systemd-log', 'list'], 'there is no journald to log to'],
      [['--log', 'file:', 'list'], 'must name a file'],
      [['--log-level', 'loud', 'list'], '--log-level is one of'],
      [['--cgroup-manager', 'x', 'list'], '--cgroup-manager is one of cgroupfs, systemd, disabled'],
    ] as const)
      expect(bundle.run(words)).toMatchObject({ status: 1, stderr: expect.stringContaining(text) })
  })

  test('OL-02 the number of operands is checked: "Incorrect Usage." and the help, exit code 1', host.asks, () => {
    using bundle = new Bundle(host, {})
    for (const words of [
      ['create'],
      ['create', 'a', 'b'],
      ['start'],
      ['state'],
      ['state', 'a', 'b'],
      ['kill'],
      ['kill', 'a', 'TERM', 'x'],
      ['list', 'x'],
    ]) {
      const { status, stdout, stderr } = bundle.run(words)
      expect({ words, status, stdout, stderr }).toEqual({
        words,
        status: 1,
        stdout: expect.stringMatching(new RegExp(`^Incorrect Usage\\.\\n\\nusage: lcrun ${words[0]} `)),
        stderr: expect.stringMatching(/^lcrun: .*\nhint: /),
      })
    }
    expect(bundle.run(['start', ''])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('container id cannot be empty'),
    })
    expect(bundle.run(['nothing'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("there is no command 'nothing'"),
    })
  })

  test('OL-03 errors exit with 1, those of exec with 255', host.asks, () => {
    using bundle = new Bundle(host, {})
    for (const [words, status] of [
      [['start', 'absent'], 1],
      [['kill', 'absent'], 1],
      [['delete', 'absent'], 1],
      [['run', 'x'], 1],
      [['exec', 'absent', 'ls'], 255],
      [['exec', '--user', 'x', 'absent', 'ls'], 255],
    ] as const)
      expect({ words, status: bundle.run(words).status }).toEqual({ words, status })
  })
})
