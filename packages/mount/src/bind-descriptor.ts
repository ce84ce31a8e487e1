import { ConfigInvalid, descriptor, type OwnedFd, readLink, type Stat, stat, verifyInode } from '@libcontainer/sys'
import { type CheckedMount, checkMount, type Mount } from './mount.js'

export interface BindDescriptorOptions {
  /** Where in the container. */
  readonly destination: string
  /** Words of the bind: `ro`, `nosuid`, … Default: none. */
  readonly options?: readonly string[] | undefined
}

/**
 * A bind of what a descriptor is, whatever becomes of its path until the mount is made: another file there is refused then, and never mounted. A handle
 * (`O_PATH`) will do; it stays the caller's, and open until the mount is made, since a file that is gone leaves its number to another.
 *
 * @throws {ConfigInvalid} for what has no path any more, or never had one: a pipe, a file in memory
 */
export async function bindDescriptor(
  file: OwnedFd | number,
  { destination, options = [] }: BindDescriptorOptions,
): Promise<Mount> {
  const fd = descriptor(file)
  const place = `/proc/self/fd/${fd}`
  const [source, wanted] = await Promise.all([readLink(place), stat(place)])
  const found = source.startsWith('/') ? await stat(source).catch(() => undefined) : undefined
  if (found === undefined || inodeOf(found) !== inodeOf(wanted))
    throw new ConfigInvalid('file', source, 'has no path by which it could be bound')
  const mount = { destination, type: 'bind', source, options: ['bind', ...options], inode: inodeOf(wanted) }
  checkMount(mount, 'mount')
  return mount
}

/** What a file is, as {@link Mount} tells it. */
const inodeOf = ({ device: { major, minor }, inode }: Stat): string => `${major}:${minor}:${inode}`

/**
 * Makes sure that a tree that was taken as the source of a bind is the file that the mount wants.
 *
 * @throws {LibcontainerError} `UnexpectedInode`
 */
export async function confirmSource({ inode, source }: Mount | CheckedMount, tree: OwnedFd): Promise<void> {
  if (inode === undefined) return
  await verifyInode(tree, ({ stat }) =>
    inodeOf(stat) === inode ? undefined : `${source} is ${inodeOf(stat)} by now, and was ${inode}`,
  )
}
