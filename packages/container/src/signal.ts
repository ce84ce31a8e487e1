import { isErrno, signalNumber, signalPidfd } from '@libcontainer/sys'
import { systemError } from './errors.js'
import type { Handle } from './handle.js'
import { openInit } from './init-process.js'

const SIGKILL = 9

/** Sends a signal to the first process, or by KILL to all where they would live on without it. */
export async function sendSignal(handle: Handle, signal: string | number): Promise<void> {
  const number = signalNumber(signal)
  const state = await handle.reload()
  const init = state === undefined ? undefined : await openInit(state)
  if (init === undefined) throw handle.notRunning()
  try {
    const cgroup = await handle.cgroup()
    if (number === SIGKILL && !handle.ownPids) await cgroup?.kill()
    else {
      // A frozen process of cgroup v1 does not even die.
      const frozen = number === SIGKILL && cgroup !== undefined && (await cgroup.freezerState()) !== 'THAWED'
      signalPidfd(init, number)
      if (frozen) await cgroup.thaw()
    }
  } catch (error) {
    if (isErrno(error, 'ESRCH')) throw handle.notRunning()
    throw systemError(`cannot signal '${handle.id}'`, error)
  } finally {
    init.close()
  }
}
