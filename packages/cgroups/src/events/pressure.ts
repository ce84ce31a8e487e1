import { ConfigInvalid, POLLERR, POLLPRI, poll, type Waiting } from '@libcontainer/sys'
import type { Place } from '../host/place.js'
import { readFileOf } from '../read.js'
import { type Pressure, parsePressure } from '../stats/source.js'
import { listen, openTrigger } from './notices.js'
import { EventStream } from './stream.js'

const resources = ['cpu', 'memory', 'io', 'irq'] as const
const kinds = ['some', 'full'] as const

/** What tasks wait for. `irq`, the time that interrupts take from them, is Linux 6.1, and knows `full` alone. */
export type PressureResource = (typeof resources)[number]

/** `some`: at least one task waits; `full`: all do, and nothing gets done. */
export type PressureKind = (typeof kinds)[number]

/** In microseconds: the longest window that the kernel watches. */
const LONGEST = 10_000_000

/** The trigger as PSI wants it written. Pure. @throws {ConfigInvalid} for what no kernel takes */
export function pressureTrigger(
  resource: PressureResource,
  kind: PressureKind,
  stallUs: number,
  windowUs: number,
): string {
  if (!resources.includes(resource))
    throw new ConfigInvalid('resource', resource, `must be one of ${resources.join(', ')}`)
  if (!kinds.includes(kind)) throw new ConfigInvalid('kind', kind, `must be one of ${kinds.join(', ')}`)
  if (resource === 'irq' && kind === 'some') throw new ConfigInvalid('kind', kind, "of irq there is 'full' alone")
  if (!Number.isSafeInteger(windowUs) || windowUs < 1 || windowUs > LONGEST)
    throw new ConfigInvalid('windowUs', windowUs, `must be a number of microseconds up to ${LONGEST}`)
  if (!Number.isSafeInteger(stallUs) || stallUs < 1 || stallUs > windowUs)
    throw new ConfigInvalid('stallUs', stallUs, 'must be a number of microseconds, no more than the window')
  return `${kind} ${stallUs} ${windowUs}`
}

/** The pressure each time that a trigger of a v2 cgroup fires, at most once a window, until the cgroup is removed. */
export async function pressureEvents(
  place: Place,
  resource: PressureResource,
  trigger: string,
  waiting: Waiting,
): Promise<AsyncIterableIterator<Pressure>> {
  const file = `${resource}.pressure`
  // The kernel keeps one trigger for each open file.
  const fd = await openTrigger(place, file, trigger, waiting)
  return new EventStream(
    sink =>
      listen(fd, sink, async options => {
        if (((await poll(fd.fd, POLLPRI, options)) & POLLERR) !== 0) return false
        const pressure = parsePressure(await readFileOf(place, file))
        if (pressure !== undefined) sink.tell(resource, pressure)
        return pressure !== undefined
      }),
    waiting,
  )
}
