import { isErrno, readProc, readText, SyscallError } from '@libcontainer/sys'
import { describeHost } from '../host/host.js'
import { type Place, placeAt } from '../host/place.js'
import { native } from '../native.js'
import { joinSteps } from '../steps.js'
import { listProcesses } from './processes.js'

const EBUSY = 16
/** A process that forks while it is moved leaves a child behind, which the next round takes. */
const ROUNDS = 100

/** Moves the processes of places, not of those below, into other places of the same hierarchies. @param stay - those who are left where they are */
export async function moveAll(
  from: readonly Place[],
  to: readonly Place[],
  stay: ReadonlySet<number> = new Set(),
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const lists = await Promise.all(from.map(place => listProcesses(place, false)))
    // Pid 0 is a process outside our pid namespace, which we cannot move.
    const steps = to.flatMap((place, i) =>
      lists[i]!.filter(pid => pid > 0 && !stay.has(pid)).map(pid => ({
        ...joinSteps(pid, [place])[0]!,
        onError: { ESRCH: 'skip' as const },
      })),
    )
    if (steps.length === 0) return
    try {
      await native.apply(steps)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENODEV')) return
      throw error
    }
  }
  throw new SyscallError(EBUSY, 'write', {
    path: from[0]?.directory,
    hint: 'new processes come faster than they can be moved: freeze() it first',
  })
}

/** Moves a process into all places, or into none: when one refuses it, it goes back to where it was in those before. */
export async function moveInto(pid: number, places: readonly Place[]): Promise<void> {
  // Afterwards nobody could tell. One that has ended is refused by its move.
  const cgroup = readProc(`/proc/${pid}/cgroup`)
  try {
    await native.apply(joinSteps(pid, places))
  } catch (error) {
    if (cgroup !== undefined) await putBack(pid, places, cgroup)
    throw error
  }
}

/** @param cgroup - the text of its /proc/PID/cgroup, from before */
async function putBack(pid: number, places: readonly Place[], cgroup: string): Promise<void> {
  const { hierarchies } = describeHost({
    mountinfo: await readText('/proc/self/mountinfo'),
    cgroup,
    controllers: () => '',
  })
  for (const { hierarchy } of places) {
    const before = hierarchies.find(({ mountpoint }) => mountpoint === hierarchy.mountpoint)
    // What it came from may be gone meanwhile, and it may have ended: the first error is the one to tell.
    if (before === undefined) continue
    await native.apply(joinSteps(pid, [placeAt(hierarchy, before.own)])).catch(() => undefined)
  }
}
