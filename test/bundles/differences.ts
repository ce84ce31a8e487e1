import { cpus } from 'node:os'
import { requires } from '../support/index.js'

/**
 * A difference between what a program sees under runc 1.1 and under lcrun: the lines of both that stand for one another, of which the first group is
 * the same, and why that is right.
 */
export interface Explained {
  readonly section: string
  /** `null`: there is no such line. */
  readonly runc: RegExp | null
  readonly lcrun: RegExp
  readonly why: string
  /** Whether this host is one where they differ. Default: it is, as every host. */
  readonly here?: boolean
}

export const differences: readonly Explained[] = [
  {
    section: 'mounts',
    runc: /^0:… \/ \/sys ro,\S+ - sysfs sysfs ro$/,
    lcrun: /^0:… \/ \/sys ro,\S+ - sysfs sysfs rw$/,
    why: 'Read-only is an attribute of this mount; the superblock of sysfs is shared with whoever has the same network namespace.',
  },
  {
    section: 'mounts',
    runc: /^0:… \/ \/sys\/fs\/cgroup rw,\S+ - tmpfs tmpfs rw,mode=755$/,
    lcrun: /^0:… \/ \/sys\/fs\/cgroup ro,\S+ - tmpfs cgroup rw,mode=755$/,
    why: 'A cgroup mount that is to be read-only is so as a whole; runc 1.1 leaves the directory of the hierarchies writable.',
  },
  {
    section: 'access',
    runc: /^\/sys\/fs\/cgroup can be written$/,
    lcrun: /^\/sys\/fs\/cgroup cannot be written$/,
    why: 'The same.',
  },
  {
    section: 'mounts',
    runc: null,
    lcrun: /^0:… \S+ \/sys\/fs\/cgroup\/unified ro,\S+ - cgroup2 cgroup2 rw/,
    why: 'On a host with both kinds of cgroups the container sees its own directory of the unified hierarchy, too.',
    here: !requires('hybrid').skip,
  },
  {
    section: 'mounts',
    runc: /^0:… \/ (\/proc\/acpi|\/proc\/scsi|\/sys\/firmware|\/sys\/dev\/block) ro,relatime - tmpfs tmpfs ro$/,
    lcrun:
      /^0:… \/ (\/proc\/acpi|\/proc\/scsi|\/sys\/firmware|\/sys\/dev\/block) ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs ro,size=4k,nr_inodes=1,mode=555$/,
    why: 'A masked directory is an empty file system that can hold nothing: one for all of them, as in runc 1.3.',
  },
  {
    section: 'access',
    runc: /^(\/proc\/acpi|\/proc\/scsi|\/sys\/firmware|\/sys\/dev\/block): directory 1777, 0 entries, 0 bytes$/,
    lcrun: /^(\/proc\/acpi|\/proc\/scsi|\/sys\/firmware|\/sys\/dev\/block): directory 555, 0 entries, 0 bytes$/,
    why: 'The same: its mode says that it cannot be written.',
  },
  {
    section: 'mounts',
    runc: /^0:… \/ \/scratch \S+ - tmpfs tmpfs rw(|,size=1024k)$/,
    lcrun: /^0:… \/ \/scratch \S+ - tmpfs tmpfs rw(|,size=1024k),mode=755$/,
    why: 'The mode of the directory beneath is an option of the mount; runc 1.1 changes it afterwards.',
  },
  {
    section: 'status',
    runc: /^Cpus_allowed(_list|):\s+[01]$/,
    lcrun: /^Cpus_allowed(_list|):\s+[\da-f,-]+$/,
    why: 'A container may use all processors that its cgroup allows, also where the runtime itself may not: as runc since 1.2.',
    here: cpus().length > 1,
  },
  {
    section: 'descriptors',
    runc: /^([012]): \/dev\/pts\/0, flags:\s*0100002$/,
    lcrun: /^([012]): \/dev\/pts\/0, flags:\s*02000002$/,
    why: 'The terminal is opened by TIOCGPTPEER, which no path of the container can mislead, and which keeps the flags that it was asked for.',
  },
  {
    section: 'descriptors',
    runc: /^([012]): pipe:\[…\], flags:\s*0[01]$/,
    lcrun: /^([012]): (?:\/dev\/null|pipe:\[…\]|socket:\[…\]), flags:\s*\d+$/,
    why: 'Without a terminal the program has the streams that lcrun was called with; runc puts pipes between, and copies.',
  },
]
