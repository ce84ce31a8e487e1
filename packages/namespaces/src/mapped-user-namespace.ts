import type { OwnedFd } from '@libcontainer/sys'
import { checkIdMap, type IdMaps, idMapText, mergeIdMap } from './id-map.js'
import { makeNamespaces } from './unshare.js'

/** A user namespace without a process, for what takes a descriptor of one: a mount with mapped ids. */
export interface MappedUserNamespace extends Disposable {
  /** Lent: it is closed when the last who asked for these maps has released it. */
  readonly fd: OwnedFd
  /** A second call does nothing. */
  release(): void
}

interface Shared {
  readonly made: Promise<OwnedFd>
  users: number
}

const all = new Map<string, Shared>()

/**
 * A user namespace with these maps. Who asks for equal ones, however they are split into lines, gets the same, until all have released it.
 *
 * @throws {ConfigInvalid} for maps that the kernel would refuse
 */
export async function mappedUserNamespace(maps: IdMaps): Promise<MappedUserNamespace> {
  checkIdMap(maps.uid, 'uid')
  checkIdMap(maps.gid, 'gid')
  const key = `${idMapText(mergeIdMap(maps.uid))}/${idMapText(mergeIdMap(maps.gid))}`
  const shared = all.get(key) ?? { made: make(maps), users: 0 }
  all.set(key, shared)
  shared.users++
  const leave = (): void => {
    if (--shared.users === 0 && all.get(key) === shared) all.delete(key)
  }
  let fd: OwnedFd
  try {
    fd = await shared.made
  } catch (error) {
    leave()
    throw error
  }
  let held = true
  const release = (): void => {
    if (!held) return
    held = false
    leave()
    if (shared.users === 0) fd.close()
  }
  return { fd, release, [Symbol.dispose]: release }
}

async function make({ uid, gid }: IdMaps): Promise<OwnedFd> {
  const fds = await makeNamespaces({ namespaces: ['user'], uidMappings: uid, gidMappings: gid })
  return fds.get('user')!
}
