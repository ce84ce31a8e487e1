import { sleep } from '@libcontainer/sys'
import { awaitEvent, type Bound } from './events/wait.js'
import { listOf, type Place } from './host/place.js'
import { native } from './native.js'
import { removeStep } from './steps.js'

const EBUSY = -16

/**
 * Removes the directories of a cgroup with all below them. While processes are still ending it waits for the kernel to say that the
 * unified one is empty; where there is none it tries again at growing distances.
 */
export async function removeAll(places: readonly Place[], { timeoutMs, signal }: Bound): Promise<void> {
  if (places.length === 0) return
  const list = listOf(places)
  const unified = places.find(({ hierarchy }) => hierarchy.version === 2)
  for (let pause = 1, left = timeoutMs; ; pause *= 2) {
    signal?.throwIfAborted()
    const result = await native.async.removeCgroups(list)
    if (result === 0) return
    // The last try, whose error tells which directory and which call.
    if (result !== EBUSY || left <= 0) return await native.apply([removeStep(places)])
    if (pause === 1 && unified !== undefined && !(await awaitEvent(unified, 'populated', 0, { timeoutMs, signal }))) {
      left = 0
      continue
    }
    // A process leaves its cgroups a moment before its last task is off them.
    const wait = Math.min(pause, left)
    await sleep(wait, { signal })
    left -= wait
  }
}
