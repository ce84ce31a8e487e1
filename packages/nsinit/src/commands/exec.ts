import { debug, type Invocation, isOn, UsageError } from '@libcontainer/cli'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { type Container, type ContainerConfig, ContainerError, rootlessConfig } from '@libcontainer/container'
import { processStat } from '@libcontainer/sys'
import { configOf } from '../container-config.js'
import { finish, finishWords, type Made } from '../finish.js'
import { launch, type Session } from '../launch.js'
import { lockContainer } from '../lock.js'
import { openFactory, openPlace, type Place } from '../place.js'
import { loadRecord, saveRecord } from '../record.js'
import { removeStateCopy, writeStateCopy } from '../state-copy.js'

type Factory = Awaited<ReturnType<typeof openFactory>>

/** Runs a program in a container, and exits as it does. Who has made the container removes it. */
export async function run(invocation: Invocation): Promise<number> {
  if (isOn(invocation, 'list') || (invocation.flags.get('func') ?? 'exec') !== 'exec') {
    const { runFunction } = await import('../functions.js')
    return await runFunction(invocation)
  }
  const withUnit = isOn(invocation, 'systemd') ? await (await import('../by-systemd.js')).bySystemd() : undefined
  const place = await openPlace(invocation)
  const factory = await openFactory(place, withUnit && 'systemd')
  const lock = await lockContainer(place)
  let session: Session
  let made: Made | undefined
  let container: Container | undefined
  try {
    container = await findRunning(factory, place)
    if (container === undefined) ({ session, made, container } = await start(factory, place, invocation, withUnit))
    else session = await join(container, place, invocation)
  } finally {
    await lock.release()
  }
  await becomeWaiter(session, { program: 'nsinit', finish: made && finishWords(made) })
  const status = await attend(session)
  if (made !== undefined) await finish(made, container)
  return status
}

/** The container, if it runs. What a killed nsinit has left is removed. */
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
  withUnit: (config: ContainerConfig) => ContainerConfig = config => config,
): Promise<{ session: Session; made: Made; container: Container }> {
  if (invocation.flags.has('nspid'))
    throw new UsageError('--nspid names a container that has ended', 'nsinit exec --help')
  const { config, process } = await configOf(place, invocation)
  debug(`makes container '${place.id}' on ${config.rootfs}`)
  const container = await factory.create(place.id, await rootlessConfig(withUnit(config)))
  try {
    const { token } = await saveRecord(place, process)
    const session = await launch(container, invocation, process)
    if (!place.named) await writeStateCopy(place, await container.state())
    return { session, made: { ...place, token }, container }
  } catch (error) {
    await factory.remove(place.id)
    if (!place.named) await removeStateCopy(place.directory)
    throw error
  }
}

async function join(container: Container, place: Place, invocation: Invocation): Promise<Session> {
  debug(`joins container '${place.id}'`)
  const record = await loadRecord(place)
  return await launch(container, invocation, record?.process ?? {})
}
