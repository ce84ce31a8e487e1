import {
  checked,
  isErrno,
  listDirectory,
  lockedDirectory,
  makeDirectory,
  OwnedFd,
  openDirectory,
  parsePins,
  pin,
  readLink,
  readText,
  stat,
  unpin,
} from '@libcontainer/sys'
import { native } from '../native.js'
import { type NamespaceTarget, NETNS_DIRECTORY, netnsPath, openNamespace } from './namespace.js'

export interface NetnsPlace {
  /** Where names are kept. Default: `/run/netns`, as for ip-netns(8) */
  readonly directory?: string | undefined
}

export interface NetnsOptions extends NetnsPlace {
  /** Keeps it by this name, until {@link Netns.delete}. Default: it lives as long as its descriptor, and whatever else is in it. */
  readonly name?: string | undefined
  /** Gives up before the next act; nothing is left then. */
  readonly signal?: AbortSignal | undefined
}

/** A name of {@link Netns.list}. */
export interface NamedNetns {
  readonly name: string
  readonly path: string
  /** The number of the namespace, as in `net:[4026531840]`; `undefined` where nothing is mounted on the file: a left-over, or a pin in another mount namespace. */
  readonly inode: bigint | undefined
}

/**
 * A network namespace, held by a descriptor: it lives at least as long as that is open. Functions that take a namespace take one of these.
 *
 * ```ts
 * using blue = await Netns.create()
 * await using net = await Netlink.open({ namespace: blue })
 * ```
 */
export class Netns implements Disposable {
  readonly fd: OwnedFd
  /** With the device of nsfs, of which there is one, its identity. */
  readonly inode: bigint

  private constructor(fd: OwnedFd, inode: bigint) {
    this.fd = fd
    this.inode = inode
  }

  static async #from(fd: OwnedFd): Promise<Netns> {
    try {
      return new Netns(fd, (await stat('', { at: fd })).inode)
    } catch (error) {
      fd.close()
      throw error
    }
  }

  /**
   * Makes one, in which there is nothing but a loopback device that is down.
   *
   * @throws {ConfigInvalid} for a bad name, before anything is made
   * @throws {SyscallError} `EEXIST` when the name is taken, `EPERM` without CAP_SYS_ADMIN, `ENOSPC` at the limit of user.max_net_namespaces
   */
  static async create({ name, directory, signal }: NetnsOptions = {}): Promise<Netns> {
    if (name !== undefined) netnsPath(name, { directory })
    signal?.throwIfAborted()
    const made = checked(await native.async.makeNetworkNamespace(), 'clone', undefined, {
      step: 'make a network namespace',
      hint: 'it needs CAP_SYS_ADMIN, which an ordinary user has in a user namespace, and room in user.max_net_namespaces',
    })
    const netns = await Netns.#from(new OwnedFd(made))
    try {
      signal?.throwIfAborted()
      if (name !== undefined) await netns.pin(name, { directory })
      return netns
    } catch (error) {
      netns.close()
      throw error
    }
  }

  /** Opens one that exists. @throws {ConfigInvalid | SyscallError} as {@link openNamespace} */
  static async of(namespace: NamespaceTarget): Promise<Netns> {
    return await Netns.#from(await openNamespace(namespace))
  }

  /** That in which this process is. */
  static async own(): Promise<Netns> {
    return await Netns.of('/proc/self/ns/net')
  }

  /** The names that are kept, in order, without opening any: what is mounted where is asked once for all. */
  static async list({ directory = NETNS_DIRECTORY }: NetnsPlace = {}): Promise<NamedNetns[]> {
    let at: OwnedFd
    try {
      at = await openDirectory(directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
    try {
      // The kernel tells mounts by paths without links.
      const [place, entries, mountinfo] = await Promise.all([
        readLink(`/proc/self/fd/${at.fd}`),
        listDirectory('.', { at }),
        readText('/proc/self/mountinfo'),
      ])
      const names = entries.filter(({ type }) => type === 'file' || type === 'unknown').map(({ name }) => name)
      return namedNamespaces(place, names, mountinfo)
    } finally {
      at.close()
    }
  }

  /**
   * Takes a name away. The namespace ends when nothing else keeps it: a process, a socket, a descriptor, or another name.
   *
   * @returns whether the name was there
   * @throws {ConfigInvalid} for a name at which something else is: it stays
   */
  static async delete(name: string, place: NetnsPlace = {}): Promise<boolean> {
    return await unpin(netnsPath(name, place), { leftover: true })
  }

  /**
   * Keeps it by a name, as `ip netns add` and `ip netns attach` do: a mount on a file of /run/netns, which is made a shared mount first, once.
   *
   * @returns the path
   * @throws {SyscallError} `EEXIST` when the name is taken, `EPERM` without CAP_SYS_ADMIN
   */
  async pin(name: string, { directory = NETNS_DIRECTORY }: NetnsPlace = {}): Promise<string> {
    const path = netnsPath(name, { directory })
    await makeDirectory(directory, { mode: 0o755, parents: true })
    await lockedDirectory(directory, async () => {
      checked(await native.async.shareMounts(directory), 'mount', directory, {
        hint: 'names are mounts: they need CAP_SYS_ADMIN over the mount namespace',
      })
    })
    await pin(this.fd, path, `keep a network namespace as ${path}`, 'netlink netns delete NAME')
    return path
  }

  /** Whether both are the same namespace. */
  equals(other: Netns): boolean {
    return this.inode === other.inode
  }

  /** Closes the descriptor. A name stays. */
  close(): void {
    this.fd.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Which of these files of a directory keep which namespaces, by what is mounted where. Pure. */
export function namedNamespaces(directory: string, names: readonly string[], mountinfo: string): NamedNetns[] {
  const inodes = new Map<string, bigint>()
  for (const [root, paths] of parsePins(mountinfo)) {
    const inode = /^net:\[(\d+)\]$/.exec(root)?.[1]
    if (inode !== undefined) for (const path of paths) inodes.set(path, BigInt(inode))
  }
  return [...names].sort().map(name => {
    const path = `${directory}/${name}`
    return { name, path, inode: inodes.get(path) }
  })
}
