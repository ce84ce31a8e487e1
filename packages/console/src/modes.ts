import { ConfigInvalid, kernelString } from '@libcontainer/sys'

/** A program's standard streams as its caller asks for them. */
export interface StdioRequest {
  /** A new terminal, else the caller's own streams. */
  readonly terminal: boolean
  /** The caller goes on (or ends) while the program runs: `create`, and what is called with `--detach`. */
  readonly detached: boolean
  /** The socket that the master of the terminal is sent over. */
  readonly consoleSocket?: string | undefined
  /** What asks for the terminal, for the message of an error. Default: `process.terminal`; for a further process `--tty`. */
  readonly terminalField?: string | undefined
  /** Which of the caller's own standard input, output and error are a terminal: {@link isTerminal}. Default: none. */
  readonly ownTerminals?: readonly [boolean, boolean, boolean] | undefined
}

/** One of the four ways in which a program gets its standard streams. */
export interface StdioMode {
  /**
   * - `relay`: foreground, new terminal. The caller keeps the master and passes its own terminal on to it.
   * - `socket`: detached, new terminal. The master goes over {@link consoleSocket}.
   * - `carry`: foreground, no terminal. The caller's streams; a pipe, which the caller carries, in place of each that is a terminal.
   * - `inherit`: detached, no terminal. The caller's streams as they are.
   */
  readonly kind: 'relay' | 'socket' | 'carry' | 'inherit'
  /** Where the master goes: with `socket` alone. */
  readonly consoleSocket: string | undefined
  /** What the program gets for each stream; `undefined` with a terminal, which is all three. */
  readonly stdio: readonly [PassedStream, PassedStream, PassedStream] | undefined
  /** What the caller should be told, though it is done: the program gets hold of the caller's own terminal. */
  readonly warning: string | undefined
}

/** `pipe`: the caller's own is a terminal, and the program gets a pipe that the caller carries. */
export type PassedStream = 'inherit' | 'pipe'

/**
 * Decides how a program gets its standard streams: new terminal or the caller's streams, in the foreground or detached. Pure.
 *
 * A terminal of the caller is never given to a program in the foreground: with it the program could push characters into the input of the
 * shell that it was started from (TIOCSTI of ioctl_tty(2)). Detached there is nobody to carry, so it is, with a warning.
 *
 * @throws {ConfigInvalid} for a combination that has no meaning, with the modes that have
 */
export function stdioMode(request: StdioRequest): StdioMode {
  const { terminal, detached, consoleSocket, terminalField = 'process.terminal', ownTerminals = NONE } = request
  if (consoleSocket !== undefined) checkSocket(consoleSocket, terminal, detached, terminalField)
  if (terminal && !detached) return mode('relay')
  if (terminal) {
    if (consoleSocket === undefined) {
      const other =
        'stay in the foreground, where it is relayed, or ask for no terminal, which passes the own streams on'
      throw new ConfigInvalid(
        terminalField,
        terminal,
        `detached, a new terminal needs a holder: give --console-socket; or ${other}`,
      )
    }
    return { ...mode('socket'), consoleSocket }
  }
  const [input, output, error] = ownTerminals
  if (!detached) return { ...mode('carry'), stdio: [pass(input), pass(output), pass(error)] }
  return { ...mode('inherit'), stdio: ['inherit', 'inherit', 'inherit'], warning: heldTerminal(ownTerminals) }
}

const NONE = [false, false, false] as const
const names = ['standard input', 'standard output', 'standard error']

const mode = (kind: StdioMode['kind']): StdioMode => ({
  kind,
  consoleSocket: undefined,
  stdio: undefined,
  warning: undefined,
})

const pass = (ownTerminal: boolean): PassedStream => (ownTerminal ? 'pipe' : 'inherit')

function checkSocket(path: string, terminal: boolean, detached: boolean, terminalField: string): void {
  const refuse = (problem: string): never => {
    throw new ConfigInvalid('--console-socket', path, problem)
  }
  if (path === '') refuse('must be the path of a socket')
  kernelString(path, '--console-socket')
  if (!terminal)
    refuse(`there is no terminal to send over it: set ${terminalField}, or leave it out and pass the own streams on`)
  if (!detached)
    refuse('the terminal is relayed in the foreground: add --detach to send it away, or leave the socket out')
}

function heldTerminal(ownTerminals: readonly boolean[]): string | undefined {
  const held = names.filter((_, i) => ownTerminals[i])
  if (held.length === 0) return undefined
  return (
    `${held.join(' and ')} of the program is this terminal, into whose input it could push characters (TIOCSTI): ` +
    'redirect it, or use a terminal of its own with --console-socket'
  )
}
