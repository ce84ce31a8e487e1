import type { Process } from '@libcontainer/container'
import { onSignals, reapOthers, setSubreaper } from '@libcontainer/sys'

const SIGCHLD = 17

/**
 * Makes this process the parent of what its program leaves behind, where that has no pid 1 of its own to be so: without it, it would be nobody's
 * whom the caller knows.
 *
 * @returns reaps what ends from now on beside the program, which has been started
 */
export function becomeSubreaper(): (program: Process) => void {
  setSubreaper(true)
  return program => {
    const reap = (): void => {
      if (!program.pidfd.closed) reapOthers(program.pidfd)
    }
    const reaping = onSignals([SIGCHLD], reap)
    void program.wait().finally(() => reaping.stop())
    reap()
  }
}
