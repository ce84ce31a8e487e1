import { spawnSync } from 'node:child_process'
import { help } from '@libcontainer/cli'
import { describe, expect, test } from 'vitest'
import { table } from '../src/commands.js'
import { idOf } from '../src/place.js'
import { hosts } from './hosts.js'

test('no two flags of a command share a name or letter', () => {
  for (const { flags, name } of table.commands) {
    const words = [...flags, ...table.flags].flatMap(flag => [flag.name, ...(flag.short ? [flag.short] : [])])
    expect({ name, words: [...new Set(words)] }).toEqual({ name, words })
  }
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
