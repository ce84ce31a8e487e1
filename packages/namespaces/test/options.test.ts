import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { parseEnter, parseList, parsePin, parseUnpin, parseUnshare } from '../src/node/options.js'
import { renderJson, renderTable } from '../src/node/table.js'
import { UsageError } from '../src/node/usage-error.js'
import { checkProgram } from '../src/program.js'

describe('namespaces list', () => {
  test('its options', () => {
    expect(parseList([])).toEqual({ kinds: undefined, json: false, help: false })
    expect(parseList(['-k', 'net', '--kind', 'uts', '--json'])).toMatchObject({ kinds: ['net', 'uts'], json: true })
    expect(() => parseList(['--kind', 'network'])).toThrow(ConfigInvalid)
    expect(() => parseList(['x'])).toThrow(UsageError)
  })

  const one = {
    kind: 'net',
    inode: 4026531840n,
    device: 4n,
    ownerUid: 0,
    userNamespace: 4026531837n,
    parent: undefined,
    processes: 12,
    pid: 1,
    uid: 0,
    command: 'a \x1b[31mb',
    paths: ['/run/netns/a'],
  } as const

  test('NS-22 a table: words to the left, numbers to the right, and nothing that a terminal obeys', () => {
    const pinned = {
      ...one,
      inode: 7n,
      processes: 0,
      pid: undefined,
      uid: undefined,
      ownerUid: undefined,
      command: undefined,
    }
    const [head, first, second, ...rest] = renderTable([one, pinned]).split('\n')
    expect(head).toBe('KIND          NS  PROCS  PID  UID  OWNER  COMMAND')
    expect(first).toMatch(/^net {3}4026531840 {5}12 {4}1 {4}0 {6}0 {2}a .*b {2}\/run\/netns\/a$/)
    expect(first).not.toContain('\x1b')
    expect(second).toBe('net            7      0    -    -      -  /run/netns/a')
    expect(rest).toEqual([''])
  })

  test('NS-22 JSON has numbers', () => {
    expect(JSON.parse(renderJson([one]))).toEqual([
      { ...one, parent: undefined, inode: 4026531840, device: 4, userNamespace: 4026531837 },
    ])
  })
})

describe('namespaces enter', () => {
  test('NS-15 a process or paths; the command begins behind the options', () => {
    expect(parseEnter(['-t', '42', '-k', 'net', '--as', '5:6', '--cwd', '/x', 'ip', '--json', '-k'])).toEqual({
      what: { pid: 42, kinds: ['net'] },
      command: ['ip', '--json', '-k'],
      options: { cwd: '/x', user: { uid: 5, gid: 6 }, parentDeathSignal: 'KILL' },
      help: false,
    })
    expect(parseEnter(['--net', '/run/a b', '--uts=/u', '--', 'ls'])).toMatchObject({
      what: { paths: { net: '/run/a b', uts: '/u' } },
      command: ['ls'],
    })
    expect(parseEnter(['--help']).help).toBe(true)
  })

  test.each([
    [['true'], UsageError, /--target or paths/],
    [['-t', '1', '--net', '/n', 'true'], UsageError, /either/],
    [['--net', '/n', '-k', 'uts', 'true'], UsageError, /needs --target/],
    [['-t', '1'], UsageError, /no command/],
    [['-t', 'x', 'true'], ConfigInvalid, /--target.*whole number/],
    [['-t', '1', '--as', '1:2:3', 'true'], ConfigInvalid, /--as/],
    [['-t', '1', '--nothing', 'true'], UsageError, /--nothing/],
  ] as const)('EV-047 %j is refused', (words, kind, problem) => {
    expect(() => parseEnter(words)).toThrow(kind)
    expect(() => parseEnter(words)).toThrow(problem)
  })
})

describe('namespaces unshare', () => {
  test('NS-09 kinds, maps, clocks', () => {
    const words = ['--net', '--user', '--uid-map', '0:1000:1', '--uid-map=1:100000:9', '--gid-map', '0:5:1']
    const { what, command } = parseUnshare([
      ...words,
      '--boottime=-5',
      '--propagation',
      'slave',
      '--proc',
      'sh',
      '-c',
      ':',
    ])
    expect(what).toEqual({
      namespaces: ['user', 'net'],
      uidMappings: [
        { containerId: 0, hostId: 1000, size: 1 },
        { containerId: 1, hostId: 100000, size: 9 },
      ],
      gidMappings: [{ containerId: 0, hostId: 5, size: 1 }],
      timeOffsets: { boottime: { secs: -5 } },
      propagation: 'slave',
      proc: '/proc',
    })
    expect(command).toEqual(['sh', '-c', ':'])
    expect(parseUnshare(['--all', 'x']).what.namespaces.length).toBe(8)
    expect(parseUnshare(['x']).what).toEqual({ namespaces: [] })
  })

  test.each([
    [['--uid-map', '0:1', 'x'], /INSIDE:OUTSIDE:SIZE/],
    [['--uid-map', '0:a:1', 'x'], /whole number/],
    [['--monotonic', '1.5', 'x'], /--monotonic/],
    [['--net'], /no command/],
  ])('EV-040 EV-043 %j is refused', (words, problem) => {
    expect(() => parseUnshare(words)).toThrow(problem)
  })
})

test('NS-21 what is pinned where', () => {
  expect(parsePin(['-t', '5', '-k', 'net', '/x'])).toEqual({ target: 5, kind: 'net', path: '/x', help: false })
  expect(parsePin(['/x', '--kind', 'uts']).target).toBe('self')
  expect(parseUnpin(['a', 'b']).paths).toEqual(['a', 'b'])
  expect([parsePin(['-h']).help, parseUnpin(['-h']).help]).toEqual([true, true])
  for (const words of [['/x'], ['-k', 'net'], ['-k', 'net', '/x', '/y'], ['--nothing']])
    expect(() => parsePin(words)).toThrow(UsageError)
  expect(() => parsePin(['-k', 'network', '/x'])).toThrow(ConfigInvalid)
  expect(() => parseUnpin([])).toThrow(UsageError)
})

test.each([
  [[], {}, 'argv'],
  [[''], {}, 'argv'],
  ['ls', {}, 'argv'],
  [['ls', 'a\0b'], {}, 'argv[1]'],
  [['ls'], { stdio: 'pipes' }, 'stdio'],
  [['ls'], { stdio: ['null', 'null', -1] }, 'stdio[2]'],
  [['ls'], { env: { 'A=B': 'c' } }, 'env'],
  [['ls'], { env: { A: 5 } }, 'env.A'],
  [['ls'], { cwd: '' }, 'cwd'],
  [['ls'], { parentDeathSignal: 'NONE' }, 'parentDeathSignal'],
  [['ls'], { extraFds: 3 }, 'extraFds'],
  [['ls'], { extraFds: [1.5] }, 'extraFds[0]'],
  [['ls'], { user: null }, 'user'],
  [['ls'], { user: { uid: -1 } }, 'user.uid'],
  [['ls'], { user: { uid: 1, gid: 4294967295 } }, 'user.gid'],
  [['ls'], { user: { uid: 1, groups: [1, -1] } }, 'user.groups[1]'],
  [['ls'], { user: { uid: 1, groups: 7 } }, 'user.groups'],
  [['ls'], { user: { uid: 1, name: 'x' } }, 'user.name'],
])('NS-15 a program that cannot be run is refused by field: %j %j', (argv, options, field) => {
  const check = (): void => checkProgram(argv as string[], options as Parameters<typeof checkProgram>[1])
  expect(check).toThrow(ConfigInvalid)
  expect(check).toThrow(expect.objectContaining({ field }))
})
