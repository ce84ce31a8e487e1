import { SyscallError } from '@libcontainer/sys'
import { native } from '../native.js'
import { readFiles } from '../read.js'
import { limitSteps } from '../steps.js'
import type { Planned, PlannedWrite } from './plan.js'

/**
 * Writes planned limits; when one is refused, those before it get back what they were.
 *
 * A file that cannot be read, or of whose lines none is the one that was written, stays as it was written: device rules.
 */
export async function writeOrRestore(planned: readonly Planned[]): Promise<void> {
  const writes = planned.flatMap(act => ('file' in act ? namesOf(act) : []))
  const before = await readFiles(writes)
  try {
    await native.apply(limitSteps(planned))
  } catch (error) {
    const back = [...writes.entries()].reverse()
    // BFQ forgets the weights of disks when it is told that of all.
    for (const last of [false, true])
      for (const [i, write] of back) if (WEIGHTS.test(write.file) === last) await putBack(write, before[i]!)
    throw error
  }
}

/** The write, and the one in its place where there is no such file. */
const namesOf = ({ otherwise, skip: _, confirm: __, ...write }: PlannedWrite): PlannedWrite[] =>
  otherwise === undefined ? [write] : [write, { ...write, ...otherwise }]

async function putBack(write: PlannedWrite, text: string | number): Promise<void> {
  if (typeof text !== 'string' || write.file.startsWith('devices.')) return
  const value = formerValue(write, text)
  if (value === undefined) return
  try {
    await native.apply(limitSteps([{ ...write, value }]))
  } catch (error) {
    // The first error tells more; this one may come of it, such as a limit that another does not let grow.
    if (!(error instanceof SyscallError)) throw error
  }
}

/** Files with a line for each disk, device or interface, and what a line says when there is none. */
const LINES: readonly (readonly [file: RegExp, absent: string])[] = [
  [/^io\.max$/, 'rbps=max wbps=max riops=max wiops=max'],
  [/^io\.latency$/, 'target=0'],
  [/^blkio\.throttle\..*_device$/, '0'],
  [/^blkio\.(leaf_)?weight_device$/, '0'],
  [/^rdma\.max$/, 'hca_handle=max hca_object=max'],
  [/^misc\.max$/, 'max'],
  [/^net_prio\.ifpriomap$/, '0'],
]

/** Files with the weight of all disks, and those of some. */
const WEIGHTS = /^(io\.(bfq\.)?weight|blkio\.bfq\.weight_device)$/

/** What brings a file back to what it said, as far as a write changed it. */
function formerValue({ file, value }: PlannedWrite, text: string): string | undefined {
  if (WEIGHTS.test(file)) {
    const [disk] = /^\d+:\d+ /.exec(value) ?? []
    return `${disk === undefined ? '' : `${disk}default\n`}${text.trimEnd()}`
  }
  const absent = LINES.find(([pattern]) => pattern.test(file))?.[1]
  if (absent === undefined) return text.trimEnd().includes('\n') ? undefined : text.trimEnd()
  const key = value.slice(0, value.indexOf(' ') + 1)
  return text.split('\n').find(line => line.startsWith(key)) ?? key + absent
}
