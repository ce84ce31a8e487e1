import type { OwnedFd } from '@libcontainer/sys'

/** How cgroups are treated: `ignore` not at all; the others are `--manage-cgroups` of criu(8). */
export type CgroupMode = 'ignore' | 'none' | 'props' | 'soft' | 'full' | 'strict' | 'default'

/** What keeps packets of established connections away while their sockets are taken or made. */
export type NetworkLock = 'iptables' | 'nftables' | 'skip'

/** Where pages go to, or come from. */
export interface PageServer {
  /** An address or a name; an IPv6 address with or without brackets. */
  readonly address: string
  /** 1 to 65535. */
  readonly port: number
}

export interface ImageOptions {
  /** The directory of the images. */
  readonly imagesDir: string
  /** Where CRIU writes its log and statistics. Default: `imagesDir`. */
  readonly workDir?: string | undefined
  /** Of CRIU's log: 1 errors alone, 4 everything, with a line for every few pages, which are written while the processes stand still. Default: 3 */
  readonly logLevel?: number | undefined
  /** A name in `workDir`. Default: `dump.log`, `pre-dump.log`, `restore.log` */
  readonly logFile?: string | undefined
}

/** What dump and restore have in common: the words of CRIU's RPC, and of criu(8) where it has them. */
export interface TreeOptions extends ImageOptions {
  /** The root of the mount namespace, as this process sees it. */
  readonly root?: string | undefined
  /** Connections of TCP are taken with their state, and go on. */
  readonly tcpEstablished?: boolean | undefined
  /** Connections of TCP are closed ones afterwards. Since CRIU 3.14 */
  readonly tcpClose?: boolean | undefined
  /** UNIX sockets whose other end is not in the tree. */
  readonly extUnixSk?: boolean | undefined
  /** Processes whose session or terminal is not in the tree. */
  readonly shellJob?: boolean | undefined
  readonly fileLocks?: boolean | undefined
  /** Any path to a device is good where its own is not to be reached. */
  readonly evasiveDevices?: boolean | undefined
  /** Files without a name get one again. */
  readonly linkRemap?: boolean | undefined
  /** Frees the pages of an earlier image that this one has again; on restore, those that were read. */
  readonly autoDedup?: boolean | undefined
  /** Namespaces that are made without what is in them. CRIU knows `net` alone. */
  readonly emptyNs?: readonly 'net'[] | undefined
  /** Things that are not the tree's: `mnt[…]:key`, `net[inode]:key`, `pid[inode]:key`, `dev[…]:key`, `file[…]`, `tty[…]`, `unix[…]`, as criu(8) has them. */
  readonly external?: readonly string[] | undefined
  /** Mounts from outside: on dump, where they are and the key by which they are known then; on restore, the key and what is mounted. */
  readonly extMnt?: readonly { readonly key: string; readonly val: string }[] | undefined
  /** Mounts from outside are found by CRIU itself. */
  readonly autoExtMnt?: boolean | undefined
  readonly extSharing?: boolean | undefined
  readonly extMasters?: boolean | undefined
  /** Mounts that are left out. */
  readonly skipMnt?: readonly string[] | undefined
  /** File systems that CRIU does not know, and shall try. */
  readonly enableFs?: readonly string[] | undefined
  readonly manageCgroupsMode?: CgroupMode | undefined
  /** The root of a controller's hierarchy, or of all. */
  readonly cgRoot?: readonly { readonly ctrl?: string | undefined; readonly path: string }[] | undefined
  readonly cgroupProps?: string | undefined
  readonly cgroupPropsFile?: string | undefined
  readonly cgroupDumpController?: readonly string[] | undefined
  /** A directory with the hierarchies, for who may not mount them. Since CRIU 3.14 */
  readonly cgroupYard?: string | undefined
  /** Since CRIU 3.17; `skip` since 3.19. Default: CRIU's, `iptables` */
  readonly networkLock?: NetworkLock | undefined
  /** The tree has the master of its own terminal: a notification hands it over. On dump: it may be missing. Since CRIU 3.11 */
  readonly orphanPtsMaster?: boolean | undefined
  /** Pages stay where they are until they are used; on restore they are asked for from a `criu lazy-pages`. */
  readonly lazyPages?: boolean | undefined
  /** A file whose words overrule all of these: criu(8), --config. Since CRIU 3.11 */
  readonly configFile?: string | undefined
  /** A mask of CPU features that must be there again. Default: CRIU's */
  readonly cpuCap?: number | undefined
  readonly forceIrmap?: boolean | undefined
  readonly irmapScanPaths?: readonly string[] | undefined
  /** In bytes: of a file without a name. Default: 1 MiB */
  readonly ghostLimit?: number | undefined
  /** In seconds: how long it may take to stop the tree. Default: 10 */
  readonly timeout?: number | undefined
  /** The engine for mounts of before CRIU 3.17. */
  readonly mntnsCompatMode?: boolean | undefined
  /** Without root, with CAP_CHECKPOINT_RESTORE. Since CRIU 3.18 */
  readonly unprivileged?: boolean | undefined
  readonly tls?: Tls | undefined
}

/** Pages go and come over TLS. Since CRIU 3.14. Paths of files, in PEM. */
export interface Tls {
  readonly cacert?: string | undefined
  readonly cacrl?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly noCnVerify?: boolean | undefined
}

export interface PreDumpOptions extends TreeOptions {
  /** The first process of the tree. */
  readonly pid: number
  /** The images of an earlier pre-dump, of which this one leaves out what has not changed: relative to `imagesDir`, as CRIU wants it. */
  readonly parentImg?: string | undefined
  /** The kernel notes which pages change, for the next one. Default: `true` for a pre-dump, and with `parentImg` */
  readonly trackMem?: boolean | undefined
  /** How a pre-dump reads memory: `splice` by the tree itself, `read` from outside. Since CRIU 3.14 */
  readonly preDumpMode?: 'splice' | 'read' | undefined
  /** Pages go there, and not into files here. */
  readonly pageServer?: PageServer | undefined
  /** A freezer's directory, in which the tree is stopped all at once. On cgroup v2 since CRIU 3.14 */
  readonly freezeCgroup?: string | undefined
  /** Images that are there already are replaced. Default: `false`, a directory with images is refused. */
  readonly overwrite?: boolean | undefined
}

export interface DumpOptions extends PreDumpOptions {
  /** The tree goes on afterwards. Default: `false`, it is killed. */
  readonly leaveRunning?: boolean | undefined
  /** The tree is stopped afterwards, as by SIGSTOP. Since CRIU 4.1 */
  readonly leaveStopped?: boolean | undefined
  /** Connections that are being made are left out. */
  readonly tcpSkipInFlight?: boolean | undefined
  /** With `lazyPages`: a byte of NUL is written to it when pages may be asked for; then it is closed there. It must be open for writing. */
  readonly statusFd?: number | OwnedFd | undefined
  /** UNIX sockets whose other end stays outside, by their inodes. */
  readonly unixSkIno?: readonly number[] | undefined
}

export interface RestoreOptions extends TreeOptions {
  /** The restored tree's parent is CRIU's, this process. Default: `true`, and with a service `false` */
  readonly rstSibling?: boolean | undefined
  /** Namespaces that are there, and are joined instead of made: their kind and a path. */
  readonly joinNs?:
    | readonly {
        readonly ns: string
        readonly nsFile: string
        readonly extraOpt?: string | undefined
      }[]
    | undefined
  /** The names of veth pairs: inside, and outside with `@` and a bridge. */
  readonly veths?: readonly { readonly ifIn: string; readonly ifOut: string }[] | undefined
  /** `apparmor:NAME`, `selinux:CONTEXT`, in place of that of the dump. Since CRIU 3.16 */
  readonly lsmProfile?: string | undefined
  /** The context of mounts that had one. Since CRIU 3.16 */
  readonly lsmMountContext?: string | undefined
  /** Settings below /proc/sys that this kernel lacks are passed over. */
  readonly weakSysctls?: boolean | undefined
  /** Modes of files may have changed since. Since CRIU 3.18 */
  readonly skipFileRwxCheck?: boolean | undefined
}
