import { debug, flushLog, type Invocation, inform } from '@libcontainer/cli'
import { sleep } from '@libcontainer/sys'
import { loadContainer } from '../place.js'

/** In milliseconds: what the kernel still tells of a container that has ended, until its cgroup is removed. */
const LATE = 2000

/** Tells each time that the container's memory runs out, until it ends. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  const over = new AbortController()
  const { signal } = over
  const events = await container.notifyOOM({ signal })
  debug(`listens to container '${container.id}'`)
  const told = unless(signal, tell(events, container.id))
  await Promise.race([told, unless(signal, container.ended({ signal }))])
  await Promise.race([told, unless(signal, sleep(LATE, { signal }))])
  over.abort()
  await told
  return 0
}

async function tell(events: AsyncIterable<unknown>, id: string): Promise<void> {
  for await (const _ of events) {
    inform(`out of memory: container '${id}'`)
    await flushLog()
  }
}

/** An end that we have called for is none to tell of. */
async function unless(over: AbortSignal, waiting: Promise<unknown>): Promise<void> {
  try {
    await waiting
  } catch (error) {
    if (!over.aborted) throw error
  }
}
