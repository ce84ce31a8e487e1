import { type Invocation, print } from '@libcontainer/cli'
import { containerReport } from '@libcontainer/container'
import { stringifyJson, visibleJson } from '@libcontainer/sys'
import { stateRootOf } from '../globals.js'
import { idOf, missing } from '../place.js'

/** Prints the state of a container in the words of the specification, and what engines read beside them. */
export async function run(invocation: Invocation): Promise<number> {
  const id = idOf(invocation)
  const root = await stateRootOf(invocation)
  const report = await containerReport(root, id).catch(error => missing(root, id, error))
  const { ociVersion, pid = 0, status, bundle, rootfs, created, annotations } = report
  const shown = { ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner: '' }
  await print(`${visibleJson(stringifyJson(shown, '  '))}\n`)
  return 0
}
