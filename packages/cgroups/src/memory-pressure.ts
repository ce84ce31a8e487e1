import { ConfigInvalid, type OwnedFd, POLLERR, POLLPRI, poll, type Waiting } from '@libcontainer/sys'
import { nextNotice, openNotices, openTrigger } from './notices.js'
import type { Place } from './place.js'
import { readFileOf } from './read.js'

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

export function checkPressureLevel(level: unknown): asserts level is PressureLevel {
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
  if (place.hierarchy.version === 1)
    return levels(place, level, openNotices(place, 'memory.pressure_level', level), waiting)
  return stalls(level, await openTrigger(place, 'memory.pressure', triggers[level]), waiting)
}

async function* levels(
  place: Place,
  level: PressureLevel,
  notices: OwnedFd,
  waiting: Waiting,
): AsyncIterableIterator<PressureLevel> {
  try {
    for (;;) {
      await nextNotice(notices, waiting)
      if ((await readFileOf(place, 'memory.usage_in_bytes')) === undefined) return
      yield level
    }
  } finally {
    notices.close()
  }
}

async function* stalls(
  level: PressureLevel,
  trigger: OwnedFd,
  { signal }: Waiting,
): AsyncIterableIterator<PressureLevel> {
  try {
    while (((await poll(trigger.fd, POLLPRI, { signal })) & POLLERR) === 0) yield level
  } finally {
    trigger.close()
  }
}
