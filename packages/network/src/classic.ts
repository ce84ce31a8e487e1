import { addRouteRequest } from '@libcontainer/netlink'
import { checkLinkName, parseAddress, parseCidr } from '@libcontainer/netlink/text'
import { ConfigInvalid, type OwnedFd } from '@libcontainer/sys'
import { checkMtu, checkNumber } from './fields.js'
import { Side } from './side.js'

/* What libcontainer of 2014 had for who does the rest: an act each, by names. */

export interface ClassicPlace {
  /** A process's, a path, a name of ip-netns(8), or a descriptor. Default: the namespace of this process. */
  readonly namespace?: number | string | OwnedFd | undefined
}

async function on(place: ClassicPlace | undefined, act: (side: Side) => Promise<void>): Promise<void> {
  const side = await Side.open(place?.namespace)
  try {
    await act(side)
  } finally {
    side.close()
  }
}

/** Brings an interface up. @throws {SyscallError} `ENODEV` for none */
export async function interfaceUp(name: string, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  await on(place, side => side.links.set(name, { up: true }))
}

/** Takes an interface down. @throws {SyscallError} `ENODEV` for none */
export async function interfaceDown(name: string, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  await on(place, side => side.links.set(name, { up: false }))
}

/** @throws {SyscallError} `EEXIST` when the name is taken, `EBUSY` while it is up, before Linux 6.2 */
export async function changeInterfaceName(name: string, newName: string, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  checkLinkName(newName, 'newName')
  await on(place, side => side.links.set(name, { name: newName }))
}

/** @param txQueueLen - packets, of both; 0 for the kernel's default */
export async function createVethPair(one: string, other: string, txQueueLen = 0, place?: ClassicPlace): Promise<void> {
  checkNumber(txQueueLen, 'txQueueLen', 0, 0x7fffffff)
  checkLinkName(one, 'one')
  checkLinkName(other, 'other')
  if (one === other) throw new ConfigInvalid('other', other, 'must be another name')
  const txQueueLength = txQueueLen || undefined
  await on(place, side =>
    side.links.add({ kind: 'veth', name: one, txQueueLength, peer: { name: other, txQueueLength } }),
  )
}

/** Moves an interface into the network namespace of a process. @throws {SyscallError} `ESRCH` for no such process */
export async function setInterfaceInNamespacePid(name: string, pid: number, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  await on(place, side => side.links.move(name, pid))
}

/** Puts an interface into a bridge. */
export async function setInterfaceMaster(name: string, master: string, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  checkLinkName(master, 'master')
  await on(place, side => side.links.set(name, { master }))
}

/** A default route, IPv4 or IPv6. @throws {SyscallError} `ENETUNREACH` for a gateway that no address of the interface leads to */
export async function setDefaultGateway(gateway: string, name: string, place?: ClassicPlace): Promise<void> {
  parseAddress(gateway, 'gateway')
  checkLinkName(name, 'name')
  await on(place, async side => {
    const dev = await side.links.index(name)
    await side.run([
      { about: `route all by ${gateway}`, request: addRouteRequest({ destination: 'default', gateway, dev }) },
    ])
  })
}

/** @param address - with its length: `172.17.0.101/16` */
export async function setInterfaceIp(name: string, address: string, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  parseCidr(address, 'address')
  await on(place, side => side.addresses.add(name, address))
}

/** @param mtu - bytes of a packet: 68 to 65535 */
export async function setMtu(name: string, mtu: number, place?: ClassicPlace): Promise<void> {
  checkLinkName(name, 'name')
  checkMtu(mtu, 'mtu')
  await on(place, side => side.links.set(name, { mtu }))
}
