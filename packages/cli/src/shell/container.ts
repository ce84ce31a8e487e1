import { type Container, type ContainerConfig, Factory, isUnprivileged, validate } from '@libcontainer/container'
import { ids, resolveRootfs } from '@libcontainer/sys'
import { debug, warn } from '../log.js'
import { makeShellRoot, shellRoot } from './rootfs.js'

/** Opens the state root for containers on the host's own programs. */
export async function openShellFactory(stateRoot: string): Promise<Factory> {
  return await Factory.open(stateRoot, {
    warn,
    // Its root filesystem is made in the directory of the container's own state, which comes later, and goes with it.
    validator: config => validate({ ...config, rootfs: '/usr' }),
  })
}

export interface ShellOptions {
  /** Its limits. */
  readonly cgroups: NonNullable<ContainerConfig['cgroups']>
  readonly hostname: string
}

/** A container on the host's own programs, not started yet. Its name tells whose it is: see `removeOrphaned` of @libcontainer/container. */
export async function makeShell(
  factory: Factory,
  kind: string,
  { cgroups, hostname }: ShellOptions,
): Promise<Container> {
  const id = `${kind}-${ids().pid}`
  // Without links: /var/run is one, mostly.
  const rootfs = `${await resolveRootfs(factory.root)}/${id}/root`
  const [root, unprivileged] = await Promise.all([shellRoot(), isUnprivileged()])
  const container = await factory.create(id, {
    rootfs,
    readonlyRootfs: true,
    // The group of terminals need not be mapped.
    mounts: unprivileged ? root.mounts.map(withoutGroup) : root.mounts,
    hostname,
    cgroups,
    noNewPrivileges: true,
    parentDeathSignal: 'SIGKILL',
  })
  try {
    await makeShellRoot(rootfs, root, hostname)
  } catch (error) {
    await factory.remove(id)
    throw error
  }
  debug(`made container '${id}' on ${rootfs}`)
  return container
}

type Mount = NonNullable<ContainerConfig['mounts']>[number]

const withoutGroup = ({ options = [], ...mount }: Mount): Mount => ({
  ...mount,
  options: options.filter(option => !option.startsWith('gid=')),
})
