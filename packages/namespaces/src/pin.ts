import {
  ConfigInvalid,
  isErrno,
  isNamespace,
  listDirectory,
  type OwnedFd,
  openDirectory,
  openPin,
  pin,
  unpin,
} from '@libcontainer/sys'
import { inspectNamespace, type NamespaceInfo, openNamespaceFd } from './inspect.js'
import type { NamespaceKind } from './kinds.js'
import { checkPath, checkWord } from './validate.js'

/** A namespace that a mount on a file keeps, like those of ip-netns(8). */
export interface PinnedNamespace extends NamespaceInfo {
  readonly path: string
}

/**
 * Keeps a namespace by a mount on a file, which is made: it lives on without a process in it, and can be joined by that path.
 *
 * Of several who pin at the same path at the same time one succeeds; a lock on the directory makes them take turns.
 *
 * @param where - a pid, `'self'`, the path of a namespace, or a descriptor of one
 * @param path - absolute, in a directory that is there, such as `/run/netns/blue`
 * @throws {ConfigInvalid} when the namespace is of another kind
 * @throws {SyscallError} `EEXIST` when something is there already, `EPERM` without CAP_SYS_ADMIN; `ELOOP` for a mount namespace that is not
 *   younger than the one of this process, `EINVAL` for one on a mount that is shared
 */
export async function pinNamespace(
  where: number | string | OwnedFd,
  kind: NamespaceKind,
  path: string,
): Promise<PinnedNamespace> {
  checkWord(kind, 'kind')
  checkPath(path, 'path')
  const given = typeof where === 'object' ? where : undefined
  const fd = given ?? (await openNamespaceFd(where as number | string, kind))
  try {
    const info = await inspectNamespace(fd)
    if (info.kind !== kind)
      throw new ConfigInvalid('kind', kind, `is not that of the namespace, which is a ${info.kind} namespace`)
    await pin(fd, path, `pin a ${kind} namespace at ${path}`, 'unpinNamespace(path), or namespaces unpin PATH')
    return { ...info, path }
  } finally {
    if (given === undefined) fd.close()
  }
}

/**
 * Takes a pin away, and its file. The namespace ends when nothing else keeps it.
 *
 * @returns whether there was one
 * @throws {ConfigInvalid} for a path at which something else is: it stays
 */
export async function unpinNamespace(path: string): Promise<boolean> {
  checkPath(path, 'path')
  return await unpin(path)
}

/**
 * The namespaces that are pinned in a directory, by name.
 *
 * @param directory - one that is absent has none
 */
export async function pinnedNamespaces(directory: string): Promise<PinnedNamespace[]> {
  checkPath(directory, 'directory')
  let at: OwnedFd
  try {
    at = await openDirectory(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  try {
    const names = (await listDirectory('.', { at })).map(({ name }) => name).sort()
    const found: PinnedNamespace[] = []
    for (const name of names) {
      const fd = await openPin(name, at)
      if (fd === undefined) continue
      try {
        if (await isNamespace(fd))
          found.push({ ...(await inspectNamespace(fd)), path: `${directory.replace(/\/+$/, '')}/${name}` })
      } finally {
        fd.close()
      }
    }
    return found
  } finally {
    at.close()
  }
}
