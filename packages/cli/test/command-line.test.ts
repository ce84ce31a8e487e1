import { type CommandTable, flagsOf, help, parse, UsageError } from '@libcontainer/cli'
import { forwarded } from '@libcontainer/cli/foreground'
import { describe, expect, test } from 'vitest'

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

test('OL-01 an empty value of a flag that takes none says nothing, and takes back what was said before', () => {
  const load = async () => ({ run: async () => 0 })
  const flags = [
    { name: 'pid-file', value: 'FILE', emptyIsAbsent: true, about: 'where' },
    { name: 'format', value: 'FORMAT', emptyIsAbsent: true, choices: ['a'], about: 'how' },
    { name: 'root', value: 'DIR', about: 'what' },
  ]
  const table: CommandTable = { name: 'toy', about: '', flags, commands: [{ name: 'run', about: '', flags: [], load }] }
  const given = (...args: string[]) => Object.fromEntries(parse(args, table).flags)
  expect(given('--pid-file', '', '--format=', '--root', '', 'run')).toEqual({ root: '' })
  expect(given('--pid-file', '/x', '--pid-file=', 'run')).toEqual({})
  expect(given('--pid-file=', '--pid-file', '/x', 'run')).toEqual({ 'pid-file': '/x' })
})

describe('parse, of a table whose flags stand first', () => {
  const load = async () => ({ run: async () => 0 })
  const strict: CommandTable = {
    name: 'toy',
    about: 'a toy',
    flagsFirst: true,
    flags: [
      { name: 'root', value: 'DIR', about: 'where' },
      { name: 'help', about: 'this' },
    ],
    commands: [
      {
        name: 'kill',
        about: 'kills',
        operands: 'ID [signal]',
        count: [1, 2],
        dashedOperands: /^-\d+$/,
        flags: [
          { name: 'format', value: 'FORMAT', choices: ['a', 'b'], about: 'how' },
          { name: 'add', short: 'a', value: 'X', repeats: true, about: 'more' },
        ],
        load,
      },
    ],
  }

  test('flags before and behind the operands, those that repeat, and the -9 of kill', () => {
    const { flags, lists, operands } = parse(['--root', '/x', 'kill', '-a', '1,2', 'id', '-9', '--add=3'], strict)
    expect(Object.fromEntries(flags)).toEqual({ root: '/x', add: '3' })
    expect(lists.get('add')).toEqual(['1,2', '3'])
    expect(operands).toEqual(['id', '-9'])
  })

  test.each([
    [['kill', '--root', '/x', 'id'], 'there is no flag --root of kill'],
    [['kill'], 'kill needs ID [signal], and was given nothing'],
    [['kill', 'a', 'b', 'c'], "kill needs ID [signal], and takes no 'c'"],
    [['kill', '--format', 'c', 'id'], "--format is one of a, b, not 'c'"],
  ])('refuses %j', (args, message) => {
    expect(() => parse(args, strict)).toThrow(message)
  })

  test('--help needs no operands, and stands everywhere', () => {
    expect(parse(['kill', '--help'], strict).flags.get('help')).toBe('true')
    expect(flagsOf(strict, strict.commands[0]).map(({ name }) => name)).toEqual(['format', 'add', 'help'])
  })

  test('what was read before a mistake goes with the error', () => {
    try {
      parse(['--root', '/x', 'kill', '--nope'], strict)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      expect((error as UsageError).flags.get('root')).toBe('/x')
      expect((error as UsageError).command?.name).toBe('kill')
    }
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
