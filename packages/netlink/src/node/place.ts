import { isErrno, LibcontainerError } from '@libcontainer/sys'
import type { NamespaceTarget } from '../namespace/namespace.js'
import { Netns } from '../namespace/netns.js'
import { NetlinkSocket } from '../socket/socket.js'
import { didYouMean } from './suggest.js'

/** Opens the namespace that a command line means. One that is not there is told of with a name that may have been meant. */
export async function known(namespace: NamespaceTarget): Promise<Netns> {
  try {
    return await Netns.of(namespace)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    if (typeof namespace === 'number') throw new LibcontainerError('ENOENT', `there is no process ${namespace}`)
    if (typeof namespace !== 'string' || namespace.startsWith('/')) throw error
    throw await absent(namespace)
  }
}

/** What is told of a name that is not there. */
export async function absent(name: string): Promise<LibcontainerError> {
  const names = (await Netns.list()).map(each => each.name)
  return new LibcontainerError('ENOENT', `there is no network namespace '${name}'${didYouMean(name, names)}`, {
    hint: 'netlink netns list',
  })
}

/** A socket in that namespace, or in that of the command. */
export async function openIn(namespace: NamespaceTarget | undefined): Promise<NetlinkSocket> {
  if (namespace === undefined) return await NetlinkSocket.open()
  using netns = await known(namespace)
  return await NetlinkSocket.open({ namespace: netns })
}
