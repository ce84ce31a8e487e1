import { type Container, ContainerError } from '@libcontainer/container'
import { processStat } from '@libcontainer/sys'
import { attend, type Session } from '../attend.js'
import type { Invocation } from '../command-line.js'
import { readContainerJson } from '../container-json.js'
import { finish, type Made } from '../finish.js'
import { lockContainer } from '../lock.js'
import { openFactory, openPlace, type Place } from '../place.js'
import { programOf } from '../program.js'
import { loadRecord, saveRecord } from '../record.js'
import { catchSignals } from '../signals.js'
import { removeStateCopy, writeStateCopy } from '../state-copy.js'
import { openStreams } from '../streams.js'
import { becomeWaiter } from '../waiter.js'

type Factory = Awaited<ReturnType<typeof openFactory>>

/** Runs a program in the container of the directory, and exits as it does. Who has made the container removes it. */
export async function run(invocation: Invocation): Promise<number> {
  const place = await openPlace(invocation)
  const factory = await openFactory(place)
  const lock = await lockContainer(place)
  let session: Session
  let made: Made | undefined
  let container: Container | undefined
  try {
    container = await findRunning(factory, place)
    if (container === undefined) ({ session, made, container } = await start(factory, place, invocation))
    else session = await join(container, place, invocation)
  } finally {
    await lock.release()
  }
  await becomeWaiter(session, made)
  const status = await attend(session)
  if (made !== undefined) await finish(made, container)
  return status
}

/** The container of the directory, if it runs. What a killed nsinit has left is removed. */
async function findRunning(factory: Factory, place: Place): Promise<Container | undefined> {
  const container = await load(factory, place.id)
  if (container !== undefined) {
    const status = await container.status()
    if ((status === 'running' || status === 'paused') && (await lives(container, place))) return container
  }
  await factory.remove(place.id)
  return undefined
}

async function load(factory: Factory, id: string): Promise<Container | undefined> {
  try {
    return await factory.load(id)
  } catch (error) {
    // Aborted before it had a state, or with a broken one.
    if (error instanceof ContainerError) return undefined
    throw error
  }
}

/**
 * Whether there is a first process that will go on: in a frozen cgroup it may be dead, and when its nsinit was killed its own end is
 * under way, unless the config lets it outlive that.
 */
async function lives(container: Container, place: Place): Promise<boolean> {
  const { init_process_pid, init_process_start, config } = await container.state()
  const init = await processStat(init_process_pid)
  if (String(init?.startTime) !== init_process_start) return false
  return config.parentDeathSignal === undefined || init?.parent === (await loadRecord(place))?.pid
}

async function start(
  factory: Factory,
  place: Place,
  invocation: Invocation,
): Promise<{ session: Session; made: Made; container: Container }> {
  const { config, process } = await readContainerJson(place, { rootfs: invocation.flags.get('rootfs') })
  const container = await factory.create(place.id, config)
  try {
    const { token } = await saveRecord(place, process)
    const session = await launch(container, invocation, process)
    await writeStateCopy(place, await container.state())
    return { session, made: { ...place, token }, container }
  } catch (error) {
    await factory.remove(place.id)
    await removeStateCopy(place.directory)
    throw error
  }
}

async function join(container: Container, place: Place, invocation: Invocation): Promise<Session> {
  const record = await loadRecord(place)
  return await launch(container, invocation, record?.process ?? {})
}

async function launch(
  container: Container,
  invocation: Invocation,
  defaults: Parameters<typeof programOf>[1],
): Promise<Session> {
  const spec = await programOf(invocation, defaults)
  const streams = spec.terminal ? undefined : openStreams()
  const signals = catchSignals()
  try {
    const process = await container.run(streams === undefined ? spec : { ...spec, stdio: streams.stdio })
    streams?.started()
    const { terminal } = process
    let resized = (): void => undefined
    signals.to(process, terminal === undefined ? undefined : { resized: () => resized() })
    const onResize = (changed: () => void): (() => void) => {
      resized = changed
      return () => {
        resized = () => undefined
      }
    }
    return { process, terminal, pipes: streams?.pipes ?? [undefined, undefined, undefined], onResize }
  } catch (error) {
    streams?.close()
    throw error
  }
}
