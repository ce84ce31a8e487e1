import type { Command, CommandTable, Flag } from './command-line.js'

/** The help of a command, or of the whole. Pure. */
export function help(table: CommandTable, command?: Command): string {
  return command === undefined ? helpOfAll(table) : helpOf(table, command)
}

function helpOfAll({ name, about, flags, commands }: CommandTable): string {
  const rows = commands
    .filter(({ internal }) => !internal)
    .map(({ name, operands, about }) => [operands === undefined ? name : `${name} ${operands}`, about] as const)
  return [
    `${name}: ${about}`,
    '',
    `usage: ${name} [flags] <command> [flags] […]`,
    '',
    'commands:',
    ...aligned(rows),
    '',
    'flags:',
    ...aligned(flagRows(flags)),
    '',
  ].join('\n')
}

function helpOf(table: CommandTable, command: Command): string {
  const { name, flags } = table
  const usage = [name, command.name, '[flags]', command.operands].filter(part => part !== undefined).join(' ')
  const rows = flagRows(command.flags)
  return [
    `usage: ${usage}`,
    '',
    command.about,
    ...(rows.length === 0 ? [] : ['', 'flags:', ...aligned(rows)]),
    '',
    ...(table.flagsFirst ? ['flags before the command:'] : ['flags of all commands:']),
    ...aligned(flagRows(flags)),
    '',
  ].join('\n')
}

type Row = readonly [string, string]

const flagRows = (flags: readonly Flag[]): Row[] =>
  flags
    .filter(({ internal }) => !internal)
    .map(({ name, short, value, repeats, about }) => {
      const names = short === undefined ? `    --${name}` : `-${short}, --${name}`
      return [value === undefined ? names : `${names} ${value}${repeats ? '…' : ''}`, about]
    })

function aligned(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
