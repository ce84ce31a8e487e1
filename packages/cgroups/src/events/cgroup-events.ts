import { ConfigInvalid, isErrno, type Waiting } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { type CgroupPlaces, type Place, placeOf } from '../host/place.js'
import { readFilesNow } from '../read.js'
import { occupants } from './occupants.js'
import { type OomEvent, oomSource } from './oom-events.js'
import { freezerStates, type StateEvents, unifiedStates } from './state-events.js'
import { EventStream, type Sink, type Source } from './stream.js'
import { watchFiles } from './watch.js'

/** What happens to a cgroup. */
export type CgroupEvent =
  /** Out of memory: see {@link OomEvent}. */
  | ({ readonly type: 'oom' } & OomEvent)
  /** The first process came into it or below it, or the last has left or ended: told twice at times of one that is there for a moment only. */
  | StateEvents['populated']
  /** All its processes stand, or no more. */
  | StateEvents['frozen']
  /** It is gone: the last event. */
  | { readonly type: 'removed' }

/** What can be listened to. */
const eventTypes = ['oom', 'populated', 'frozen'] as const
export type CgroupEventType = (typeof eventTypes)[number]

export interface EventsOptions extends Waiting {
  /** Only these, and `removed`; one that this host cannot tell is an error. Default: all that it can */
  readonly types?: readonly CgroupEventType[] | undefined
}

/** What happens to many cgroups, with the one that it happens to; ends when all are gone. One that is gone already is told as `removed`. */
export function eventsOf<T extends CgroupPlaces>(
  cgroups: readonly T[],
  { types, signal }: EventsOptions = {},
): AsyncIterableIterator<CgroupEvent & { readonly cgroup: T }> {
  checkTypes(types)
  return new EventStream(
    sink => {
      const sources = cgroups.map(
        (cgroup, i): Source<never> =>
          all => {
            const own: Sink<CgroupEvent> = {
              ...all,
              tell: (kind, event) => sink.tell(`${i} ${kind}`, { ...event, cgroup }),
            }
            try {
              return eventSource(cgroup, types)(own)
            } catch (error) {
              if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
              own.tell('removed', { type: 'removed' })
              all.end()
              return () => undefined
            }
          },
      )
      return beginAll(sources, sink, () => sink.end())
    },
    { signal },
  )
}

/** What happens to one. */
export function cgroupEvents(of: CgroupPlaces, { types, signal }: EventsOptions): AsyncIterableIterator<CgroupEvent> {
  checkTypes(types)
  return new EventStream(eventSource(of, types), { signal })
}

function checkTypes(types: readonly unknown[] | undefined): void {
  for (const type of types ?? [])
    if (!eventTypes.includes(type as CgroupEventType))
      throw new ConfigInvalid('types', type, `must be one of ${eventTypes.join(', ')}`)
}

/** All that is to be told of one cgroup; `removed` when none of its directories that are watched is left. */
function eventSource(of: CgroupPlaces, types: readonly CgroupEventType[] | undefined): Source<CgroupEvent> {
  return sink =>
    beginAll(partsOf(of, types), sink, () => {
      sink.tell('removed', { type: 'removed' })
      sink.end()
    })
}

/** Begins all or none. @param ended - called when each of them has */
function beginAll<T>(sources: readonly Source<T>[], sink: Sink<T>, ended: () => void): () => void {
  const stops: (() => void)[] = []
  const stop = (): void => {
    for (const one of stops) one()
  }
  let left = sources.length
  const one: Sink<T> = {
    tell: (kind, news) => sink.tell(kind, news),
    fail: error => sink.fail(error),
    end: () => {
      if (--left === 0) ended()
    },
  }
  try {
    for (const source of sources) stops.push(source(one))
  } catch (error) {
    stop()
    throw error
  }
  if (sources.length === 0) ended()
  return stop
}

function partsOf(of: CgroupPlaces, types: readonly CgroupEventType[] | undefined): Source<CgroupEvent>[] {
  const wanted = (type: CgroupEventType): boolean => types === undefined || types.includes(type)
  const [populated, frozen, oom] = [wanted('populated'), wanted('frozen'), wanted('oom')]
  const parts: Source<CgroupEvent>[] = []
  const lacks = (type: CgroupEventType, controller: string): void => {
    if (types !== undefined) throw lacking(type, controller)
  }
  const unified = of.places.find(({ hierarchy }) => hierarchy.version === 2)
  if (unified !== undefined) {
    if (populated || frozen) parts.push(sink => unifiedStates(unified, { populated, frozen }, sink))
  } else {
    const freezer = placeOf(of, 'freezer')
    if (populated) parts.push(sink => occupants(of.places[0]!, sink))
    if (frozen && freezer !== undefined) parts.push(sink => freezerStates(freezer, sink))
    else if (frozen) lacks('frozen', 'freezer')
  }
  const memory = placeOf(of, 'memory')
  if (oom && memory !== undefined) parts.push(sink => oomOf(memory, sink, types !== undefined))
  else if (oom) lacks('oom', 'memory')
  if (parts.length === 0) parts.push(sink => removalOf(unified ?? of.places[0]!, sink))
  return parts
}

/** Of none of the types: nothing is told but the end. */
function removalOf(place: Place, sink: Sink<never>): () => void {
  return watchFiles(place, ['cgroup.procs'], {
    changed: () => undefined,
    gone: () => sink.end(),
    failed: error => sink.fail(error),
  })
}

/** A v2 cgroup may be there without this controller. */
function oomOf(memory: Place, sink: Sink<CgroupEvent>, asked: boolean): () => void {
  try {
    return oomSource(memory)({ ...sink, tell: (kind, event) => sink.tell(kind, { type: 'oom', ...event }) })
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || typeof readFilesNow([{ place: memory, file: 'cgroup.procs' }])[0] !== 'string')
      throw error
    if (asked) throw lacking('oom', 'memory')
    sink.end()
    return () => undefined
  }
}

const lacking = (type: CgroupEventType, controller: string): LimitUnsupported =>
  new LimitUnsupported(`events.${type}`, controller, `this cgroup has no ${controller} controller to tell it`)
