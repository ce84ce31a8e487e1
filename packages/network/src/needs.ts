import type { NetworkConfig } from './types.js'

/* What of networks is asked of every config: whether there is something to do. */

/** Whose network namespace a container has: a new one, one that it joins, or that of who starts it. */
export type NetworkNamespace = 'new' | 'joined' | 'shared'

/** Whether anything of it is to be done by whoever starts the container: a new namespace has a loopback, and it is up, by itself. */
export function needsNetworking(
  { networks = [], routes = [], netDevices = {} }: NetworkConfig,
  joined = false,
): boolean {
  if (routes.length > 0 || Object.keys(netDevices).length > 0) return true
  return networks.some(network => {
    if (network.type === 'loopback') return joined || network.mtu !== undefined
    return network.type !== 'none' && network.type !== 'host' && network.type !== 'netns'
  })
}

/** The path of the namespace that the networks say is joined: 2014's way. */
export function joinedNamespace({ networks = [] }: NetworkConfig): string | undefined {
  return Array.isArray(networks) ? networks.find(network => network?.type === 'netns')?.path : undefined
}
