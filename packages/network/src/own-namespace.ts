import { type OwnedFd, openFile, stat } from '@libcontainer/sys'

const OWN = '/proc/self/ns/net'

/** A descriptor of this process's network namespace. */
export async function openOwnNamespace(): Promise<OwnedFd> {
  return await openFile(OWN)
}

/** What a namespace is known by while it lives: `device:inode`. Default: this process's. */
export async function identityOf(namespace?: OwnedFd): Promise<string> {
  const { device, inode } = namespace === undefined ? await stat(OWN) : await stat('', { at: namespace })
  return `${device.major}:${device.minor}:${inode}`
}
