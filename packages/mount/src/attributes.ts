import { MOUNT_ATTR, MS } from './flags.js'
import type { AttributeChange, ParsedOptions } from './options.js'

/** mount(2)'s flag of each attribute but the atime field. */
const pairs: readonly (readonly [ms: number, attribute: number])[] = [
  [MS.RDONLY, MOUNT_ATTR.RDONLY],
  [MS.NOSUID, MOUNT_ATTR.NOSUID],
  [MS.NODEV, MOUNT_ATTR.NODEV],
  [MS.NOEXEC, MOUNT_ATTR.NOEXEC],
  [MS.NODIRATIME, MOUNT_ATTR.NODIRATIME],
  [MS.NOSYMFOLLOW, MOUNT_ATTR.NOSYMFOLLOW],
]

const ATIME_FLAGS = MS.NOATIME | MS.RELATIME | MS.STRICTATIME

/** The attributes that flags of mount(2) stand for; strictatime wins over noatime, as in the kernel. */
export function attributesOf(flags: number): number {
  let attributes = 0
  for (const [ms, attribute] of pairs) if (flags & ms) attributes |= attribute
  if (flags & MS.STRICTATIME) attributes |= MOUNT_ATTR.STRICTATIME
  else if (flags & MS.NOATIME) attributes |= MOUNT_ATTR.NOATIME
  return attributes
}

/** For a new mount: its attributes, those that hold recursively too, since nothing lies below it. */
export function newAttributes({ flags, recursive }: ParsedOptions): number {
  return (attributesOf(flags) & ~recursive.clear) | recursive.set
}

/**
 * For a mount that has attributes already: what the words name and nothing else. Whatever else the mount has stays, so
 * that a flag which the kernel has locked is touched only when somebody asked for it.
 */
export function namedChange({ flags, cleared }: ParsedOptions): AttributeChange {
  const set = attributesOf(flags)
  const field = (flags | cleared) & ATIME_FLAGS ? MOUNT_ATTR.ATIME : 0
  return { set, clear: (attributesOf(cleared & ~ATIME_FLAGS) & ~set) | field }
}

/** What a bind does not keep of its source once any flag is named: fstab's and mount(8)'s rule. atime stays unless named. */
const REPLACED = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC | MOUNT_ATTR.NOSYMFOLLOW

/** For a bind: exactly the flags that the words name. Without any word the source's flags stay. */
export function exactChange(options: ParsedOptions): AttributeChange {
  const named = namedChange(options)
  if (named.set === 0 && named.clear === 0) return named
  return { set: named.set, clear: named.clear | (REPLACED & ~named.set) }
}

/** As the one integer that the ops take: what to set in the low 32 bits, what to clear in the high. */
export function packAttributes({ set, clear }: AttributeChange): bigint {
  return BigInt(set) | (BigInt(clear) << 32n)
}

/** What of the flags belongs to the file system itself, as words of fsconfig(2). A file system's own words for `iversion` differ: it gets ext4's. */
export function filesystemWords(flags: number, cleared: number): string[] {
  const found: string[] = []
  const word = (flag: number, set: string, clear?: string): void => {
    if (flags & flag) found.push(set)
    else if (clear !== undefined && cleared & flag) found.push(clear)
  }
  word(MS.RDONLY, 'ro', 'rw')
  word(MS.SYNCHRONOUS, 'sync', 'async')
  word(MS.DIRSYNC, 'dirsync')
  word(MS.MANDLOCK, 'mand', 'nomand')
  word(MS.LAZYTIME, 'lazytime', 'nolazytime')
  word(MS.I_VERSION, 'i_version')
  return found
}
