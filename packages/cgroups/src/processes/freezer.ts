import { ConfigInvalid, checked, LibcontainerError, type Step } from '@libcontainer/sys'
import { awaitEvent, type Bound } from '../events/wait.js'
import { fileIn, type Place } from '../host/place.js'
import { native } from '../native.js'
import { readFiles } from '../read.js'

export type FreezerState = 'THAWED' | 'FREEZING' | 'FROZEN'

/** The places by which a cgroup is stopped: the unified one wherever there is one, since v1's freezer tells nobody when it is done. */
export interface Freezers {
  readonly unified: Place | undefined
  readonly v1: Place | undefined
}

export function freezersOf(places: readonly Place[]): Freezers {
  return {
    unified: places.find(({ hierarchy }) => hierarchy.version === 2),
    v1: places.find(({ hierarchy }) => hierarchy.version === 1 && hierarchy.controllers.includes('freezer')),
  }
}

const noFreezer = (): LibcontainerError =>
  new LibcontainerError('NotFound', 'the cgroup cannot be frozen: neither cgroup v2 nor the freezer of v1 is mounted')

/** Stops every process of the cgroup; thaws it again when that takes longer than the bound. */
export async function freeze(freezers: Freezers, bound: Bound): Promise<void> {
  const { unified, v1 } = freezers
  bound.signal?.throwIfAborted()
  if (unified === undefined) {
    if (v1 === undefined) throw noFreezer()
    const result = await native.async.freezeCgroup1(v1.hierarchy.mountpoint, v1.path)
    checked(result, 'freezeCgroup1', v1.directory, {
      hint: 'a process is in the kernel and cannot stop now (state D in ps)',
    })
    return
  }
  let frozen = false
  try {
    await native.apply([freezeStep(unified, true)])
    frozen = await awaitEvent(unified, 'frozen', 1, bound)
  } finally {
    if (!frozen) await native.apply([freezeStep(unified, false)])
  }
  if (frozen) return
  throw new LibcontainerError(
    'ETIMEDOUT',
    `${unified.directory} was not frozen within ${bound.timeoutMs} ms, and was thawed again`,
    {
      hint: 'a process is in the kernel and cannot stop now (state D in ps)',
    },
  )
}

/** Lets it run again, in both worlds: whichever of them stopped it. */
export async function thaw(freezers: Freezers): Promise<void> {
  const steps = thawSteps(freezers)
  if (steps.length === 0) throw noFreezer()
  await native.apply(steps)
}

export function thawSteps({ unified, v1 }: Freezers): Step[] {
  const steps: Step[] = []
  if (unified !== undefined) steps.push(freezeStep(unified, false))
  if (v1 !== undefined) steps.push(write(v1, 'freezer.state', 'THAWED', 'thaw'))
  return steps
}

const freezeStep = (place: Place, frozen: boolean): Step =>
  write(place, 'cgroup.freeze', frozen ? '1' : '0', frozen ? 'freeze' : 'thaw')

/** Thawing a cgroup that is gone is done already. */
function write(place: Place, file: string, value: string, verb: string): Step {
  const step: Step = {
    op: 'writeCgroup',
    args: [place.hierarchy.mountpoint, fileIn(place, file), value],
    about: `${verb} ${place.directory}`,
    path: `${place.directory}/${file}`,
  }
  return verb === 'thaw' ? { ...step, onError: { ENOENT: 'skip', ENODEV: 'skip' } } : step
}

/** What both freezers say: `FROZEN` if either has stopped the cgroup by its own word. */
export async function freezerState({ unified, v1 }: Freezers): Promise<FreezerState> {
  const files = [
    ...(unified === undefined
      ? []
      : [
          { place: unified, file: 'cgroup.freeze' },
          { place: unified, file: 'cgroup.events' },
        ]),
    ...(v1 === undefined
      ? []
      : [
          { place: v1, file: 'freezer.self_freezing' },
          { place: v1, file: 'freezer.state' },
        ]),
  ]
  const texts = (await readFiles(files)).map(text => (typeof text === 'string' ? text.trim() : ''))
  const [asked, events] = unified === undefined ? [] : texts.splice(0, 2)
  const [asked1, state1] = texts
  const states: FreezerState[] = []
  if (asked === '1') states.push(events!.includes('frozen 1') ? 'FROZEN' : 'FREEZING')
  // FROZEN with self_freezing 0 is a parent's doing.
  if (asked1 === '1') states.push(state1 === 'FROZEN' ? 'FROZEN' : 'FREEZING')
  return states.includes('FROZEN') ? 'FROZEN' : (states[0] ?? 'THAWED')
}

export function checkFreezerState(value: unknown): void {
  if (value !== 'FROZEN' && value !== 'THAWED')
    throw new ConfigInvalid('freezer', value, "must be 'FROZEN' or 'THAWED'")
}
