import { POLLIN, poll, type Waiting } from '@libcontainer/sys'
import { ContainerError } from '../errors.js'
import type { Handle } from '../handle.js'
import type { Process, ProcessResult } from '../process.js'
import { openInit } from '../state/init-process.js'

export interface WaitOptions extends Waiting {
  /**
   * Kills what lives on in the container when its first process has ended: with a pid namespace of its own the kernel does that, with a
   * shared one nobody does before `destroy`. Default: false.
   */
  readonly killRest?: boolean | undefined
}

/** Waits for the first process, which must be a child of this one. */
export async function waitFirst(handle: Handle, { killRest = false, signal }: WaitOptions): Promise<ProcessResult> {
  const result = await child(handle, 'waited for').wait({ signal })
  if (killRest && !handle.ownPids) {
    const cgroup = await handle.cgroup()
    await handle.doing('cannot kill what is left of', async () => await cgroup?.kill())
  }
  return result
}

/** Kills the first process, which must be a child of this one. */
export async function terminateFirst(handle: Handle, options: WaitOptions): Promise<ProcessResult> {
  const init = child(handle, 'terminated')
  if (!init.ended) init.signal('SIGKILL')
  const cgroup = await handle.cgroup()
  if (cgroup !== undefined && (await cgroup.freezerState()) !== 'THAWED') await cgroup.thaw()
  return await waitFirst(handle, options)
}

/** Waits until the first process has ended, whoever its parent is; at once when there is none. */
export async function awaitEnd(handle: Handle, { signal }: Waiting): Promise<void> {
  const state = await handle.reload()
  const init = state === undefined ? undefined : await openInit(state)
  if (init === undefined) return
  try {
    await poll(init.fd, POLLIN, { signal })
  } finally {
    init.close()
  }
}

function child({ id, init }: Handle, what: string): Process {
  if (init !== undefined) return init
  throw new ContainerError(
    'ProcessNotExecuted',
    `the first process of '${id}' was not started here, and cannot be ${what}`,
    {
      hint: 'ended() waits for whoever started it, and signal() reaches it',
    },
  )
}
