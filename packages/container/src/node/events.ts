import { EventEmitter } from 'node:events'
import type { Container } from '../container.js'
import type { ContainerEvent } from '../running/events.js'

/** The events of a container as Node.js has them: named by their `type`, and `error` when they end otherwise than by `destroyed`. */
export interface ContainerEventMap {
  start: [Extract<ContainerEvent, { type: 'start' }>]
  exit: [Extract<ContainerEvent, { type: 'exit' }>]
  oom: [Extract<ContainerEvent, { type: 'oom' }>]
  paused: [Extract<ContainerEvent, { type: 'paused' }>]
  resumed: [Extract<ContainerEvent, { type: 'resumed' }>]
  destroyed: [Extract<ContainerEvent, { type: 'destroyed' }>]
  error: [Error]
}

/** An EventEmitter view of `container.events()`, from now until `destroyed`, or until `signal`. */
export function containerEvents(
  container: Pick<Container, 'events'>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): EventEmitter<ContainerEventMap> {
  const emitter = new EventEmitter<ContainerEventMap>()
  const events = container.events({ signal })
  const follow = async (): Promise<void> => {
    for await (const event of events) (emitter as EventEmitter).emit(event.type, event)
  }
  follow().catch((error: unknown) => {
    if (!signal?.aborted) emitter.emit('error', error as Error)
  })
  return emitter
}
