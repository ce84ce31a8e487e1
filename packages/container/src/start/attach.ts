import { enter, type NamespaceKind, type ProgramOptions } from '@libcontainer/namespaces'
import { ConfigInvalid, type Program } from '@libcontainer/sys'
import type { Container } from '../container.js'
import { ContainerError, systemError } from '../errors.js'
import { openInit } from '../state/init-process.js'

/**
 * Runs a program of this host in some namespaces of a container alone: with `['net']` a host's tools look at its network. Whatever else this process
 * is, its root, cgroup and privileges among it, the program is, too, unless `options` say otherwise. With `mnt` it is looked up inside.
 *
 * @throws {ConfigInvalid} for no kind, or one that there is not
 * @throws {ContainerError} `ContainerNotRunning`; `SystemError` for what the kernel refused
 */
export async function attach(
  container: Pick<Container, 'id' | 'state'>,
  kinds: readonly NamespaceKind[],
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  if (!Array.isArray(kinds) || kinds.length === 0)
    throw new ConfigInvalid(
      'kinds',
      kinds,
      "must name namespaces, such as ['net']; exec() runs a program in all of them, and in the cgroup",
    )
  const init = await openInit(await container.state())
  if (init === undefined) throw new ContainerError('ContainerNotRunning', `container '${container.id}' is not running`)
  try {
    return await enter({ pid: init, kinds }, args, options)
  } catch (error) {
    throw systemError(`cannot attach to '${container.id}'`, error)
  } finally {
    init.close()
  }
}
