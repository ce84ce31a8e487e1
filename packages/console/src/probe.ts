import { ids, type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { findTerminal, newConsole } from './pty.js'

/** Whether this host gives this process a new terminal (`pty`), and whether it has one itself (`terminal`). */
export async function probe(): Promise<Probe<'pty' | 'terminal'>> {
  return await probeEach({
    pty: async () => {
      const { euid, egid } = ids()
      const made = await newConsole(euid, egid)
      made.close()
      return made.path
    },
    terminal: async () => {
      const terminal = await findTerminal()
      if (terminal === undefined)
        return unavailable('none of the standard streams is a terminal, and there is no /dev/tty')
      terminal.close()
      return { available: true }
    },
  })
}
