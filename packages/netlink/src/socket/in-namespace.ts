import type { Waiting } from '@libcontainer/sys'
import type { NamespaceTarget } from '../namespace/namespace.js'
import { Netlink } from '../netlink.js'

/**
 * Does something in a network namespace: opens its network, calls `act` with it, and closes it, whatever comes of it. This process stays where it is.
 *
 * ```ts
 * const names = await inNamespace('blue', async net => (await net.links.list()).map(link => link.name))
 * ```
 *
 * @returns what `act` answers
 * @throws as `Netlink.open` and `act` do
 */
export async function inNamespace<T>(
  namespace: NamespaceTarget,
  act: (net: Netlink) => Promise<T> | T,
  { signal }: Waiting = {},
): Promise<T> {
  await using net = await Netlink.open({ namespace, signal })
  return await act(net)
}
