import { type Invocation, isOn } from '@libcontainer/cli'
import { type Container, ContainerError } from '@libcontainer/container'
import { ConfigInvalid, signalNumber } from '@libcontainer/sys'
import { forEachId } from '../matching.js'
import { load, openFactory } from '../place.js'

/** Sends a signal to the first process of a container, or to all of them. */
export async function run(invocation: Invocation): Promise<number> {
  const signal = signalOf(invocation.operands[1] ?? 'TERM')
  const factory = await openFactory(invocation)
  const many = isOn(invocation, 'regex')
  await forEachId(invocation, factory, async id => {
    const container = await load(factory, id)
    await send(container, signal, { all: isOn(invocation, 'all'), many })
  })
  return 0
}

/** `-9` and `-KILL` are what people are used to from kill(1). */
function signalOf(word: string): number {
  const name = word.replace(/^-/, '')
  if (name === '0')
    throw new ConfigInvalid('signal', word, 'sends nothing', { hint: 'lcrun state tells whether a container runs' })
  return signalNumber(name)
}

async function send(
  container: Container,
  signal: number,
  { all, many }: { all: boolean; many: boolean },
): Promise<void> {
  try {
    await container.signal(signal, { all })
  } catch (error) {
    const ended =
      error instanceof ContainerError &&
      (error.code === 'ContainerNotRunning' ||
        (all && error.code === 'CgroupNotExist' && (await container.status()) === 'stopped'))
    if (!ended) throw error
    // Who asks for the end of all, and finds nobody, has what was asked for.
    if (all || many) return
    throw new ContainerError('ContainerNotRunning', `container not running: '${container.id}' has ended`, {
      cause: error,
    })
  }
}
