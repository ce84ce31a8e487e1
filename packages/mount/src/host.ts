import { ConfigInvalid, checked, kernelString, nulTerminated, OwnedFd } from '@libcontainer/sys'
import { exactChange, filesystemWords, newAttributes, packAttributes } from './attributes.js'
import { AT_FDCWD, HOW, MNT_DETACH, MNT_FORCE, MS, UMOUNT_NOFOLLOW } from './flags.js'
import { native } from './native.js'
import { parseMountOptions } from './options.js'
import { packPropagation } from './propagation.js'

export interface CreateMountOptions {
  /** A device, or what the file system takes for one; for those that take none, any name. Default: the type. */
  source?: string | undefined
  /** Option words, the file system's own among them. */
  options?: readonly string[] | undefined
}

/**
 * Makes a file system and a detached mount of it, which {@link moveMount} attaches.
 *
 * @returns a descriptor that the caller owns; the mount goes with it unless it is attached
 * @throws {SyscallError} `ENODEV` for an unknown type, `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` for an option that the
 *   file system refuses
 * @see fsopen(2), fsconfig(2), fsmount(2)
 */
export async function createMount(
  type: string,
  { source = type, options = [] }: CreateMountOptions = {},
): Promise<OwnedFd> {
  const { words, attributes } = newMount(options)
  const results = new Map<string, number>()
  const args = [kernelString(type, 'type'), kernelString(source, 'source'), words, attributes]
  await native.apply([{ op: 'createMount', args, about: `make ${type}`, path: source, into: 'mount' }], { results })
  return new OwnedFd(results.get('mount')!)
}

function newMount(options: readonly string[]): { words: Uint8Array; attributes: number; propagation: bigint } {
  const parsed = parseMountOptions(options)
  const wrong = parsed.flags & (MS.BIND | MS.REMOUNT)
  if (wrong) throw new ConfigInvalid('options', options, 'must not name bind or remount: a file system is being made')
  return {
    words: nulTerminated([...filesystemWords(parsed.flags, 0), ...parsed.data]),
    attributes: newAttributes(parsed),
    propagation: packPropagation(parsed.propagation),
  }
}

/**
 * Mounts a new file system on `target`, in the mount namespace of this process.
 *
 * @param target - an existing directory; links are followed
 * @throws {SyscallError} as {@link createMount}, with the file system's own words about what it refused; `ENOENT` for no such target
 * @see mount(2)
 */
export async function mount(
  type: string,
  target: string,
  { source = type, options = [] }: CreateMountOptions = {},
): Promise<void> {
  const { words, attributes, propagation } = newMount(options)
  const path = kernelString(target, 'target')
  const args = [
    AT_FDCWD,
    path,
    kernelString(type, 'type'),
    kernelString(source, 'source'),
    words,
    attributes,
    0,
    propagation,
  ]
  await native.apply([{ op: 'mountFilesystem', args, about: `mount ${type} on ${path}`, path }])
}

export interface BindMountOptions {
  /** Brings the mounts below `source` along. Default: `false`. */
  recursive?: boolean
  /** Option words: flags of the mount, recursive ones, propagation. Without any flag the source's stay. */
  options?: readonly string[]
}

/**
 * Shows `source` at `target` too. The flags hold from the first moment that the mount is seen.
 *
 * @param target - an existing directory for a directory, an existing file for a file
 * @throws {SyscallError} `ENOENT` for no such source or target, `ENOTDIR` for a file on a directory or the reverse, `EPERM`
 *   without `CAP_SYS_ADMIN`
 */
export async function bindMount(
  source: string,
  target: string,
  { recursive = false, options = [] }: BindMountOptions = {},
): Promise<void> {
  const parsed = parseMountOptions(options)
  if (parsed.data.length > 0)
    throw new ConfigInvalid('options', parsed.data[0], 'is unknown, and a bind has no file system to give it to')
  const how = recursive || parsed.flags & MS.REC ? HOW.RECURSIVE : 0
  const path = kernelString(target, 'target')
  const args = [
    AT_FDCWD,
    -1,
    kernelString(source, 'source'),
    path,
    how,
    packAttributes(exactChange(parsed)),
    packAttributes(parsed.recursive),
    packPropagation(parsed.propagation),
  ]
  await native.apply([{ op: 'bindMount', args, about: `bind ${source} on ${path}`, path }])
}

export interface UnmountOptions {
  /** Takes it out of sight at once, and away when nothing uses it any more. Default: `false`. */
  detach?: boolean
  /** For a network file system whose server is gone. Default: `false`. */
  force?: boolean
  /** `false` refuses a target that is a link. Default: `true`. */
  follow?: boolean
}

/**
 * Unmounts what is mounted last at `target`.
 *
 * @throws {SyscallError} `EINVAL` where nothing is mounted, `EBUSY` while it is in use, `EPERM` without `CAP_SYS_ADMIN`
 * @see umount2(2)
 */
export async function unmount(
  target: string,
  { detach = false, force = false, follow = true }: UnmountOptions = {},
): Promise<void> {
  const flags = (detach ? MNT_DETACH : 0) | (force ? MNT_FORCE : 0) | (follow ? 0 : UMOUNT_NOFOLLOW)
  checked(await native.async.unmount(kernelString(target, 'target'), flags), 'umount2', target)
}

/**
 * Whether something is mounted at `path`: asked of the kernel, which finds binds of the same file system too.
 *
 * @throws {SyscallError} `ENOENT` for no such path
 */
export async function mounted(path: string): Promise<boolean> {
  return checked(await native.async.isMountPoint(kernelString(path, 'path')), 'open', path) === 1
}
