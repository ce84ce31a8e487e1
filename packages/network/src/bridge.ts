import { addAddressRequest, setLinkRequest } from '@libcontainer/netlink'
import { checkLinkName, parseCidr } from '@libcontainer/netlink/text'
import { ConfigInvalid, isErrno } from '@libcontainer/sys'
import { Side } from './side.js'

export interface BridgeRequest {
  readonly name: string
  /** Of the host on it, with their lengths: the gateways of containers. Default: none. */
  readonly addresses?: readonly string[] | undefined
  readonly mtu?: number | undefined
  /** It keeps VLANs apart, as `vlan` and `vlanTrunk` of a container's network need. Default: as it is; a new one does not. */
  readonly vlanFiltering?: boolean | undefined
}

/**
 * Makes sure that the host has a bridge of this name, which is up and has these addresses. What it has beside them stays. Forwarding and the translation of
 * addresses are the caller's.
 *
 * @returns whether it was made
 * @throws {ConfigInvalid} for a link of this name that is no bridge
 * @throws {SyscallError} `EPERM` without CAP_NET_ADMIN, `EOPNOTSUPP` for `vlanFiltering` where the kernel's bridges know no VLANs; a bridge that was made is
 * taken back
 */
export async function ensureBridge({ name, addresses = [], mtu, vlanFiltering }: BridgeRequest): Promise<boolean> {
  checkLinkName(name, 'name')
  for (const [i, address] of addresses.entries()) parseCidr(address, `addresses[${i}]`)
  const host = await Side.open()
  try {
    const made = await makeBridge(host, name)
    try {
      const link = await host.links.get(name)
      if (link.kind !== 'bridge')
        throw new ConfigInvalid('name', name, `must be a bridge: the link of this name is ${link.kind ?? link.type}`)
      if (vlanFiltering !== undefined) await host.links.set(link.index, { kind: 'bridge', data: { vlanFiltering } })
      await host.run([
        ...addresses.map(address => ({
          about: `give ${name} ${address}`,
          request: addAddressRequest(link.index, address, address.includes(':') ? { flags: ['nodad'] } : {}, 'replace'),
        })),
        { about: `bring ${name} up`, request: setLinkRequest(link.index, { up: true, mtu }) },
      ])
    } catch (error) {
      if (made) await host.links.delete(name).catch(() => {})
      throw error
    }
    return made
  } finally {
    host.close()
  }
}

async function makeBridge(host: Side, name: string): Promise<boolean> {
  if ((await host.links.find(name)) !== undefined) return false
  try {
    await host.links.add({ kind: 'bridge', name })
    return true
  } catch (error) {
    // Somebody else was faster.
    if (!isErrno(error, 'EEXIST')) throw error
    return false
  }
}
