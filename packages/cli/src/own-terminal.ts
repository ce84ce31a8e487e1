import { findTerminal, getWindowSize, isTerminal } from '@libcontainer/console'
import type { TerminalSize } from '@libcontainer/container'

/** The size of the terminal that this program sits at, where there is one that knows its size. */
export async function ownTerminalSize(): Promise<TerminalSize | undefined> {
  const terminal = await findTerminal()
  if (terminal === undefined) return undefined
  const { rows, columns } = getWindowSize(terminal.fd)
  terminal.close()
  return rows > 0 && columns > 0 ? { rows, columns } : undefined
}

/** Which of our standard streams are a terminal. */
export const ownTerminals = (): [boolean, boolean, boolean] => [isTerminal(0), isTerminal(1), isTerminal(2)]
