import type { OwnedFd, Waiting } from '@libcontainer/sys'
import { nextNotice, openNotices } from './notices.js'
import type { Place } from './place.js'
import { parseFlat, readFileOf } from './read.js'

/** The kernel had no memory left for a cgroup. */
export interface OomEvent {
  /** How many processes of it the OOM killer has ended so far. With v1 it may still be about to end the next. */
  readonly kills: number
}

/** Each time that the cgroup is out of memory, until it is removed. Begins to listen when it is called, not when it is read. */
export function oomEvents(place: Place, waiting: Waiting = {}): AsyncIterableIterator<OomEvent> {
  return follow(place, openNotices(place, oomFile(place)), waiting)
}

export const oomFile = ({ hierarchy }: Place): string =>
  hierarchy.version === 1 ? 'memory.oom_control' : 'memory.events'

async function* follow(place: Place, notices: OwnedFd, waiting: Waiting): AsyncIterableIterator<OomEvent> {
  try {
    let before = place.hierarchy.version === 1 ? -1 : await killsOf(place)
    while (before !== undefined) {
      const came = await nextNotice(notices, waiting)
      const kills = await killsOf(place)
      if (kills === undefined) {
        // v1 tells of the removal itself, once: what came with it was want of memory.
        if (came > 1) yield { kills: Math.max(before, 0) }
        return
      }
      // v2's file tells of much else; v1's notice comes before the kill is counted.
      if (kills > before || place.hierarchy.version === 1) yield { kills }
      before = kills
    }
  } finally {
    notices.close()
  }
}

/** `undefined` when the cgroup is gone. */
async function killsOf(place: Place): Promise<number | undefined> {
  const text = await readFileOf(place, oomFile(place))
  return text === undefined ? undefined : (parseFlat(text).get('oom_kill') ?? 0)
}
