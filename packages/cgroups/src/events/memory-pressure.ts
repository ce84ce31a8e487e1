import { ConfigInvalid, POLLERR, POLLPRI, poll, type Waiting } from '@libcontainer/sys'
import type { Place } from '../host/place.js'
import { readFileOf } from '../read.js'
import { listen, nextNotice, openNotices, openTrigger } from './notices.js'
import { EventStream } from './stream.js'

/** How hard it is to find memory: `low`, something is reclaimed; `medium`, work begins to wait; `critical`, out of memory is near. */
export type PressureLevel = 'low' | 'medium' | 'critical'

/**
 * v2 has stall times in place of levels: microseconds of waiting within 2 s, the shortest window that an ordinary user may ask for.
 * `some`: at least one process waits; `full`: all do, and nothing gets done.
 */
const triggers: Readonly<Record<PressureLevel, string>> = {
  low: 'some 100000 2000000',
  medium: 'some 500000 2000000',
  critical: 'full 500000 2000000',
}

export function checkPressureLevel(level: unknown): void {
  if (typeof level !== 'string' || !Object.hasOwn(triggers, level))
    throw new ConfigInvalid('level', level, `must be one of ${Object.keys(triggers).join(', ')}`)
}

/** Each time that a level is reached, until the cgroup is removed. Listens as soon as the promise resolves. */
export async function memoryPressure(
  place: Place,
  level: PressureLevel,
  waiting: Waiting = {},
): Promise<AsyncIterableIterator<PressureLevel>> {
  checkPressureLevel(level)
  if (place.hierarchy.version === 1) {
    waiting.signal?.throwIfAborted()
    return levels(place, level, waiting)
  }
  const trigger = await openTrigger(place, 'memory.pressure', triggers[level], waiting)
  return new EventStream(
    sink =>
      listen(trigger, sink, async options => {
        const goesOn = ((await poll(trigger.fd, POLLPRI, options)) & POLLERR) === 0
        if (goesOn) sink.tell(level, level)
        return goesOn
      }),
    waiting,
  )
}

const levels = (place: Place, level: PressureLevel, waiting: Waiting): AsyncIterableIterator<PressureLevel> =>
  new EventStream(sink => {
    const notices = openNotices(place, 'memory.pressure_level', level)
    return listen(notices, sink, async options => {
      await nextNotice(notices, options)
      // The removal is told, too.
      const isThere = (await readFileOf(place, 'memory.usage_in_bytes')) !== undefined
      if (isThere) sink.tell(level, level)
      return isThere
    })
  }, waiting)
