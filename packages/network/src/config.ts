import { checkLinkName } from '@libcontainer/netlink/text'
import { ConfigInvalid, fieldName } from '@libcontainer/sys'
import { checkFields } from './fields.js'
import type { NetworkNamespace } from './needs.js'
import { strategyOf } from './registry.js'
import { checkRoute } from './routes.js'
import { isTemplate } from './template.js'
import type { InterfaceSettings, NetDevices, Network, NetworkConfig, PhysNetwork, VethNetwork } from './types.js'

export { joinedNamespace, type NetworkNamespace, needsNetworking } from './needs.js'
export { addStrategy, networkTypes } from './registry.js'
export type { Chosen, Strategy } from './strategy.js'
export type * from './types.js'
export { ipvlanModes, macvlanModes, userModeHelpers } from './types.js'

/** Everything that is wrong with the networks of a container: pure, by field. */
export function networkProblems(config: NetworkConfig, namespace: NetworkNamespace): ConfigInvalid[] {
  const problems: ConfigInvalid[] = []
  const check = <T>(part: () => T): T | undefined => {
    try {
      return part()
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error
      problems.push(error)
      return undefined
    }
  }
  const networks = check(() => checkList(config.networks, 'networks')) ?? []
  for (const [i, network] of networks.entries())
    check(() => checkNetwork(network as Network, `networks[${i}]`, namespace))
  check(() => checkDevices(config.netDevices, namespace))
  const sound = problems.length === 0
  // What the container will have is known when all of it is sound.
  if (sound) check(() => checkTogether(config))
  const routes = check(() => checkList(config.routes, 'routes')) ?? []
  if (routes.length > 0) check(() => needsNamespace('routes', config.routes, namespace))
  const known = sound && namespace === 'new' ? knownInterfaces(config) : undefined
  for (const [i, route] of routes.entries()) check(() => checkRoute(route, `routes[${i}]`, known))
  return problems
}

/** Types that ask nothing of the host's network. */
const harmless = ['loopback', 'netns', 'none', 'host', 'user']

/** What somebody without rights on the host's network cannot have. Pure; the config has no other problems. */
export function privilegeProblems({ networks = [], netDevices = {} }: NetworkConfig): ConfigInvalid[] {
  const problem = 'needs CAP_NET_ADMIN on the host, which an ordinary user does not have'
  const hint = 'a network of type user takes pasta or slirp4netns, which need no right'
  const refused = networks.flatMap(({ type }, i) =>
    harmless.includes(type) ? [] : [new ConfigInvalid(`networks[${i}].type`, type, problem, { hint })],
  )
  const moved = Object.keys(netDevices).length > 0
  return moved ? [...refused, new ConfigInvalid('netDevices', netDevices, problem)] : refused
}

function checkList(value: unknown, field: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  return value
}

function needsNamespace(field: string, value: unknown, namespace: NetworkNamespace): void {
  if (namespace === 'shared')
    throw new ConfigInvalid(field, value, 'needs a network namespace other than this process’s: add net to namespaces')
}

function checkNetwork(network: Network, field: string, namespace: NetworkNamespace): void {
  const strategy = strategyOf(network, field)
  strategy.check(network, field)
  const { type } = network
  if (type === 'host') {
    if (namespace !== 'shared')
      throw new ConfigInvalid(field, network, 'is that of the host: leave net out of namespaces')
    return
  }
  needsNamespace(field, network, namespace)
}

function checkDevices(devices: unknown, namespace: NetworkNamespace): void {
  if (devices === undefined) return
  if (typeof devices !== 'object' || devices === null || Array.isArray(devices))
    throw new ConfigInvalid('netDevices', devices, 'must be an object, a key for each device')
  const names = Object.keys(devices)
  if (names.length === 0) return
  needsNamespace('netDevices', devices, namespace)
  for (const key of names) {
    const field = fieldName(key, 'netDevices')
    checkLinkName(key, field)
    if (key === 'lo') throw new ConfigInvalid(field, key, 'is the loopback, which cannot be moved')
    const { name } = checkFields((devices as NetDevices)[key], field, ['name'])
    if (name !== undefined) checkLinkName(name as string, `${field}.name`, { template: true })
    if (name === 'lo')
      throw new ConfigInvalid(`${field}.name`, name, 'is the loopback, which the namespace has already')
  }
}

/** What no two of them may have, and what stands alone. */
function checkTogether({ networks = [], netDevices = {} }: NetworkConfig): void {
  for (const [i, { type }] of networks.entries()) {
    const alone = type === 'none' || type === 'host'
    if (alone && (networks.length > 1 || Object.keys(netDevices).length > 0))
      throw new ConfigInvalid(`networks[${i}].type`, type, 'must stand alone: it says that there are no others')
    const single = type === 'loopback' || type === 'netns' || type === 'user'
    if (single && networks.findIndex(other => other.type === type) < i)
      throw new ConfigInvalid(`networks[${i}].type`, type, 'is there already')
  }
  const inside = new Unique('the name of another interface of the container')
  const taken = new Unique('taken for another network already')
  for (const [i, name] of interfaceNames(networks).entries()) {
    const field = `networks[${i}]`
    if (name !== undefined) inside.add(name, `${field}.name`)
    const { hostInterfaceName } = networks[i] as VethNetwork
    if (hostInterfaceName !== undefined) taken.add(hostInterfaceName, `${field}.hostInterfaceName`)
    const { device } = networks[i] as PhysNetwork
    if (device !== undefined) taken.add(device, `${field}.device`)
  }
  for (const [device, { name = device }] of Object.entries(netDevices)) {
    const field = fieldName(device, 'netDevices')
    taken.add(device, field)
    if (!isTemplate(name)) inside.add(name, name === device ? field : `${field}.name`)
  }
}

class Unique {
  readonly #seen = new Set<string>()
  readonly #what: string

  constructor(what: string) {
    this.#what = what
  }

  add(name: string, field: string): void {
    if (this.#seen.has(name)) throw new ConfigInvalid(field, name, `is ${this.#what}`)
    this.#seen.add(name)
  }
}

/** The names that networks have in the container, where they have an interface of their own there: in their order. */
export function interfaceNames(networks: readonly Network[]): (string | undefined)[] {
  const taken = new Set(networks.map(network => (network as InterfaceSettings).name))
  let next = 0
  return networks.map((network, i) => {
    const { name } = network as InterfaceSettings
    if (name !== undefined) return name
    if (network.type === 'phys') return network.device
    if (network.type === 'user') return 'tap0'
    if (!strategyOf(network, `networks[${i}]`).named) return undefined
    while (taken.has(`eth${next}`)) next++
    return `eth${next++}`
  })
}

/** `undefined` where the kernel, or somebody else, gives one a name. */
function knownInterfaces({ networks = [], netDevices = {} }: NetworkConfig): Set<string> | undefined {
  const moved = Object.entries(netDevices).map(([device, { name = device }]) => name)
  if (moved.some(isTemplate)) return undefined
  const own = interfaceNames(networks).filter(name => name !== undefined)
  return new Set(['lo', ...own, ...moved])
}
