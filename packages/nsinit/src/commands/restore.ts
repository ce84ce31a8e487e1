import { debug, type Invocation, isOn } from '@libcontainer/cli'
import { inImageWords } from '@libcontainer/cli/checkpoint'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { type Container, ContainerError, type Factory, type ProcessSpec, rootlessConfig } from '@libcontainer/container'
import { configOf } from '../container-config.js'
import { imageOptions } from '../criu.js'
import { finish, finishWords, type Made } from '../finish.js'
import { launch, type Session } from '../launch.js'
import { lockContainer } from '../lock.js'
import { openFactory, openPlace, type Place } from '../place.js'
import { loadRecord, type Record, saveRecord } from '../record.js'

/** Lets a container go on from an image, the one that was saved or a new one of its config, and exits as it does. */
export async function run(invocation: Invocation): Promise<number> {
  const options = await imageOptions(invocation)
  const withUnit = isOn(invocation, 'systemd') ? await (await import('../by-systemd.js')).bySystemd() : undefined
  const place = await openPlace(invocation)
  const factory = await openFactory(place, withUnit && 'systemd', invocation.flags.get('criu') || undefined)
  const lock = await lockContainer(place)
  let session: Session
  let made: Made
  let container: Container
  try {
    const saved = await findSaved(factory, place)
    const process = saved === undefined ? await configOf(place, invocation) : undefined
    debug(`restores container '${place.id}'`)
    container =
      saved?.container ??
      (await factory.create(place.id, await rootlessConfig(withUnit?.(process!.config) ?? process!.config)))
    try {
      const defaults = process?.process ?? saved?.record?.process ?? {}
      const { token } = await saveRecord(place, defaults)
      made = { ...place, token }
      const restore = (spec: ProcessSpec) => inImageWords(() => container.restore(spec, options))
      session = await launch(container, invocation, defaults, restore)
    } catch (error) {
      if (saved === undefined) await factory.remove(place.id)
      throw error
    }
  } finally {
    await lock.release()
  }
  await becomeWaiter(session, { program: 'nsinit', finish: finishWords(made) })
  const status = await attend(session)
  await finish(made, container)
  return status
}

/** The container, if there is one of this id. */
async function findSaved(
  factory: Factory,
  place: Place,
): Promise<{ container: Container; record: Record | undefined } | undefined> {
  try {
    return { container: await factory.load(place.id), record: await loadRecord(place) }
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    return undefined
  }
}
