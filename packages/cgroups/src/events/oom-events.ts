import type { Place } from '../host/place.js'
import { parseFlat, readFileOf, readFilesNow } from '../read.js'
import { follow } from './follow.js'
import { listen, nextNotice, openNotices } from './notices.js'
import type { Source } from './stream.js'

/** The kernel had no memory left for a cgroup. */
export interface OomEvent {
  /** How many processes of it the OOM killer has ended so far. With v1 it may still be about to end the next. */
  readonly kills: number
  /** How often it has ended all of them together, for `oomGroup`: Linux 5.17, v2. */
  readonly groupKills?: number | undefined
}

/**
 * Each time that a cgroup is out of memory, until it is removed. v1 tells whenever memory has run out, also when nothing is killed for it; v2 when
 * something was killed, not for each attempt.
 */
export const oomSource =
  (place: Place): Source<OomEvent> =>
  sink =>
    (place.hierarchy.version === 1 ? listenV1 : followV2)(place, sink)

type Begin = (place: Place, sink: Parameters<Source<OomEvent>>[0]) => () => void

const followV2: Begin = (place, sink) => {
  let before = 0
  return follow(place, ['memory.events'], {
    first: ([text]) => {
      before = killsIn(text!).kills
      return undefined
    },
    next: ([text]) => {
      const event = killsIn(text!)
      // The file tells of much else.
      if (event.kills > before) sink.tell('oom', event)
      before = event.kills
      return undefined
    },
    gone: () => sink.end(),
    failed: error => sink.fail(error),
  })
}

const listenV1: Begin = (place, sink) => {
  const notices = openNotices(place, 'memory.oom_control')
  const [text] = readFilesNow([{ place, file: 'memory.oom_control' }])
  let before = typeof text === 'string' ? killsIn(text).kills : 0
  return listen(notices, sink, async waiting => {
    const came = await nextNotice(notices, waiting)
    const now = await readFileOf(place, 'memory.oom_control')
    if (now !== undefined) before = killsIn(now).kills
    // The removal is told, too, once: what came with it was want of memory.
    if (now !== undefined || came > 1) sink.tell('oom', { kills: before })
    return now !== undefined
  })
}

/** Of v2's memory.events or v1's memory.oom_control. Pure. */
export function killsIn(text: string): OomEvent {
  const counts = parseFlat(text)
  const groupKills = counts.get('oom_group_kill')
  return { kills: counts.get('oom_kill') ?? 0, ...(groupKills !== undefined && { groupKills }) }
}
