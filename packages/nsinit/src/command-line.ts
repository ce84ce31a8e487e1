import { LibcontainerError } from '@libcontainer/sys'

/** A flag, given as `--name`, `-name` or by its letter. */
export interface Flag {
  readonly name: string
  readonly short?: string
  /** What its value is called in the help. Without: it is on or off (`--name=false`). */
  readonly value?: string
  /** It may be given several times, and all its values count. */
  readonly repeats?: boolean
  readonly about: string
}

export interface Command {
  readonly name: string
  readonly about: string
  /** What its operands are called in the help. Without: it takes none. */
  readonly operands?: string
  /** The operands are a program and its arguments: what follows the first of them is not ours, whatever it looks like. */
  readonly runsProgram?: boolean
  /** The command line's own, for itself: not in the help. */
  readonly internal?: boolean
  readonly flags: readonly Flag[]
  /** Read when it is used: a command pays for itself alone. */
  readonly load: () => Promise<{ readonly run: (invocation: Invocation) => Promise<number> }>
}

/** The whole of a command line: this one table makes the parser and the help. */
export interface CommandTable {
  readonly name: string
  readonly about: string
  readonly flags: readonly Flag[]
  readonly commands: readonly Command[]
}

export interface Invocation {
  /** The values of the flags that were given: the last one of each. */
  readonly flags: ReadonlyMap<string, string>
  /** All values of those that may be repeated. */
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly operands: readonly string[]
}

export interface Parsed extends Invocation {
  readonly command: Command | undefined
}

/** A command line that means nothing. */
export class UsageError extends LibcontainerError {
  constructor(message: string, hint: string) {
    super('ERR_USAGE', message, { hint })
  }
}

/**
 * Reads a command line: global flags, a command, its flags (or global ones), its operands. `--` ends the flags.
 *
 * @throws {UsageError} for an unknown command or flag, a missing value, and operands that the command does not take
 */
export function parse(args: readonly string[], table: CommandTable): Parsed {
  const flags = new Map<string, string>()
  const lists = new Map<string, string[]>()
  const operands: string[] = []
  let command: Command | undefined
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--') {
      operands.push(...args.slice(i + 1))
      break
    }
    if (word.length > 1 && word.startsWith('-')) {
      i += readFlag(args, i, { table, command, flags, lists })
    } else if (command === undefined) {
      command = findCommand(word, table)
    } else {
      operands.push(...(command.runsProgram ? args.slice(i) : [word]))
      if (command.runsProgram) break
    }
  }
  if (operands.length > 0 && command?.operands === undefined) {
    throw new UsageError(
      command === undefined ? `no command before '${operands[0]}'` : `${command.name} takes no '${operands[0]}'`,
      hint(table, command),
    )
  }
  return { command, flags, lists, operands }
}

interface Reading {
  readonly table: CommandTable
  readonly command: Command | undefined
  readonly flags: Map<string, string>
  readonly lists: Map<string, string[]>
}

/** Answers how many further words the flag has taken. */
function readFlag(args: readonly string[], i: number, { table, command, flags, lists }: Reading): number {
  const [, word = '', given] = /^--?([^=]*)(?:=(.*))?$/s.exec(args[i]!) ?? []
  const flag = [...(command?.flags ?? []), ...table.flags].find(({ name, short }) => name === word || short === word)
  if (flag === undefined) {
    const where = command === undefined ? '' : ` of ${command.name}`
    throw new UsageError(`there is no flag ${args[i]}${where}`, hint(table, command))
  }
  if (flag.value === undefined) {
    if (given !== undefined && given !== 'true' && given !== 'false')
      throw new UsageError(`--${flag.name} is true or false, not '${given}'`, hint(table, command))
    flags.set(flag.name, given ?? 'true')
    return 0
  }
  const value = given ?? args[i + 1]
  if (value === undefined) throw new UsageError(`--${flag.name} needs a value: ${flag.value}`, hint(table, command))
  flags.set(flag.name, value)
  if (flag.repeats) lists.set(flag.name, [...(lists.get(flag.name) ?? []), value])
  return given === undefined ? 1 : 0
}

function findCommand(word: string, table: CommandTable): Command {
  const command = table.commands.find(({ name }) => name === word)
  if (command !== undefined) return command
  const names = table.commands.filter(({ internal }) => !internal).map(({ name }) => name)
  throw new UsageError(`there is no command '${word}'`, `the commands are ${names.join(', ')}`)
}

const hint = ({ name }: CommandTable, command: Command | undefined): string =>
  `${name}${command === undefined ? '' : ` ${command.name}`} --help tells what there is`

/** Whether a flag without a value was given, and not as `--name=false`. */
export const isOn = ({ flags }: Pick<Invocation, 'flags'>, name: string): boolean => flags.get(name) === 'true'
