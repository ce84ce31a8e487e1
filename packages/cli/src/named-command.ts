import { type Command, type CommandTable, type Invocation, UsageError } from './command-line.js'

/** The command that the operand of a command about commands names; `undefined` for none, which means all of them. */
export function namedCommand(
  { name: program, commands }: CommandTable,
  { operands: [name] }: Pick<Invocation, 'operands'>,
): Command | undefined {
  const command = commands.find(each => each.name === name)
  if (name !== undefined && command === undefined)
    throw new UsageError(`there is no command '${name}'`, `${program} --help tells what there is`)
  return command
}
