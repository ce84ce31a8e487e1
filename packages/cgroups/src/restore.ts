import { SyscallError } from '@libcontainer/sys'
import { native } from './native.js'
import type { Planned, PlannedWrite } from './plan.js'
import { readFiles } from './read.js'
import { limitSteps } from './steps.js'

/**
 * Writes planned limits; when one is refused, those before it get back what they were.
 *
 * A file that cannot be read, or that holds more than one value, stays as it was written: `memory.reclaim`, device rules.
 */
export async function writeOrRestore(planned: readonly Planned[]): Promise<void> {
  const writes = planned.filter((act): act is PlannedWrite => 'file' in act)
  const before = await readFiles(writes.map(({ place, file }) => ({ place, file })))
  try {
    await native.apply(limitSteps(planned))
  } catch (error) {
    for (const [i, write] of [...writes.entries()].reverse()) await putBack(write, before[i]!)
    throw error
  }
}

async function putBack(write: PlannedWrite, text: string | number): Promise<void> {
  if (typeof text !== 'string' || text.trimEnd().includes('\n') || write.file.startsWith('devices.')) return
  try {
    await native.apply(limitSteps([{ ...write, value: text.trimEnd() }]))
  } catch (error) {
    // The first error tells more; this one may come of it, such as a limit that another does not let grow.
    if (!(error instanceof SyscallError)) throw error
  }
}
