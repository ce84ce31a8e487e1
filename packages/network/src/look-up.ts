import { isBridge, isKind, type Link, type LinkIdentity } from '@libcontainer/netlink'
import { ConfigInvalid, fieldName } from '@libcontainer/sys'
import { interfaceNames } from './config.js'
import { confirmHelper } from './helper.js'
import type { Side } from './side.js'
import type {
  IpvlanNetwork,
  MacvlanNetwork,
  Network,
  NetworkConfig,
  PhysNetwork,
  VethNetwork,
  VlanNetwork,
} from './types.js'

/** The links of the host that the acts of a plan name. */
export type HostLinks = ReadonlyMap<string, LinkIdentity>

/**
 * Whether a look at the bridges is all that it takes to know that nothing is in the way of these networks in a new namespace, and they are there. What else there is to be known, and what
 * is wrong, {@link lookUp} tells.
 */
export async function needsNoLookUp({ networks = [], netDevices = {} }: NetworkConfig): Promise<boolean> {
  if (Object.keys(netDevices).length > 0) return false
  return (await Promise.all(networks.map(hasItsBridge))).every(Boolean)
}

const hasItsBridge = async (network: Network): Promise<boolean> =>
  network.type === 'loopback' ||
  (network.type === 'veth' &&
    network.hostInterfaceName === undefined &&
    !asksVlans(network) &&
    (await isBridge(network.bridge)))

const asksVlans = ({ vlan, vlanTrunk }: VethNetwork): boolean => (vlan ?? vlanTrunk) !== undefined

/**
 * Finds what the networks of a container need of the host, and what is in their way, before anything is made.
 *
 * @param container - a namespace that it joins, in which somebody else may have the names
 * @throws {ConfigInvalid} for a bridge, parent or device that is not there, or is none; for a name that is taken
 * @throws {LibcontainerError} `ENOENT` for a helper that is not installed
 */
export async function lookUp(config: NetworkConfig, host: Side, container?: Side): Promise<HostLinks> {
  const { networks = [], netDevices = {} } = config
  const found = new Map<string, LinkIdentity>()
  const find: Find = async (asking, { name, field, what, hint }) => {
    const link = await asking
    if (link === undefined)
      throw new ConfigInvalid(field, name, `must be ${what} of the host: there is no link of this name`, { hint })
    found.set(name, link)
    return link
  }
  const whole = async (name: string, field: string, what: string, hint: string): Promise<Link> =>
    await find(host.links.find(name), { name, field, what, hint })
  for (const [i, network] of networks.entries()) {
    const at = `networks[${i}]`
    switch (network.type) {
      case 'veth':
        await checkVeth(network, at, host, find)
        break
      case 'macvlan':
      case 'ipvlan':
      case 'vlan':
        checkUpper(network, at, await whole(network.parent, `${at}.parent`, 'a link', 'ip link tells which there are'))
        break
      case 'phys':
        checkMovable(await whole(network.device, `${at}.device`, 'a device', MOVED), `${at}.device`)
        break
      case 'user':
        await confirmHelper(network.helper)
    }
  }
  for (const device of Object.keys(netDevices)) {
    const field = fieldName(device, 'netDevices')
    checkMovable(await whole(device, field, 'a device', MOVED), field)
  }
  if (container !== undefined) await checkFree(config, container)
  return found
}

const MOVED = 'it may be in another namespace: a device that was moved into a container is not on the host'

interface Named {
  readonly name: string
  readonly field: string
  readonly what: string
  readonly hint: string
}

type Find = <L extends LinkIdentity>(asking: Promise<L | undefined>, named: Named) => Promise<L>

async function checkVeth(network: VethNetwork, at: string, host: Side, find: Find): Promise<void> {
  const { bridge, hostInterfaceName, vlan } = network
  const link = await find(host.links.identify(bridge), {
    name: bridge,
    field: `${at}.bridge`,
    what: 'a bridge',
    hint: `make it first: ip link add ${bridge} type bridge; or ensureBridge()`,
  })
  if (link.kind !== 'bridge')
    throw new ConfigInvalid(
      `${at}.bridge`,
      bridge,
      `must be a bridge: the link of this name is ${link.kind ?? link.type}`,
    )
  if (asksVlans(network) && !filtersVlans(await host.links.find(link.index)))
    throw new ConfigInvalid(
      `${at}.${vlan === undefined ? 'vlanTrunk' : 'vlan'}`,
      vlan ?? network.vlanTrunk,
      `needs a bridge that filters VLANs, which ${bridge} does not`,
      {
        hint: `ip link set ${bridge} type bridge vlan_filtering 1; or ensureBridge({ name: '${bridge}', vlanFiltering: true })`,
      },
    )
  if (hostInterfaceName !== undefined && (await host.links.identify(hostInterfaceName)) !== undefined)
    throw new ConfigInvalid(`${at}.hostInterfaceName`, hostInterfaceName, 'is taken: a link of the host has this name')
}

const filtersVlans = (link: Link | undefined): boolean =>
  link !== undefined && isKind(link, 'bridge') && link.data?.vlanFiltering === true

function checkUpper({ parent, mtu, type }: MacvlanNetwork | IpvlanNetwork | VlanNetwork, at: string, link: Link): void {
  if (link.flags.includes('loopback'))
    throw new ConfigInvalid(`${at}.parent`, parent, `must not be the loopback: it carries no ${type}`)
  if (mtu !== undefined && mtu > link.mtu)
    throw new ConfigInvalid(`${at}.mtu`, mtu, `must not be above that of ${parent}, which is ${link.mtu}`)
}

function checkMovable({ name, flags }: Link, field: string): void {
  if (flags.includes('loopback')) throw new ConfigInvalid(field, name, 'is the loopback, which cannot be moved')
}

async function checkFree({ networks = [], netDevices = {} }: NetworkConfig, container: Side): Promise<void> {
  const wanted = [
    ...interfaceNames(networks).map(
      (name, i) =>
        [name, `networks[${i}].${(networks[i] as PhysNetwork).name === undefined ? 'type' : 'name'}`] as const,
    ),
    ...Object.entries(netDevices).map(
      ([device, { name = device }]) => [name, fieldName(device, 'netDevices')] as const,
    ),
  ]
  for (const [name, field] of wanted) {
    if (name === undefined || name.includes('%')) continue
    if ((await container.links.find(name)) !== undefined)
      throw new ConfigInvalid(field, name, 'is taken: the namespace that the container joins has a link of this name')
  }
}
