import { LibcontainerError } from '@libcontainer/sys'

/** A flag, given as `--name`, `-name` or by its letter. */
export interface Flag {
  readonly name: string
  readonly short?: string
  /** What its value is called in the help. Without: it is on or off (`--name=false`). */
  readonly value?: string
  /** It may be given several times, and all its values count. */
  readonly repeats?: boolean
  /** What its value may be: for completion, and checked. */
  readonly choices?: readonly string[]
  /** An empty value says nothing: it is as if the flag had not been given. Callers pass one for what they do not know. */
  readonly emptyIsAbsent?: boolean
  /** Its value is a file or directory: for completion. */
  readonly path?: 'file' | 'directory'
  /** Not in the help: it is known for the sake of callers that say it. */
  readonly internal?: boolean
  readonly about: string
}

export interface Command {
  readonly name: string
  readonly about: string
  /** What its operands are called in the help. Without: it takes none. */
  readonly operands?: string
  /** How many operands it needs, and takes. Default: any number, or none without `operands`. */
  readonly count?: readonly [least: number, most: number]
  /** The first operand is the id of a container: for completion. */
  readonly onContainer?: boolean
  /** The operands end with a program and its arguments: what follows the first of them is not ours, whatever it looks like. */
  readonly runsProgram?: boolean
  /** Words that look like a flag, and are operands: the `-9` of `kill`. */
  readonly dashedOperands?: RegExp
  /** The command line's own, for itself: not in the help. */
  readonly internal?: boolean
  readonly flags: readonly Flag[]
  /** It is not there yet, and its help fails as it does: that tells callers who ask by it. */
  readonly absent?: boolean
  /** Read when it is used: a command pays for itself alone. */
  readonly load: () => Promise<{ readonly run: (invocation: Invocation) => Promise<number> }>
}

/** The whole of a command line: this one table makes the parser, the help, the completions and the manual pages. */
export interface CommandTable {
  readonly name: string
  readonly about: string
  /** Of every command. */
  readonly flags: readonly Flag[]
  /** Stand before the command, and behind it are unknown; but for `--help`. Default: anywhere. */
  readonly flagsFirst?: boolean
  readonly commands: readonly Command[]
}

/** What a command line asks of a command. */
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
  /** Whose usage it was. */
  readonly command: Command | undefined
  /** The flags that were read before. */
  flags: ReadonlyMap<string, string> = new Map()

  constructor(message: string, hint: string, command?: Command) {
    super('ERR_USAGE', message, { hint })
    this.command = command
  }
}

/**
 * Reads a command line: global flags, a command, its flags (or global ones), its operands. `--` ends the flags.
 *
 * @throws {UsageError} for an unknown command or flag, a missing value, and operands that the command does not take
 */
export function parse(args: readonly string[], table: CommandTable): Parsed {
  const flags = new Map<string, string>()
  try {
    return read(args, table, flags)
  } catch (error) {
    if (error instanceof UsageError) error.flags = flags
    throw error
  }
}

function read(args: readonly string[], table: CommandTable, flags: Map<string, string>): Parsed {
  const lists = new Map<string, string[]>()
  const operands: string[] = []
  let command: Command | undefined
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--') {
      operands.push(...args.slice(i + 1))
      break
    }
    if (word.length > 1 && word.startsWith('-') && !command?.dashedOperands?.test(word)) {
      i += readFlag(args, i, { table, command, flags, lists })
    } else if (command === undefined) {
      command = findCommand(word, table)
    } else {
      operands.push(...(command.runsProgram ? args.slice(i) : [word]))
      if (command.runsProgram) break
    }
  }
  if (flags.get('help') !== 'true') checkOperands(table, command, operands)
  return { command, flags, lists, operands }
}

function checkOperands(table: CommandTable, command: Command | undefined, operands: readonly string[]): void {
  const [first] = operands
  if (first !== undefined && command?.operands === undefined) {
    throw new UsageError(
      command === undefined ? `no command before '${first}'` : `${command.name} takes no '${first}'`,
      hint(table, command),
      command,
    )
  }
  if (command?.count === undefined) return
  const [least, most] = command.count
  const wanted = `${command.name} needs ${command.operands}`
  if (operands.length < least)
    throw new UsageError(`${wanted}, and was given ${operands.length || 'nothing'}`, hint(table, command), command)
  if (operands.length > most)
    throw new UsageError(`${wanted}, and takes no '${operands[most]}'`, hint(table, command), command)
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
  const refuse = (message: string): never => {
    throw new UsageError(message, hint(table, command), command)
  }
  const flag = flagsOf(table, command).find(({ name, short }) => name === word || short === word)
  if (flag === undefined)
    return refuse(`there is no flag ${args[i]}${command === undefined ? '' : ` of ${command.name}`}`)
  if (flag.value === undefined) {
    const on = given === undefined ? true : truth(given)
    if (on === undefined) return refuse(`--${flag.name} is true or false, not '${given}'`)
    flags.set(flag.name, String(on))
    return 0
  }
  const value = given ?? args[i + 1]
  if (value === undefined) return refuse(`--${flag.name} needs a value: ${flag.value}`)
  const taken = given === undefined ? 1 : 0
  if (value === '' && flag.emptyIsAbsent) {
    flags.delete(flag.name)
    return taken
  }
  if (flag.choices !== undefined && !flag.choices.includes(value))
    return refuse(`--${flag.name} is one of ${flag.choices.join(', ')}, not '${value}'`)
  flags.set(flag.name, value)
  if (flag.repeats) lists.set(flag.name, [...(lists.get(flag.name) ?? []), value])
  return taken
}

/** The flags that may stand at this place. */
export function flagsOf({ flags, flagsFirst }: CommandTable, command: Command | undefined): readonly Flag[] {
  if (command === undefined) return flags
  return [...command.flags, ...(flagsFirst ? flags.filter(({ name }) => name === 'help') : flags)]
}

function truth(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true
  return /^(?:0|f|false)$/i.test(text) ? false : undefined
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
