/** Flags of mount(2) that an option word stands for. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  MANDLOCK: 64,
  DIRSYNC: 128,
  NOSYMFOLLOW: 256,
  NOATIME: 1024,
  NODIRATIME: 2048,
  BIND: 4096,
  REC: 16384,
  SILENT: 32768,
  RELATIME: 1 << 21,
  I_VERSION: 1 << 23,
  STRICTATIME: 1 << 24,
  LAZYTIME: 1 << 25,
} as const

/** Attributes of one mount, for fsmount(2) and mount_setattr(2). */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  /** The field that RELATIME (0), NOATIME and STRICTATIME are values of. */
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  IDMAP: 0x100000,
  NOSYMFOLLOW: 0x200000,
} as const

/** How the ops find the target and treat the source: native/internal.h has the same numbers. */
export const HOW = {
  TARGET_REAL: 1,
  TARGET_PROC: 2,
  COPY_MODE: 4,
  RECURSIVE: 8,
  SOURCE_PROC: 16,
  COPY_UP: 32,
  AT_ONCE: 64,
  TARGET_LINK: 128,
  SOURCE_LINK: 256,
  COPY_LINK: 512,
  KEEP: 1024,
  SCRATCH: 2048,
  SOURCE_INSIDE: 4096,
} as const

export const AT_FDCWD = -100
export const AT_EMPTY_PATH = 0x1000
export const AT_RECURSIVE = 0x8000
export const AT_SYMLINK_NOFOLLOW = 0x100
export const OPEN_TREE_CLONE = 1
export const MOVE_MOUNT_F_EMPTY_PATH = 0x4
export const MOVE_MOUNT_T_SYMLINKS = 0x10
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40
export const MNT_FORCE = 1
export const MNT_DETACH = 2
export const UMOUNT_NOFOLLOW = 8
