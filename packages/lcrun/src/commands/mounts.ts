import { type Invocation, UsageError } from '@libcontainer/cli'
import { mountsOf, parseMounts } from '@libcontainer/oci'
import { readText } from '@libcontainer/sys'
import { absolute } from '../paths.js'
import { load, openFactory } from '../place.js'

/** Adds the mounts of a file to a running container, or removes what is mounted where they would be. */
export async function run(invocation: Invocation): Promise<number> {
  const [what, id = '', file = ''] = invocation.operands
  if (what !== 'add' && what !== 'remove')
    throw new UsageError(`mounts add or mounts remove, not '${what}'`, 'lcrun mounts --help tells what there is')
  // A relative source is one of where the command is run.
  const mounts = mountsOf(parseMounts(await readText(file), file), await absolute('.'))
  const container = await load(await openFactory(invocation), id)
  if (what === 'add') await container.addMounts(mounts)
  else await container.removeMounts(mounts.map(({ destination }) => destination))
  return 0
}
