import { type Invocation, isOn } from '@libcontainer/cli'
import { ownTerminalSize } from '@libcontainer/cli/foreground'
import type { ProcessDefaults } from '@libcontainer/container'
import { DEFAULT_PATH, type ProcessSpec } from '@libcontainer/container'
import { ConfigInvalid, environment } from '@libcontainer/sys'

/** The program that a command line asks for, without its streams: its own words first, then those of the config, else a shell. */
export async function programOf(invocation: Invocation, config: ProcessDefaults): Promise<ProcessSpec> {
  const { operands, flags } = invocation
  const defaults = applyProcessFlags(config, invocation)
  const args = operands.length > 0 ? operands : (defaults.args ?? ['/bin/sh'])
  const wantsTerminal = flags.has('tty') ? isOn(invocation, 'tty') : Boolean(defaults.terminal)
  const { terminal: size, ...rest } = defaults
  if (!wantsTerminal) return { ...rest, args }
  const terminal = (await ownTerminalSize()) ?? size ?? true
  return { ...rest, args, env: withTerm(defaults.env), terminal: terminal === false ? true : terminal }
}

/** `--user`, `--cwd` and `--env`, whose variables come besides those of the config. */
function applyProcessFlags(defaults: ProcessDefaults, { flags, lists }: Invocation): ProcessDefaults {
  const [user, cwd] = [flags.get('user'), flags.get('cwd')]
  return {
    ...defaults,
    ...(user ? { user } : {}),
    ...(cwd ? { cwd } : {}),
    ...(lists.has('env') ? { env: withVariables(defaults.env, lists.get('env')!) } : {}),
  }
}

function withVariables(
  env: ProcessSpec['env'] = [`PATH=${DEFAULT_PATH}`],
  given: readonly string[],
): ProcessSpec['env'] {
  const wrong = given.find(entry => entry.indexOf('=') < 1)
  if (wrong !== undefined) throw new ConfigInvalid('--env', wrong, 'must be NAME=value')
  const list = Array.isArray(env) ? (env as readonly string[]) : Object.entries(env).map(each => each.join('='))
  // Of two entries with one name the last counts.
  return [...list, ...given]
}

/** What draws on a terminal has to know its kind: that of ours, which shows it. */
function withTerm(env: ProcessSpec['env'] = [`PATH=${DEFAULT_PATH}`]): ProcessSpec['env'] {
  const term = environment.TERM || 'xterm'
  if (!Array.isArray(env)) return { TERM: term, ...(env as Readonly<Record<string, string>>) }
  const list = env as readonly unknown[]
  return [`TERM=${term}`, ...(list as readonly string[])]
}
