import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandTable, completion, manual } from '@libcontainer/cli'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'

const load = async () => ({ run: async () => 0 })

const toy: CommandTable = {
  name: 'toy',
  about: 'plays',
  flagsFirst: true,
  flags: [
    { name: 'root', value: 'DIR', path: 'directory', about: "where it's at: [there]" },
    { name: 'how', value: 'WORD', choices: ['well', 'badly'], about: 'how' },
    { name: 'hidden', internal: true, about: 'for itself' },
    { name: 'help', short: 'h', about: 'this' },
  ],
  commands: [
    {
      name: 'stop',
      about: 'stops',
      operands: 'ID',
      onContainer: true,
      flags: [{ name: 'format', short: 'f', value: 'FORMAT', choices: ['table', 'json'], about: 'how' }],
      load,
    },
    {
      name: 'shell',
      about: 'prints',
      operands: 'bash|zsh',
      flags: [{ name: 'file', value: 'FILE', path: 'file', about: 'what' }],
      load,
    },
    { name: 'secret', about: 'for itself', internal: true, flags: [], load },
  ],
}

/** What bash offers at the end of a line. */
function offered(...line: string[]): string[] {
  using place = temporaryDirectory('completion-')
  writeFileSync(join(place.path, 'script'), completion(toy, 'bash'))
  // What is asked for the ids of containers.
  const list = 'toy() { [[ $* == "--root /state list --quiet" ]] && echo one two || echo three; }'
  const script = `${list}; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _toy; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', join(place.path, 'script'), ...line], {
    encoding: 'utf8',
    cwd: place.path,
  })
  return [
    ...stdout.split('\n').filter(each => each !== ''),
    ...stderr.split('\n').filter(each => /error|unexpected/.test(each)),
  ]
}

describe('OL-22 bash completes', () => {
  test.each([
    [
      ['toy', ''],
      ['stop', 'shell'],
    ],
    [['toy', 'st'], ['stop']],
    [
      ['toy', '--h'],
      ['--how', '--help'],
    ],
    [
      ['toy', '--how', ''],
      ['well', 'badly'],
    ],
    [
      ['toy', '--how', 'well', 's'],
      ['stop', 'shell'],
    ],
    [
      ['toy', 'stop', '-'],
      ['--format', '-f', '--help', '-h'],
    ],
    [['toy', 'stop', '--format', 'j'], ['json']],
    [['toy', 'stop', ''], ['three']],
    [
      ['toy', '--root', '/state', 'stop', ''],
      ['one', 'two'],
    ],
    [['toy', '--root', '/state', 'stop', 't'], ['two']],
    [
      ['toy', 'shell', ''],
      ['bash', 'zsh'],
    ],
  ])('%j', requires('program:bash'), (line, words) => {
    expect(offered(...line)).toEqual(words)
  })

  test('files where a flag takes one', requires('program:bash'), () => {
    expect(offered('toy', 'shell', '--file', 'scr')).toEqual(['script'])
    expect(offered('toy', '--root', 'scr')).toEqual([])
  })
})

test.each(['bash', 'zsh', 'fish'] as const)('OL-22 %s: every command and flag, and none that is internal', shell => {
  const script = completion(toy, shell)
  for (const word of ['stop', 'shell', 'root', 'how', 'help', 'format', 'file', 'well badly', 'table json', 'bash zsh'])
    expect(script).toContain(word)
  for (const word of ['secret', 'hidden']) expect(script).not.toContain(word)
  expect(script).toContain('list --quiet')
})

for (const shell of ['zsh', 'fish'] as const)
  test(`OL-22 ${shell} understands its script`, requires(`program:${shell}`), () => {
    using place = temporaryDirectory('completion-')
    const script = join(place.path, 'script')
    writeFileSync(script, completion(toy, shell))
    const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

test.each([
  ['toy ', ['shell', 'stop']],
  ['toy st', ['stop']],
  ['toy --how ', ['badly', 'well']],
  ['toy --root /state stop ', ['one', 'two']],
  ['toy stop --format ', ['json', 'table']],
])('OL-22 fish completes: %s', requires('program:fish'), (line, wanted) => {
  using place = temporaryDirectory('completion-')
  writeFileSync(join(place.path, 'script'), completion(toy, 'fish'))
  const list = 'function toy; if test "$argv" = "--root /state list --quiet"; echo one; echo two; end; end'
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `${list}; source script; complete -C '${line}'`], {
    encoding: 'utf8',
    cwd: place.path,
    env: { ...process.env, HOME: place.path },
  })
  expect({
    words: stdout
      .split('\n')
      .map(each => each.split('\t')[0])
      .filter(Boolean)
      .sort(),
    stderr,
  }).toEqual({
    words: wanted,
    stderr: '',
  })
})

describe('OL-22 manual pages', () => {
  test('are troff that man(1) formats without complaint', requires('program:groff'), () => {
    for (const command of [undefined, ...toy.commands]) {
      const { stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww', '-P-c'], {
        input: manual(toy, { version: '1.2.3' }, command),
        encoding: 'utf8',
      })
      const title = command === undefined ? 'TOY' : `TOY-${command.name.toUpperCase()}`
      expect({ title, stderr }).toEqual({ title, stderr: '' })
      expect(stdout).toContain(title)
      expect(stdout).toContain('toy 1.2.3')
    }
  })

  test('of a command: its flags, and what it is about', () => {
    const page = manual(toy, { version: '1' }, toy.commands[0])
    expect(page).toContain('toy\\-stop \\- stops')
    expect(page).toContain('\\fB\\-f\\fR, \\fB\\-\\-format\\fR \\fIFORMAT\\fR')
    expect(page).not.toContain('hidden')
    expect(manual(toy, { version: '1' })).toContain("Where it's at: [there].")
  })
})
