import { findTerminal, getWindowSize } from '@libcontainer/console'
import { DEFAULT_PATH, type ProcessSpec, type TerminalSize } from '@libcontainer/container'
import { environment } from '@libcontainer/sys'
import { type Invocation, isOn } from './command-line.js'
import type { ProcessDefaults } from './container-json.js'

/** The program that a command line asks for, without its streams: its own words first, then those of container.json, else a shell. */
export async function programOf(invocation: Invocation, defaults: ProcessDefaults): Promise<ProcessSpec> {
  const { operands, flags } = invocation
  const args = operands.length > 0 ? operands : (defaults.args ?? ['/bin/sh'])
  const wantsTerminal = flags.has('tty') ? isOn(invocation, 'tty') : Boolean(defaults.terminal)
  const { terminal: size, ...rest } = defaults
  if (!wantsTerminal) return { ...rest, args }
  const terminal = (await terminalSize()) ?? size ?? true
  return { ...rest, args, env: withTerm(defaults.env), terminal: terminal === false ? true : terminal }
}

/** Of the terminal that we sit at, where it knows its size. */
async function terminalSize(): Promise<TerminalSize | undefined> {
  const terminal = await findTerminal()
  if (terminal === undefined) return undefined
  const { rows, columns } = getWindowSize(terminal.fd)
  terminal.close()
  return rows > 0 && columns > 0 ? { rows, columns } : undefined
}

/** What draws on a terminal has to know its kind: that of ours, which shows it. */
function withTerm(env: ProcessSpec['env'] = [`PATH=${DEFAULT_PATH}`]): ProcessSpec['env'] {
  const term = environment.TERM || 'xterm'
  if (!Array.isArray(env)) return { TERM: term, ...(env as Readonly<Record<string, string>>) }
  const list = env as readonly unknown[]
  return [`TERM=${term}`, ...(list as readonly string[])]
}
