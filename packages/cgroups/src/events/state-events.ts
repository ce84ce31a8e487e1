import type { Place } from '../host/place.js'
import { parseFlat } from '../read.js'
import { type Follower, follow } from './follow.js'
import type { Sink } from './stream.js'

export interface StateEvents {
  readonly populated: { readonly type: 'populated'; readonly populated: boolean }
  readonly frozen: { readonly type: 'frozen'; readonly frozen: boolean }
}

export type StateSink = Sink<StateEvents['populated'] | StateEvents['frozen']>

const ends = (sink: StateSink): Pick<Follower, 'gone' | 'failed'> => ({
  gone: () => sink.end(),
  failed: error => sink.fail(error),
})

/** v2's cgroup.events: whether there are processes in it or below it, and whether they all stand. */
export function unifiedStates(
  place: Place,
  types: { populated: boolean; frozen: boolean },
  sink: StateSink,
): () => void {
  let before = new Map<string, number>()
  return follow(place, ['cgroup.events'], {
    first: ([text]) => {
      before = parseFlat(text!)
      return undefined
    },
    next: ([text]) => {
      const now = parseFlat(text!)
      const [populated, frozen] = [now.get('populated') === 1, now.get('frozen') === 1]
      const same = [...now].every(([key, value]) => before.get(key) === value)
      // Somebody came and went between two looks: who waits for it to be empty has to be told as well.
      if (types.populated && (populated !== (before.get('populated') === 1) || (same && !populated)))
        sink.tell('populated', { type: 'populated', populated })
      if (types.frozen && frozen !== (before.get('frozen') === 1)) sink.tell('frozen', { type: 'frozen', frozen })
      before = now
      return undefined
    },
    ...ends(sink),
  })
}

/** Between two looks at a v1 cgroup that is about to stand, in milliseconds. */
const [SOON, LATE] = [5, 1000]

/**
 * v1's freezer.state: a write to it is told. Whether all stand the kernel finds out when it is asked, and tells nobody: so while they are about to,
 * it is asked, ever less often. What a cgroup above does is not told.
 */
export function freezerStates(place: Place, sink: StateSink): () => void {
  let before = ''
  let pause = SOON
  return follow(place, ['freezer.state'], {
    first: ([text]) => {
      before = text!.trim()
      return before === 'FREEZING'
    },
    next: ([text]) => {
      const now = text!.trim()
      if (now === 'FREEZING') {
        pause = Math.min(pause * 2, LATE)
        return pause
      }
      pause = SOON
      if (now !== before) sink.tell('frozen', { type: 'frozen', frozen: now === 'FROZEN' })
      before = now
      return undefined
    },
    ...ends(sink),
  })
}
