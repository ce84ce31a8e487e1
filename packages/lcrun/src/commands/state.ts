import { type Invocation, print } from '@libcontainer/cli'
import { stringifyJson } from '@libcontainer/sys'
import { loadContainer } from '../place.js'

/** Prints the state of a container in the words of the specification, and what engines read beside them. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  const [state, { created, config }] = await Promise.all([container.ociState(), container.state()])
  const { ociVersion, id, pid = 0, status, bundle, annotations } = state
  const shown = { ociVersion, id, pid, status, bundle, rootfs: config.rootfs, created, annotations, owner: '' }
  await print(`${stringifyJson(shown, '  ')}\n`)
  return 0
}
