import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type CommandTable, findJsonProblem, help, parse, UsageError } from '@libcontainer/cli'
import { forwarded } from '@libcontainer/cli/foreground'
import { planData, planTable } from '@libcontainer/cli/plan-print'
import { describe, expect, test } from 'vitest'
import { table } from '../src/commands.js'
import { idOf } from '../src/place.js'
import { hosts } from './hosts.js'

const toy: CommandTable = {
  name: 'toy',
  about: 'a toy',
  flags: [
    { name: 'root', value: 'DIR', about: 'where' },
    { name: 'debug', about: 'more' },
  ],
  commands: [
    {
      name: 'run',
      about: 'runs',
      operands: '[command…]',
      runsProgram: true,
      flags: [
        { name: 'tty', short: 't', about: 'a terminal' },
        { name: 'user', short: 'u', value: 'USER', about: 'who' },
      ],
      load: async () => ({ run: async () => 0 }),
    },
    { name: 'list', about: 'lists', flags: [], load: async () => ({ run: async () => 0 }) },
    { name: 'inner', about: 'not for you', internal: true, flags: [], load: async () => ({ run: async () => 0 }) },
  ],
}

function read(...args: string[]): unknown {
  const { command, flags, operands } = parse(args, toy)
  return [command?.name, Object.fromEntries(flags), operands]
}

describe('parse', () => {
  test('global flags, a command, its flags, its operands', () => {
    expect(read('--root', '/x', 'run', '-t', '--user', 'me', 'ls', '-l')).toEqual([
      'run',
      { root: '/x', tty: 'true', user: 'me' },
      ['ls', '-l'],
    ])
  })

  test('values behind =, flags with one dash, global flags behind the command, the last of two', () => {
    const flags = { root: '/a=b', tty: 'false', user: '' }
    expect(read('run', '-root=/a=b', '--tty=false', '--user=')).toEqual(['run', flags, []])
    expect(read('run', '-u', 'a', '-u', 'b')).toEqual(['run', { user: 'b' }, []])
  })

  test('what follows the first operand or -- is the program’s', () => {
    expect(read('run', 'ls', '--tty', '--')).toEqual(['run', {}, ['ls', '--tty', '--']])
    expect(read('run', '-t', '--', '--tty', '--', '-')).toEqual(['run', { tty: 'true' }, ['--tty', '--', '-']])
    expect(read('run', '-', '-t')).toEqual(['run', {}, ['-', '-t']])
  })

  test('nothing at all', () => {
    expect(read()).toEqual([undefined, {}, []])
  })

  test.each([
    [['runn'], "there is no command 'runn'", 'the commands are run, list'],
    [['--colour'], 'there is no flag --colour', 'toy --help tells what there is'],
    [['list', '-t'], 'there is no flag -t of list', 'toy list --help tells what there is'],
    [['run', '--user'], '--user needs a value: USER', 'toy run --help tells what there is'],
    [['run', '--tty=maybe'], "--tty is true or false, not 'maybe'", 'toy run --help tells what there is'],
    [['list', 'more'], "list takes no 'more'", 'toy list --help tells what there is'],
    [['--', 'run'], "no command before 'run'", 'toy --help tells what there is'],
    [['run', '--__proto__'], 'there is no flag --__proto__ of run', 'toy run --help tells what there is'],
  ])('refuses %j', (args, message, hint) => {
    const error = (() => {
      try {
        return parse(args, toy)
      } catch (refused) {
        return refused
      }
    })()
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ message, hint })
  })
})

describe('help', () => {
  test('of all', () => {
    expect(help(toy)).toBe(
      [
        'toy: a toy',
        '',
        'usage: toy [flags] <command> [flags] […]',
        '',
        'commands:',
        '  run [command…]  runs',
        '  list            lists',
        '',
        'flags:',
        '      --root DIR  where',
        '      --debug     more',
        '',
      ].join('\n'),
    )
  })

  test('of a command', () => {
    expect(help(toy, toy.commands[0])).toBe(
      [
        'usage: toy run [flags] [command…]',
        '',
        'runs',
        '',
        'flags:',
        '  -t, --tty        a terminal',
        '  -u, --user USER  who',
        '',
        'flags of all commands:',
        '      --root DIR  where',
        '      --debug     more',
        '',
      ].join('\n'),
    )
  })

  test('no two flags of a command share a name or letter', () => {
    for (const { flags, name } of table.commands) {
      const words = [...flags, ...table.flags].flatMap(flag => [flag.name, ...(flag.short ? [flag.short] : [])])
      expect({ name, words: [...new Set(words)] }).toEqual({ name, words })
    }
  })
})

describe('findJsonProblem', () => {
  test.each([
    ['{\n\t"a": 1,\n\t"b": tru\n}', 3, 7, 'expected a value, not "t"'],
    ['{"a": 1,}', 1, 9, 'expected a name in double quotes, not "}"'],
    ["{'a': 1}", 1, 2, 'expected a name in double quotes, not "\'"'],
    ['{"a" 1}', 1, 6, 'expected :, not "1"'],
    ['[1 2]', 1, 4, 'expected , or ], not "2"'],
    ['[1,]', 1, 4, 'expected a value, not "]"'],
    ['{"a": 01}', 1, 8, 'expected , or }, not "1"'],
    ['{"a": "x\ny"}', 1, 9, 'a string cannot hold this character: escape it'],
    ['{"a": "\\x"}', 1, 8, 'no such escape in a string'],
    ['{"a": "x', 1, 9, 'the string has no end'],
    ['{"a": [1', 1, 9, 'expected , or ], not the end'],
    ['', 1, 1, 'expected a value, not the end'],
    ['{} {}', 1, 4, 'expected the end, not "{"'],
    ['\ufeff{}', 1, 1, 'expected a value, not "\ufeff"'],
    ['{"😀": nope}', 1, 7, 'expected a value, not "n"'],
    [`${'['.repeat(100_000)}x`, 1, 100_001, 'expected a value, not "x"'],
  ])('%.20j', (text, line, column, problem) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
    expect(findJsonProblem(text)).toEqual({ line, column, problem })
  })

  test('refuses nothing that is JSON', () => {
    for (const name of ['minimal', 'host-pid', 'userns']) {
      const text = readFileSync(new URL(`../../../sample_configs/${name}.json`, import.meta.url), 'utf8')
      expect(findJsonProblem(text).problem).toBe('is no JSON')
      for (let end = 0; end < text.trimEnd().length; end++) {
        expect(findJsonProblem(text.slice(0, end)).problem).not.toBe('is no JSON')
      }
    }
  })
})

describe('idOf', () => {
  test('is a valid id, the same for one path and another for others', () => {
    expect(idOf('/tmp/box')).toMatch(/^box-[0-9a-f]{16}$/)
    expect(idOf('/tmp/box')).toBe(idOf('/tmp/box'))
    expect(idOf('/tmp/other/box')).not.toBe(idOf('/tmp/box'))
    expect(idOf('/')).toMatch(/^root-[0-9a-f]{16}$/)
    expect(idOf('/tmp/mein Behälter')).toMatch(/^mein_Beh_lter-[0-9a-f]{16}$/)
    expect(idOf(`/tmp/${'x'.repeat(255)}`)).toHaveLength(57)
  })
})

test('signals that are forwarded: all but those that cannot be, or are our own affair', () => {
  const kept = new Map(
    Object.entries({ ILL: 4, TRAP: 5, BUS: 7, FPE: 8, KILL: 9, SEGV: 11, PIPE: 13, CHLD: 17, STOP: 19 }),
  )
  for (const [name, number] of [...kept, ['TTIN', 21], ['TTOU', 22], ['URG', 23], ['SYS', 31]] as const)
    expect({ name, forwarded: forwarded.includes(number) }).toEqual({ name, forwarded: false })
  for (const number of [1, 2, 3, 10, 12, 14, 15, 18, 20, 24, 28, 30, 34, 64]) expect(forwarded).toContain(number)
  expect(new Set(forwarded).size).toBe(forwarded.length)
})

describe('a plan', () => {
  const skip = 'skip' as const
  const other = { op: 'bindNode', args: ['/dev/null'], about: 'bind it' }
  const plan = {
    namespaces: { cloneFlags: 0x20020000 } as never,
    steps: [
      { op: 'setSession', args: [], about: 'start a session' },
      {
        op: 'makeNode',
        args: [{ slot: 'root' }, 'null', 5n, Uint8Array.of(1, 255)],
        about: 'make /dev/null',
        path: '/dev/null',
        into: 'node',
        onError: { EPERM: other, EACCES: other, EEXIST: skip },
      },
    ],
    slots: [],
  }

  test('as a table', () => {
    expect(planTable(plan)).toBe(
      [
        'STEP  OPERATION   WHAT IT DOES',
        '      clone3      make a process in new namespaces: pid, mnt',
        '   1  setSession  start a session',
        '   2  makeNode    make /dev/null; at EPERM or EACCES bind it; at EEXIST go on',
        '',
      ].join('\n'),
    )
  })

  test('as data', () => {
    expect(planData(plan)).toEqual({
      clone: ['pid', 'mnt'],
      steps: [
        { number: 1, op: 'setSession', args: [], about: 'start a session' },
        {
          number: 2,
          op: 'makeNode',
          args: [{ slot: 'root' }, 'null', 5n, { bytes: '01ff' }],
          about: 'make /dev/null',
          path: '/dev/null',
          into: 'node',
          onError: { EPERM: other, EACCES: other, EEXIST: 'skip' },
        },
      ],
    })
  })
})

describe.each(hosts)('on $name', host => {
  const nsinit = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const [program, ...rest] = host.command
    const { status, stdout, stderr } = spawnSync(program!, [...rest, ...args], { encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  test('CL-10 --help and --version', host.asks, () => {
    expect(nsinit('--help')).toEqual({ status: 0, stdout: help(table), stderr: '' })
    expect(nsinit()).toEqual({ status: 0, stdout: help(table), stderr: '' })
    // What each command tells is made of the one table: a few show that it is asked for.
    for (const command of table.commands.filter(({ name }) => ['exec', 'state', 'restore'].includes(name)))
      expect(nsinit(command.name, '--help')).toEqual({ status: 0, stdout: help(table, command), stderr: '' })
    expect(nsinit('help')).toEqual(nsinit('--help'))
    expect(nsinit('help', 'exec')).toEqual(nsinit('exec', '--help'))
    expect(nsinit('--version').stdout).toMatch(/^nsinit version 2 \((node|quickjs) [\d.]+\)\n$/)
  })

  test('a wrong word is told on stderr, with a hint below, and exits 1', host.asks, () => {
    expect(nsinit('exce')).toEqual({
      status: 1,
      stdout: '',
      stderr:
        "nsinit: there is no command 'exce'\nhint: the commands are exec, state, stats, pause, unpause, oom, config, plan, shell, doctor, checkpoint, restore, help\n",
    })
    expect(nsinit('finish').stderr).toMatch(/^nsinit: finish is what nsinit runs itself\nhint: /)
  })

  test('--debug tells where an error arose', host.asks, () => {
    const { status, stderr } = nsinit('--debug', '--root', '/absent', 'config', '--bind', 'x')
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^nsinit: --bind: must be SRC:DST, .* \(got "x"\)\nTimestamp: .*\nCode: ConfigInvalid .*\n(?:.*\n)+Frames:\n---\n/,
    )
  })

  test('a reader that goes early is no error', host.asks, () => {
    const [program, ...rest] = host.command
    const line = `"$0" "$@" --help | true; echo \${PIPESTATUS[0]}`
    const { stdout, stderr } = spawnSync('bash', ['-c', line, program!, ...rest], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(['0\n', '141\n']).toContain(stdout)
  })
})
