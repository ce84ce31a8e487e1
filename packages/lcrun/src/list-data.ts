import { warn } from '@libcontainer/cli'
import { ContainerError, type ContainerSummary, Factory, OCI_VERSION } from '@libcontainer/container'
import { LibcontainerError } from '@libcontainer/sys'

/** Containers as `list --format json` prints them; one that is gone by now is left out, and one that cannot be read is told of. */
export async function listData(
  root: string,
  containers: readonly ContainerSummary[],
  name: (uid: number) => string,
): Promise<object[]> {
  if (containers.length === 0) return []
  const factory = await Factory.open(root)
  const data = await Promise.all(containers.map(each => entry(factory, each, name(each.owner))))
  return data.filter(each => each !== undefined)
}

async function entry(factory: Factory, summary: ContainerSummary, owner: string): Promise<object | undefined> {
  const { id, pid, status, bundle, created } = summary
  try {
    const container = await factory.load(id)
    const { rootfs } = container.config()
    const { annotations } = await container.ociState()
    return { ociVersion: OCI_VERSION, id, pid, status, bundle, rootfs, created, annotations, owner }
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    if (!(error instanceof ContainerError && error.code === 'ContainerNotExists')) warn(error.message)
    return undefined
  }
}
