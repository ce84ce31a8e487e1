import { ConfigInvalid } from '@libcontainer/sys'
import { loopback } from './strategies/loopback.js'
import { phys } from './strategies/phys.js'
import { host, netns, none, user } from './strategies/simple.js'
import { ipvlan, macvlan, vlan } from './strategies/upper.js'
import { veth } from './strategies/veth.js'
import type { Strategy } from './strategy.js'

/* The literal types of the networks differ: `check` of each is called with what its `type` says. */
const own = [loopback, veth, macvlan, ipvlan, vlan, phys, netns, none, host, user] as unknown as readonly Strategy[]

const strategies = new Map(own.map(strategy => [strategy.type, strategy]))

/**
 * Adds a type of networks, for all containers of this process.
 *
 * @returns takes it away again, as long as no container has one
 * @throws {ConfigInvalid} for a type that there is
 */
export function addStrategy<N extends { readonly type: string }>(strategy: Strategy<N>): () => void {
  if (typeof strategy.type !== 'string' || strategy.type === '')
    throw new ConfigInvalid('type', strategy.type, 'must be a word')
  if (strategies.has(strategy.type)) throw new ConfigInvalid('type', strategy.type, 'is a type of networks already')
  strategies.set(strategy.type, strategy as unknown as Strategy)
  return () => void strategies.delete(strategy.type)
}

/** All types, in the order that they were added in. */
export const networkTypes = (): string[] => [...strategies.keys()]

/** The strategy of a network. @throws {ConfigInvalid} for a type that there is not: `ErrNotValidStrategyType` of 2014 */
export function strategyOf(network: unknown, field: string): Strategy {
  if (typeof network !== 'object' || network === null || Array.isArray(network))
    throw new ConfigInvalid(field, network, 'must be an object with a type')
  const { type } = network as { type?: unknown }
  const strategy = typeof type === 'string' ? strategies.get(type) : undefined
  if (strategy === undefined)
    throw new ConfigInvalid(`${field}.type`, type, `must be one of ${networkTypes().join(', ')}`)
  return strategy
}
