import { type NetworkNamespace, needsNetworking } from '@libcontainer/network/config'
import { type ConfigInvalid, exists, remembered } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { networkNamespace } from '../config/namespace-requests.js'
import type { ResolvedConfig } from '../config/resolve.js'
import type { InterfaceStats, Networking, NetworkRequest, Release } from './networking.js'

/* The networks of a container, for those that have some: what looks at them, and what is done about them, is loaded then. */

export type { InterfaceStats, Networking }

/** Once: an import takes Node.js a tenth of a millisecond, also of what is there. */
const loaded = remembered(() => import('./networking.js'))
const checks = remembered(() => import('@libcontainer/network/config'))

type Config = Pick<ResolvedConfig, 'namespaces' | 'networks' | 'routes' | 'netDevices'>

const isAsked = ({ networks, routes, netDevices }: ContainerConfig): boolean =>
  networks !== undefined || routes !== undefined || netDevices !== undefined

/** What is wrong with the networks of a config whose namespaces are sound. */
export async function networkProblems(config: ContainerConfig, namespace: NetworkNamespace): Promise<ConfigInvalid[]> {
  if (!isAsked(config)) return []
  const { networkProblems } = await checks()
  return networkProblems(config, namespace)
}

/** What of them an ordinary user cannot have. */
export async function privilegeProblems(config: ContainerConfig): Promise<ConfigInvalid[]> {
  if (!isAsked(config)) return []
  const { privilegeProblems } = await checks()
  return privilegeProblems(config)
}

/** Whether whoever starts the container has something to do for its networks: a new namespace has its loopback by itself. */
export const hasNetworking = (config: Config): boolean =>
  needsNetworking(config, networkNamespace(config.namespaces) === 'joined')

/** Makes sure that a container can have its networks, and chooses for them as {@link planNetworking} does while the kernel is asked; makes nothing. @throws {ConfigInvalid} */
export async function confirmNetworking(request: NetworkRequest): Promise<Networking | undefined> {
  if (!hasNetworking(request.config)) return undefined
  const { confirmNetworking, Networking } = await loaded()
  const confirming = confirmNetworking(request.config)
  confirming.catch(() => {})
  const networking = Networking.plan(request)
  await confirming
  return networking
}

/** What is chosen for a container's networks; nothing is touched yet. `undefined` where it needs none. */
export async function planNetworking(request: NetworkRequest): Promise<Networking | undefined> {
  return hasNetworking(request.config) ? await (await loaded()).Networking.plan(request) : undefined
}

/** Tells what was made for a container's networks: beside the state, and before it is made. */
export const NETWORK_FILE = 'network.json'

/** Takes away what was made for a container's networks, and gives back what was lent; none is fine. */
export async function releaseNetworking(release: Release): Promise<void> {
  if (await exists(`${release.directory}/${NETWORK_FILE}`)) await (await loaded()).releaseNetworking(release)
}

/** Takes a container off its bridges while it is saved, or puts it back; one without networks is left alone. */
export async function attachNetworks(request: NetworkRequest, attached: boolean): Promise<void> {
  if (await exists(`${request.directory}/${NETWORK_FILE}`)) await (await loaded()).attachNetworks(request, attached)
}

/** What the interfaces of a container have sent and received. */
export async function networkStats(directory: string, config: Config): Promise<InterfaceStats[]> {
  const counted = config.networks?.some(({ type }) => type === 'veth') ?? false
  return counted ? await (await loaded()).networkStats(directory) : []
}
