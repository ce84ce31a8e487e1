import { type Invocation, warn } from '@libcontainer/cli'
import { type Container, ContainerError } from '@libcontainer/container'
import { removing } from './place.js'
import { loadRecord } from './record.js'

/** A container that a call of lcrun has made, and removes. */
export interface Finishing {
  /** The state root. */
  readonly root: string
  readonly id: string
  /** Of its record. */
  readonly token: string
}

/** The command line that {@link finish} is called by; the status follows. Messages go where those of `run` went. */
export function finishWords({ root, id, token }: Finishing, { flags }: Invocation): string[] {
  const own = ['log', 'log-format', 'log-level', 'debug', 'systemd-log', 'rootless', 'cgroup-manager'].flatMap(name => {
    const value = flags.get(name)
    return value === undefined ? [] : [`--${name}=${value}`]
  })
  return ['lcrun', '--root', root, ...own, 'finish', '--', id, token]
}

/**
 * Removes what is left of a container whose first process has ended: all others, cgroups, state. What stays of it is told: the program has run,
 * and its status is what the caller asked for.
 */
export async function finish({ root, id, token }: Finishing, load: () => Promise<Container>): Promise<void> {
  try {
    const container = await load()
    // Somebody may have removed it already, and made another one.
    const onlyIf = async (): Promise<boolean> => (await loadRecord(root, id))?.token === token
    await removing(() => container.destroy({ onlyIf }))
  } catch (error) {
    if (error instanceof ContainerError && error.code === 'ContainerNotExists') return
    warn(`container '${id}' could not be removed: ${(error as Error).message}`)
  }
}
