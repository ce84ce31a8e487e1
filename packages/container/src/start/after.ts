import { killPidfd } from '@libcontainer/sys'
import { PoststopError, systemError } from '../errors.js'
import type { Handle } from '../handle.js'
import { sendSignal } from '../running/signal.js'
import { awaitEnd } from '../running/wait.js'
import { openInit } from '../state/init-process.js'
import { type OciState, ociState } from '../state/oci-state.js'
import { runAllHooks, runHooks } from './hooks.js'

/** What follows when the program of a container runs: listeners hear of it, and hooks run. One that fails ends the container. */
export async function afterStart(handle: Handle): Promise<void> {
  const { state } = handle
  if (state === undefined) return
  handle.events.emit({ type: 'start', pid: state.init_process_pid })
  handle.watch({ anew: true })
  const hooks = handle.hooks('poststart')
  if (hooks.length === 0) return
  try {
    await runHooks('poststart', hooks, stateFor(handle, 'running'), { output: handle.config.hookOutput })
  } catch (error) {
    await endAll(handle)
    throw systemError(`cannot start '${handle.id}'`, error)
  }
}

/** What follows when a container is removed. */
export async function afterStop(handle: Handle): Promise<void> {
  await handle.tellRemoval()
  const hooks = handle.hooks('poststop')
  if (hooks.length === 0) return
  try {
    await runAllHooks('poststop', hooks, stateFor(handle, 'stopped'), { output: handle.config.hookOutput })
  } catch (cause) {
    throw new PoststopError('SystemError', `removed '${handle.id}', but ${(cause as Error).message}`, { cause })
  }
}

const stateFor = ({ id, config, state }: Handle, status: 'running' | 'stopped'): OciState =>
  ociState({ id, labels: config.labels, state, status })

/** Kills the container, and reaps its first process where that is our child. */
async function endAll(handle: Handle): Promise<void> {
  const init = handle.state === undefined ? undefined : await openInit(handle.state)
  try {
    if (init !== undefined) {
      await sendSignal(handle, 'KILL', {}).catch(() => killPidfd(init))
      await awaitEnd(handle, {})
    }
  } finally {
    init?.close()
  }
  await handle.init?.wait()
}
