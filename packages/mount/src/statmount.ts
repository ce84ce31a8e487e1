import { checked, decodeUtf8, LibcontainerError } from '@libcontainer/sys'
import { MOUNT_ATTR } from './flags.js'
import type { MountInfo } from './mount-info.js'
import { native } from './native.js'

/** What statmount(2) tells of a mount. */
export interface MountStatus extends MountInfo {
  /** Its number for good: no later mount has it, as `id` may be had again. */
  readonly uniqueId: bigint
  readonly uniqueParent: bigint
  /** Of an id-mapped mount, where the kernel tells (6.15): `uidMappings`, each `first id of the file system, shown as, how many`. */
  readonly uidMappings?: readonly string[]
  readonly gidMappings?: readonly string[]
}

export interface ListMountsOptions {
  /** The mount that they lie on. Default: the root of the namespace. */
  readonly of?: bigint | undefined
  /** The number of another mount namespace, as `ioctl_nsfs(2)` tells it. Default: this process's. */
  readonly namespace?: bigint | undefined
}

/** LSMT_ROOT: whatever the root of the namespace is. */
const ROOT = -1n

/** So many at a time. */
const COUNT = 4096

/** All that this function knows how to show: STATMOUNT_* but for the lists of options, which come as one text. */
const MASK = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x80 | 0x100 | 0x200 | 0x2000 | 0x4000
const HAS = { PROPAGATE_FROM: 0x4, OPTIONS: 0x80, SUBTYPE: 0x100, SOURCE: 0x200, UIDS: 0x2000, GIDS: 0x4000 } as const

/** Where the strings of a struct statmount begin. */
const STRINGS = 512

/**
 * The unique numbers of all mounts on one, its own left out; below the root of the namespace, all that can be reached.
 *
 * @throws {LibcontainerError} `ERR_UNSUPPORTED` before Linux 6.8
 * @throws {SyscallError} `ENOENT` for no such mount, `EPERM` for one that this process may not see
 * @see listmount(2)
 */
export async function listMounts({ of = ROOT, namespace = 0n }: ListMountsOptions = {}): Promise<bigint[]> {
  const ids: bigint[] = []
  for (;;) {
    const buffer = new BigUint64Array(COUNT)
    const bytes = new Uint8Array(buffer.buffer)
    const count = supported(await native.async.listMounts(of, ids.at(-1) ?? 0n, namespace, bytes), 'listmount')
    for (let i = 0; i < count; i++) ids.push(buffer[i]!)
    if (count < COUNT) return ids
  }
}

/**
 * What the kernel knows of these mounts, in their order. One that is gone is left out.
 *
 * @param ids - unique numbers: of {@link listMounts}, or `uniqueParent`
 * @throws {LibcontainerError} `ERR_UNSUPPORTED` before Linux 6.8
 * @see statmount(2)
 */
export async function statMounts(
  ids: readonly bigint[],
  { namespace = 0n }: Pick<ListMountsOptions, 'namespace'> = {},
): Promise<MountStatus[]> {
  const found: MountStatus[] = []
  const list = new Uint8Array(BigUint64Array.from(ids).buffer)
  for (let done = 0, size = 1 << 18; done < ids.length; ) {
    const buffer = new Uint8Array(size)
    const asked = await native.async.statMounts(list.subarray(8 * done), MASK, namespace, buffer)
    if (asked === -EOVERFLOW && size < MOST) {
      size *= 4
      continue
    }
    done += supported(asked, 'statmount')
    for (let at = 0; at + STRINGS <= buffer.length; ) {
      const view = new DataView(buffer.buffer, at)
      const length = view.getUint32(0, true)
      if (length === 0) break
      found.push(statusOf(view, buffer.subarray(at, at + length)))
      at += (length + 7) & ~7
    }
  }
  return found
}

const EOVERFLOW = 75
const ENOSYS = 38
/** Of one mount: an overlay may have five hundred lower directories. */
const MOST = 1 << 24

function supported(result: number, syscall: string): number {
  if (result === -ENOSYS)
    throw new LibcontainerError('ERR_UNSUPPORTED', `${syscall} needs Linux 6.8`, {
      hint: 'readMountInfo() tells the same on every kernel, but for unique numbers',
    })
  return checked(result, syscall)
}

function statusOf(view: DataView, bytes: Uint8Array): MountStatus {
  const u32 = (at: number): number => view.getUint32(at, true)
  const u64 = (at: number): bigint => view.getBigUint64(at, true)
  const text = (offset: number): string => {
    const from = STRINGS + u32(offset)
    return decodeUtf8(bytes.subarray(from, bytes.indexOf(0, from)))
  }
  const has = Number(u64(8))
  const options = has & HAS.OPTIONS ? text(4) : ''
  const subtype = has & HAS.SUBTYPE ? text(120) : ''
  const propagation = Number(u64(72))
  const from = Number(u64(96))
  const words = (count: number, offset: number): string[] => {
    const all = decodeUtf8(bytes.subarray(STRINGS + u32(offset))).split('\0')
    return all.slice(0, u32(count))
  }
  return {
    id: u32(56),
    parent: u32(60),
    uniqueId: u64(40),
    uniqueParent: u64(48),
    major: u32(16),
    minor: u32(20),
    root: text(104),
    mountPoint: text(108),
    options: attributeWords(Number(u64(64))),
    ...(propagation & SHARED ? { shared: Number(u64(80)) } : {}),
    ...(propagation & SLAVE ? { master: Number(u64(88)) } : {}),
    ...(has & HAS.PROPAGATE_FROM && from !== 0 ? { propagateFrom: from } : {}),
    ...(propagation & UNBINDABLE ? { unbindable: true as const } : {}),
    type: subtype === '' ? text(36) : `${text(36)}.${subtype}`,
    source: has & HAS.SOURCE ? text(124) : '',
    superOptions: [u32(32) & SB_RDONLY ? 'ro' : 'rw', ...(options === '' ? [] : options.split(','))],
    ...(has & HAS.UIDS && u32(152) > 0 ? { uidMappings: words(152, 156) } : {}),
    ...(has & HAS.GIDS && u32(160) > 0 ? { gidMappings: words(160, 164) } : {}),
  }
}

const SHARED = 1 << 20
const SLAVE = 1 << 19
const UNBINDABLE = 1 << 17
const SB_RDONLY = 1

/** In mountinfo's order. */
function attributeWords(attributes: number): string[] {
  const atime = attributes & MOUNT_ATTR.ATIME
  const flags: readonly (readonly [bit: number, word: string])[] = [
    [MOUNT_ATTR.NOSUID, 'nosuid'],
    [MOUNT_ATTR.NODEV, 'nodev'],
    [MOUNT_ATTR.NOEXEC, 'noexec'],
  ]
  const later: readonly (readonly [bit: number, word: string])[] = [
    [MOUNT_ATTR.NODIRATIME, 'nodiratime'],
    [MOUNT_ATTR.NOSYMFOLLOW, 'nosymfollow'],
    [MOUNT_ATTR.IDMAP, 'idmapped'],
  ]
  const set = (list: typeof flags): string[] => list.filter(([bit]) => attributes & bit).map(([, word]) => word)
  return [
    attributes & MOUNT_ATTR.RDONLY ? 'ro' : 'rw',
    ...set(flags),
    ...(atime === MOUNT_ATTR.NOATIME ? ['noatime'] : []),
    ...set(later.slice(0, 1)),
    ...(atime === 0 ? ['relatime'] : []),
    ...set(later.slice(1)),
  ]
}
