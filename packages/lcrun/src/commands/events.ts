import { type Invocation, isOn } from '@libcontainer/cli'
import { type Container, ContainerError } from '@libcontainer/container'
import { sleep } from '@libcontainer/sys'
import { parseDuration } from '../duration.js'
import { oomEvent, statsEvent } from '../event-data.js'
import { printLine } from '../json-line.js'
import { loadContainer } from '../place.js'

/** Prints what a container uses, at intervals, and when its memory runs out, a line of JSON each, until its cgroup is removed. */
export async function run(invocation: Invocation): Promise<number> {
  const interval = parseDuration('--interval', invocation.flags.get('interval') ?? '5s')
  const container = await loadContainer(invocation)
  const { id } = container
  if ((await container.status()) === 'stopped')
    throw new ContainerError('ContainerNotRunning', `container '${id}' is not running`)
  if (isOn(invocation, 'stats')) {
    await printLine(statsEvent(id, await container.stats()))
    return 0
  }
  const over = new AbortController()
  const { signal } = over
  const line = inOrder(printLine)
  const told = unless(signal, tellOom(container, line, signal))
  // Whichever finds the cgroup gone first ends the other.
  await Promise.race([told, unless(signal, tellStats(container, interval, line, signal))])
  over.abort()
  await told
  return 0
}

type Line = (value: object) => Promise<void>

async function tellOom(container: Container, line: Line, signal: AbortSignal): Promise<void> {
  for await (const _ of await container.notifyOOM({ signal })) await line(oomEvent(container.id))
}

async function tellStats(container: Container, interval: number, line: Line, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(interval, { signal })
    try {
      await line(statsEvent(container.id, await container.stats()))
    } catch (error) {
      if (error instanceof ContainerError && error.code === 'ContainerNotRunning') return
      throw error
    }
  }
}

/** One line after the other: two that are written at once could mix. */
function inOrder(write: Line): Line {
  let before: Promise<void> = Promise.resolve()
  return value => {
    before = before.then(() => write(value))
    return before
  }
}

/** An end that we have called for is none to tell of. */
async function unless(over: AbortSignal, waiting: Promise<void>): Promise<void> {
  try {
    await waiting
  } catch (error) {
    if (!over.aborted) throw error
  }
}
