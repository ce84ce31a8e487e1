import { addAddressRequest, moveLinkRequest, setLinkRequest } from '@libcontainer/netlink'
import { isErrno, LibcontainerError, type OwnedFd, SyscallError } from '@libcontainer/sys'
import type { KeptAddress, LentDevice } from './made.js'
import type { Side, Wanted } from './side.js'
import { isTemplate, matchesTemplate } from './template.js'

/* Devices of the host in a container: those that are lent, and those of OCI's netDevices. */

/** A device as it is on the host, before it is moved. */
export async function rememberDevice(host: Side, device: string, giveBack: boolean): Promise<LentDevice> {
  const { name, index, kind, mac, permanentMac, mtu, txQueueLength, up } = await host.links.get(device)
  const addresses = await keptAddresses(host, index, name)
  return { name, index, kind, mac, permanentMac, mtu, txQueueLength, up, addresses, giveBack }
}

/** Addresses that last and are known everywhere, which is what OCI's runtime keeps: IFA_F_PERMANENT, RT_SCOPE_UNIVERSE. */
async function keptAddresses(side: Side, index: number, name: string): Promise<KeptAddress[]> {
  const all = await side.addresses.list({ link: index })
  return all
    .filter(({ scope, flags }) => scope === 'global' && flags.includes('permanent'))
    .map(({ address, prefixLength, peer, broadcast, label, metric }) => ({
      ...(peer === undefined
        ? { address: `${address}/${prefixLength}` }
        : { address, peer: `${peer}/${prefixLength}` }),
      broadcast: broadcast ?? false,
      // That of the device is the kernel's default, by the name that it then has.
      label: label === name ? undefined : label,
      metric,
    }))
}

/**
 * Moves a device into a container by one message, with its name there. The kernel looks for the name before it touches anything, keeps MTU and link-layer
 * address, and leaves the device down and without addresses.
 *
 * @param namespace - a descriptor of the container's
 * @returns its index there
 * @throws {SyscallError} `EEXIST` when a link there has the name
 */
export async function moveDevice(
  { host, container }: { readonly host: Side; readonly container: Side },
  { index, name: device }: LentDevice,
  name: string,
  namespace: OwnedFd,
): Promise<number> {
  const template = isTemplate(name)
  const before = template ? new Set((await container.links.list()).map(link => link.index)) : undefined
  const about = `move ${device} in${name === device ? '' : ` as ${name}`}`
  await host.run([{ about, request: moveLinkRequest(index, namespace, { name }) }])
  // Mostly its index is free there, too; and its name is its own.
  if (before === undefined) return await container.links.index(name)
  const there = (await container.links.list()).filter(
    link => !before.has(link.index) && matchesTemplate(name, link.name),
  )
  const found = there.find(link => link.index === index) ?? there[0]
  if (found === undefined)
    throw new LibcontainerError('ENODEV', `${device} is not in the container: somebody has renamed it as it came`)
  return found.index
}

/** Whether a device was not moved: who was to do so may have been killed, or refused. */
export async function isOnHost(host: Side, { index, name }: LentDevice): Promise<boolean> {
  return (await host.links.find(index))?.name === name
}

/** What OCI asks for a device that was moved: its global addresses, and up. */
export function settleRequests({ name, addresses }: LentDevice, index: number): Wanted[] {
  return [
    ...addressRequests(name, addresses, index),
    { about: `bring ${name} up`, request: setLinkRequest(index, { up: true }) },
  ]
}

const addressRequests = (name: string, addresses: readonly KeptAddress[], index: number): Wanted[] =>
  addresses.map(({ address, ...options }) => ({
    about: `give ${name} ${address}`,
    request: addAddressRequest(index, address, {
      ...options,
      broadcast: address.includes(':') ? undefined : options.broadcast,
      flags: address.includes(':') ? ['nodad'] : [],
    }),
  }))

/**
 * Gives a device back to the host: found by its index in the container's namespace, whatever it is called there, under the name that it had, or another
 * where that was taken meanwhile.
 *
 * @param namespace - a descriptor of the host's
 * @param warn - told of what is not as it was
 */
export async function giveBack(
  { host, container }: { readonly host: Side; readonly container: Side },
  device: LentDevice,
  namespace: OwnedFd,
  warn: (message: string) => void,
): Promise<void> {
  const { name, mac, mtu, txQueueLength, up, addresses } = device
  const there = await container.links.find(device.inside ?? device.index)
  // It may have been deleted there, and its number be another's.
  if (there === undefined || there.kind !== device.kind || there.permanentMac !== device.permanentMac)
    return warn(`${name} is not in the container any more: the host does not get it back`)
  const was = await moveOut(container, there.index, name, namespace)
  if (was !== name) warn(`${name} is taken on the host: the device of the container is called ${was} there`)
  const link = await host.links.find(was)
  if (link === undefined) return warn(`${was} came back to the host, and was moved away at once`)
  const asBefore = setLinkRequest(link.index, {
    mtu,
    txQueueLength,
    ...(mac !== undefined && mac !== link.mac ? { mac } : {}),
    ...(up ? { up } : {}),
  })
  try {
    await host.run([
      { about: `set ${was} up as it was`, request: asBefore },
      ...addressRequests(was, addresses, link.index),
    ])
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    warn(`${was} is not as it was: ${error.message}`)
  }
}

/** @returns the name that it has on the host */
async function moveOut(container: Side, index: number, name: string, namespace: OwnedFd): Promise<string> {
  const move = async (as: string): Promise<string> => {
    await container.run([{ about: `give ${name} back`, request: moveLinkRequest(index, namespace, { name: as }) }])
    return as
  }
  try {
    return await move(name)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    // A name that nobody else can have meant: the kernel's index is in it.
    return await move(`phys${index}-${name}`.slice(0, 15))
  }
}
