import { killPidfd, POLLIN, poll, removeTree } from '@libcontainer/sys'
import { afterStop } from './after.js'
import { ContainerError } from './errors.js'
import type { Handle } from './handle.js'
import { openInit } from './init-process.js'
import { removeAtOnce } from './remove.js'
import { statusOf } from './status.js'
import { checkTransition } from './transitions.js'

export interface DestroyOptions {
  /** Kills what runs first. Default: false, and a running container is `ContainerNotStopped`. */
  readonly force?: boolean | undefined
}

/** Removes a container's cgroups and its directory. */
export async function destroy(handle: Handle, { force = false }: DestroyOptions = {}): Promise<void> {
  const { id, directory, init, state, text, drivers } = handle
  if (init?.ended && state !== undefined && (await removeAtOnce(drivers.cgroups, directory, state, text!))) {
    handle.forget()
    return await afterStop(handle)
  }
  try {
    await handle.locked(async text => {
      const status = await statusOf(handle.adopt(text))
      if (!force) checkTransition(id, status, 'stopped', { alive: status === 'running' || (await handle.alive()) })
      await handle.doing('cannot destroy', () => remove(handle))
    })
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    return
  }
  await afterStop(handle)
}

async function remove(handle: Handle): Promise<void> {
  const state = await handle.reload()
  const cgroup = await handle.cgroup()
  const init = state === undefined ? undefined : await openInit(state)
  try {
    if (init !== undefined) killPidfd(init)
    await cgroup?.kill()
    if (init !== undefined) await poll(init.fd, POLLIN)
  } finally {
    init?.close()
  }
  await handle.init?.wait()
  await cgroup?.destroy()
  await removeTree(handle.directory)
  handle.forget()
}
