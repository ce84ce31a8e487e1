import type { Invocation } from '@libcontainer/cli'
import { attend, becomeWaiter } from '@libcontainer/cli/foreground'
import { ContainerError } from '@libcontainer/container'
import { execSpec } from '../exec-spec.js'
import { isDetached, launch } from '../launch.js'
import { idOf, load, openFactory } from '../place.js'

/** Runs a further program in a container; in the foreground exits as it does. */
export async function run(invocation: Invocation): Promise<number> {
  const id = idOf(invocation)
  const factory = await openFactory(invocation)
  const container = await load(factory, id)
  const spec = await execSpec(invocation, factory, container)
  try {
    const session = await launch({
      invocation,
      spec,
      detached: isDetached(invocation),
      terminalField: '--tty',
      start: spec => container.exec(spec),
    })
    if (session === undefined) return 0
    await becomeWaiter(session, { program: 'lcrun' })
    return await attend(session)
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotRunning') throw error
    throw new ContainerError(error.code, `cannot exec in container '${id}': it has stopped`, { cause: error })
  }
}
