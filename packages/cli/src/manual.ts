import { type Command, type CommandTable, type Flag, flagsOf } from './command-line.js'

/** What a manual page says of the program beside its commands. */
export interface ManualOptions {
  readonly version: string
}

/** A manual page as troff of man(7): of a program, or of one of its commands. */
export function manual(table: CommandTable, { version }: ManualOptions, command?: Command): string {
  const { name } = table
  const title = command === undefined ? name : `${name}-${command.name}`
  const page = command === undefined ? programPage(table) : commandPage(table, command)
  return [`.TH ${title.toUpperCase()} 8 "" "${name} ${version}"`, '.nh', '.ad l', ...page, ''].join('\n')
}

function programPage(table: CommandTable): string[] {
  const { name, about, flags } = table
  const commands = table.commands.filter(({ internal }) => !internal)
  return [
    '.SH NAME',
    `${text(name)} \\- ${text(about)}`,
    '.SH SYNOPSIS',
    `.B ${text(name)}`,
    '[\\fIflags\\fR] \\fIcommand\\fR [\\fIflags\\fR] [\\fIoperand\\fR...]',
    '.SH COMMANDS',
    ...commands.flatMap(each => ['.TP', `\\fB${text(each.name)}\\fR ${italic(each.operands)}`, sentence(each.about)]),
    '.SH OPTIONS',
    ...flagLines(flags),
    '.SH SEE ALSO',
    commands.map(each => `\\fB${text(`${name}-${each.name}`)}\\fR(8)`).join(',\n'),
  ]
}

function commandPage(table: CommandTable, command: Command): string[] {
  const { name } = table
  const flags = flagsOf(table, command)
  return [
    '.SH NAME',
    `${text(`${name}-${command.name}`)} \\- ${text(command.about)}`,
    '.SH SYNOPSIS',
    `\\fB${text(name)}\\fR [\\fIflags\\fR] \\fB${text(command.name)}\\fR [\\fIflags\\fR] ${italic(command.operands)}`.trimEnd(),
    '.SH DESCRIPTION',
    sentence(command.about),
    '.SH OPTIONS',
    ...flagLines(flags),
    '.SH SEE ALSO',
    `\\fB${text(name)}\\fR(8)`,
  ]
}

const flagLines = (flags: readonly Flag[]): string[] =>
  flags
    .filter(({ internal }) => !internal)
    .flatMap(({ name, short, value, repeats, about }) => {
      const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map(word => `\\fB${text(word)}\\fR`)
      const argument = value === undefined ? '' : ` ${italic(value)}`
      return ['.TP', `${names.join(', ')}${argument}`, sentence(about + (repeats ? '; may be repeated' : ''))]
    })

const italic = (words = ''): string => (words === '' ? '' : `\\fI${text(words)}\\fR`)

const sentence = (about: string): string => text(`${about[0]!.toUpperCase()}${about.slice(1)}.`)

/** Troff's own characters as they are to be printed: a hyphen that can be copied, no line that begins a request. */
const text = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('’', "'")
    .replace(/^[.']/gm, '\\&$&')
