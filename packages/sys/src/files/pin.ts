import { callAgain } from '../again.js'
import { ConfigInvalid, checked, SyscallError } from '../errors/errors.js'
import { native } from '../native.js'
import { unescapedField } from '../proc/unescaped.js'
import { isErrno } from '../process/wait.js'
import type { OwnedFd } from './fd.js'
import {
  type At,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openDirectory,
  openFile,
  openFlags,
  removeFile,
  stat,
} from './files.js'

/** The `CLONE_NEW…` flag of the namespace that a descriptor is. @throws {SyscallError} `EINVAL` when it is none */
export async function namespaceType(fd: OwnedFd, path?: string): Promise<number> {
  return checked(await native.async.namespaceType(fd.fd), 'ioctl(NS_GET_NSTYPE)', path)
}

/**
 * Keeps a namespace by a mount on a file, which is made: of several who pin at the same path at the same time one succeeds, and nothing is ever
 * mounted twice; a lock on the directory makes them take turns.
 *
 * @param path - absolute, in a directory that is there
 * @param release - how people take away what is there already
 * @throws {SyscallError} `EEXIST` when something is there already, `EPERM` without CAP_SYS_ADMIN
 */
export async function pin(fd: OwnedFd, path: string, about: string, release: string): Promise<void> {
  await inDirectory(path, async (at, name) => {
    await makeFile(name, { at }, path, release)
    try {
      const file = await openFile(name, O_PATH | openFlags().O_NOFOLLOW, 0, { at })
      try {
        await native.apply([{ op: 'bindNamespace', args: [fd.fd, file.fd], about, path, hints }])
      } finally {
        file.close()
      }
    } catch (error) {
      await removeFile(name, { at })
      throw error
    }
  })
}

const hints = {
  EPERM: 'needs CAP_SYS_ADMIN over the mount namespace',
  EINVAL:
    'the file must lie in the mount namespace of this process, and for a mount namespace on a mount that is private',
  ELOOP:
    'a mount namespace can be pinned only from one that is older than it; Linux 6.18 goes by numbers of which each processor has its own, so both must be made on one',
}

async function makeFile(name: string, at: At, path: string, release: string): Promise<void> {
  try {
    const made = await openFile(name, O_RDONLY | O_CREAT | O_EXCL | openFlags().O_NOFOLLOW, 0o444, at)
    made.close()
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    const hint = `take another name, or release what is pinned there: ${release}`
    throw new SyscallError(error.errno, error.syscall, { path, hint, cause: error })
  }
}

export interface UnpinOptions {
  /** Takes an empty file for what somebody left who was killed before the mount, and removes it. Default: `false`, it is refused */
  readonly leftover?: boolean
}

/**
 * Takes a pin away, and its file. The namespace ends when nothing else keeps it.
 *
 * @returns whether there was one
 * @throws {ConfigInvalid} for a path at which something else is: it stays
 */
export async function unpin(path: string, { leftover = false }: UnpinOptions = {}): Promise<boolean> {
  try {
    return await inDirectory(path, async (at, name) => {
      for (let found = false; ; found = true) {
        const fd = await openPin(name, at)
        if (fd === undefined) return found
        try {
          if (!(await isNamespace(fd))) {
            if (!found && !(leftover && (await isEmptyFile(name, { at }))))
              throw new ConfigInvalid('path', path, 'is no pinned namespace')
            await removeFile(name, { at })
            return true
          }
          checked(await native.async.unbindNamespace(fd.fd), 'umount2', path)
        } finally {
          fd.close()
        }
      }
    })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

async function isEmptyFile(name: string, at: At): Promise<boolean> {
  const { type, size } = await stat(name, { follow: false, ...at })
  return type === 'file' && size === 0
}

/** A file that may be a pin: `undefined` where there is none, or one that cannot be opened, which is no namespace. */
export async function openPin(name: string, at: OwnedFd): Promise<OwnedFd | undefined> {
  try {
    return await openFile(name, O_RDONLY | O_NONBLOCK | openFlags().O_NOFOLLOW, 0, { at })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EACCES', 'ENXIO', 'ENODEV')) return undefined
    throw error
  }
}

/** Whether a descriptor is one of a namespace. */
export async function isNamespace(fd: OwnedFd): Promise<boolean> {
  try {
    await namespaceType(fd)
    return true
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return false
    throw error
  }
}

/** Where namespaces are mounted, by their names, such as `net:[4026531840]`: from /proc/PID/mountinfo. Pure. */
export function parsePins(mountinfo: string): Map<string, string[]> {
  const pins = new Map<string, string[]>()
  for (const line of mountinfo.split('\n')) {
    if (!line.includes(' - nsfs ')) continue
    const [, , , root = '', path = ''] = line.split(' ')
    const paths = pins.get(root) ?? []
    paths.push(unescapedField(path))
    pins.set(root, paths)
  }
  return pins
}

/** In milliseconds: a pin takes less than one. */
const PATIENCE = 30_000
const LOCK_NOW = 2 | 4

/** Calls `act` with the directory of a path, which nobody else pins in meanwhile, and the last name. */
async function inDirectory<T>(path: string, act: (at: OwnedFd, name: string) => Promise<T>): Promise<T> {
  const [, parent, name] = /^(.*\/)([^/]+)$/.exec(path) ?? []
  if (parent === undefined || name === undefined || name === '.' || name === '..')
    throw new ConfigInvalid('path', path, 'must end in the name of a file')
  return await lockedDirectory(parent, async at => await act(at, name))
}

/** Calls `act` with a directory on which nobody else has a lock meanwhile: flock(2), as ip-netns(8) has it on /run/netns. */
export async function lockedDirectory<T>(path: string, act: (at: OwnedFd) => Promise<T>): Promise<T> {
  const at = await openDirectory(path)
  try {
    checked(await callAgain(() => native.async.lock(at.fd, LOCK_NOW), PATIENCE), 'flock', path)
    return await act(at)
  } finally {
    // And with it the lock.
    at.close()
  }
}
