import { checkId } from '../config/id.js'
import { type OciState, ociState } from './oci-state.js'
import { checkRootPath } from './root.js'
import { loadState } from './state.js'
import { statusOf } from './status.js'
import { confirmOwned } from './trust.js'

/** A container's state in the words of OCI, and what engines read beside it. */
export interface ContainerReport extends OciState {
  readonly rootfs: string
  /** RFC 3339, UTC. */
  readonly created: string | undefined
}

/**
 * What a container is and does, by one read of its state and one look at its process and freezer. Nothing is made, joined or signalled, so that
 * what the state says of a cgroup needs no proof.
 *
 * @throws {ContainerError} as {@link Factory.load}
 */
export async function containerReport(root: string, id: string): Promise<ContainerReport> {
  checkId(id)
  const directory = `${checkRootPath(root)}/${id}`
  await confirmOwned(id, directory)
  const state = await loadState(id, directory)
  const { config, created } = state
  return {
    ...ociState({ id, labels: config.labels, state, status: await statusOf(state, directory) }),
    rootfs: config.rootfs,
    created,
  }
}
