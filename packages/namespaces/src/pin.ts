import {
  ConfigInvalid,
  checked,
  isErrno,
  listDirectory,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  type OwnedFd,
  openDirectory,
  openFile,
  openFlags,
  removeFile,
  type Step,
  SyscallError,
  tryAgain,
} from '@libcontainer/sys'
import { inspectNamespace, type NamespaceInfo, openNamespaceFd } from './inspect.js'
import type { NamespaceKind } from './kinds.js'
import { native } from './native.js'
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
    return await inDirectory(path, async (at, name) => {
      await makeFile(name, at, path)
      try {
        const file = await openFile(name, O_PATH | openFlags().O_NOFOLLOW, 0, { at })
        try {
          await native.apply([bindStep(fd, file, kind, path)])
        } finally {
          file.close()
        }
      } catch (error) {
        await removeFile(name, { at })
        throw error
      }
      return { ...info, path }
    })
  } finally {
    if (given === undefined) fd.close()
  }
}

async function makeFile(name: string, at: OwnedFd, path: string): Promise<void> {
  try {
    const made = await openFile(name, O_RDONLY | O_CREAT | O_EXCL | openFlags().O_NOFOLLOW, 0o444, { at })
    made.close()
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    const hint = 'take another name, or release what is pinned there: unpinNamespace(path), or namespaces unpin PATH'
    throw new SyscallError(error.errno, error.syscall, { path, hint, cause: error })
  }
}

function bindStep(fd: OwnedFd, file: OwnedFd, kind: NamespaceKind, path: string): Step {
  return {
    op: 'bindNamespace',
    args: [fd.fd, file.fd],
    about: `pin a ${kind} namespace at ${path}`,
    path,
    hints: {
      EPERM: 'needs CAP_SYS_ADMIN over the mount namespace',
      EINVAL:
        'the file must lie in the mount namespace of this process, and for a mount namespace on a mount that is private',
      ELOOP: 'a mount namespace can be pinned only from one that is older than it',
    },
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
  try {
    return await inDirectory(path, async (at, name) => {
      for (let found = false; ; found = true) {
        const pin = await openPin(name, at)
        if (pin === undefined) return found
        try {
          if (!(await isNamespace(pin))) {
            if (!found) throw new ConfigInvalid('path', path, 'is no pinned namespace')
            await removeFile(name, { at })
            return true
          }
          checked(await native.async.unbindNamespace(pin.fd), 'umount2', path)
        } finally {
          pin.close()
        }
      }
    })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
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
      const pin = await openPin(name, at)
      if (pin === undefined) continue
      try {
        if (await isNamespace(pin))
          found.push({ ...(await inspectNamespace(pin)), path: `${directory.replace(/\/+$/, '')}/${name}` })
      } finally {
        pin.close()
      }
    }
    return found
  } finally {
    at.close()
  }
}

/** `undefined` where there is no such file, or one that cannot be opened, which is no namespace. */
async function openPin(name: string, at: OwnedFd): Promise<OwnedFd | undefined> {
  try {
    return await openFile(name, O_RDONLY | O_NONBLOCK | openFlags().O_NOFOLLOW, 0, { at })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EACCES', 'ENXIO', 'ENODEV')) return undefined
    throw error
  }
}

async function isNamespace(fd: OwnedFd): Promise<boolean> {
  try {
    await inspectNamespace(fd)
    return true
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return false
    throw error
  }
}

/** In milliseconds: a pin takes less than one. */
const PATIENCE = 30_000
const LOCK_NOW = 2 | 4

/** Calls `act` with the directory of a path, which nobody else pins in meanwhile, and the last name. */
async function inDirectory<T>(path: string, act: (at: OwnedFd, name: string) => Promise<T>): Promise<T> {
  const [, parent, name] = /^(.*\/)([^/]+)$/.exec(path) ?? []
  if (parent === undefined || name === undefined || name === '.' || name === '..')
    throw new ConfigInvalid('path', path, 'must end in the name of a file')
  const at = await openDirectory(parent)
  try {
    const locked = await tryAgain(() => lock(at, parent), PATIENCE)
    if (locked === undefined) throw new SyscallError(11, 'flock', { path: parent })
    return await act(at, name)
  } finally {
    // And with it the lock.
    at.close()
  }
}

async function lock(directory: OwnedFd, path: string): Promise<true | undefined> {
  try {
    await native.apply([{ op: 'lock', args: [directory.fd, LOCK_NOW], about: `lock ${path}`, path }])
    return true
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined
    throw error
  }
}
