import type { Criu, RestoreOptions as CriuRestoreOptions, DumpOptions, TreeOptions } from '@libcontainer/criu'
import { ConfigInvalid } from '@libcontainer/sys'
import { networkNamespace } from '../config/namespace-requests.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { hasNetworking } from '../network/network.js'
import { freezerKeys } from '../state/state.js'
import { type ExternalMount, externalMounts, type MountFacts } from './mounts.js'
import type { CheckpointOptions, RestoreOptions } from './options.js'
import { keyOf, type Stream, toldAtDump } from './streams.js'

/* What CRIU is asked for a container. Pure: everything of the kernel comes in as facts. */

/** What namespaces that are not the container's own are called in an image; runc calls them the same. */
const KEPT_OPEN = { net: 'extRootNetNS', pid: 'extRootPidNS' } as const

type KeptOpen = keyof typeof KEPT_OPEN

/** A namespace that the container has joined, and that CRIU is handed open. */
export interface JoinedNamespace {
  readonly kind: KeptOpen
  readonly path: string
}

/** The namespaces of others that CRIU leaves as they are. @throws {ConfigInvalid} for one that it could not */
export function joinedNamespaces({ namespaces }: ResolvedConfig): JoinedNamespace[] {
  return namespaces.flatMap(({ kind, path }, i) => {
    if (path === undefined) return []
    if (kind === 'cgroup')
      throw new ConfigInvalid(`namespaces[${i}]`, path, 'cannot be saved: CRIU joins no cgroup namespace of others', {
        hint: 'give the container one of its own',
      })
    return kind === 'net' || kind === 'pid' ? [{ kind, path }] : []
  })
}

/** @throws {ConfigInvalid} for what CRIU has no way to bring back */
export function confirmSaveable(config: ResolvedConfig): void {
  joinedNamespaces(config)
  const field = config.rootTmpfs === undefined ? 'rootOverlay' : 'rootTmpfs'
  if (config[field] !== undefined)
    throw new ConfigInvalid(field, config[field], 'cannot be saved: it ends with the mounts of the container', {
      hint: 'mount it on the host, and give it as rootfs',
    })
  if (config.rootIdMap !== undefined)
    throw new ConfigInvalid('rootIdMap', config.rootIdMap, 'cannot be saved: CRIU maps no ids of mounts')
  const inside = config.mounts.findIndex(({ options = [] }) =>
    options.some(word => word.split(',').includes('src-inside')),
  )
  if (inside >= 0)
    throw new ConfigInvalid(
      `mounts[${inside}].options`,
      'src-inside',
      'cannot be saved: CRIU finds no file of the host in it',
    )
  if (!config.namespaces.some(({ kind }) => kind === 'mnt'))
    throw new ConfigInvalid('namespaces', config.namespaces, 'must have mnt: the mounts of the host are in no image')
  if (!config.namespaces.some(({ kind }) => kind === 'pid'))
    throw new ConfigInvalid('namespaces', config.namespaces, 'must have pid: its processes get their numbers again')
}

/** What is in the container's network namespace is in no image: networks of ours we make anew, and whoever made others makes them again by a hook. */
export const leavesNetwork = (config: ResolvedConfig, { emptyNs = ['net'] }: Pick<TreeOptions, 'emptyNs'>): boolean =>
  networkNamespace(config.namespaces) === 'new' && (hasNetworking(config) || emptyNs.includes('net'))

function treeOptions(config: ResolvedConfig, options: CheckpointOptions | RestoreOptions): TreeOptions {
  const {
    imagesDir,
    workDir,
    tcpEstablished,
    tcpClose,
    extUnixSk,
    shellJob,
    fileLocks,
    linkRemap,
    autoDedup,
    manageCgroupsMode = 'soft',
    networkLock,
    lazyPages,
    configFile,
  } = options
  return {
    imagesDir,
    workDir,
    tcpEstablished,
    tcpClose,
    extUnixSk,
    shellJob,
    fileLocks,
    linkRemap,
    autoDedup,
    manageCgroupsMode,
    networkLock,
    lazyPages,
    configFile,
    emptyNs: leavesNetwork(config, options) ? ['net'] : undefined,
    orphanPtsMaster: true,
  }
}

export interface DumpFacts extends MountFacts {
  readonly pid: number
  readonly cgroupPaths: Readonly<Record<string, string>>
  readonly streams: readonly (Stream | undefined)[]
  /** The inodes of the namespaces that it has joined. */
  readonly joined: readonly { readonly kind: KeptOpen; readonly inode: bigint }[]
  /** Whether the network can be locked by them. */
  readonly nftables?: boolean | undefined
}

export interface DumpPlan {
  readonly request: DumpOptions
  /** By which CRIU asks for the streams again. */
  readonly streams: readonly (string | undefined)[]
}

/** What CRIU is asked to save a container. @throws {ConfigInvalid}, {ContainerError} for what cannot be saved */
export function planDump(config: ResolvedConfig, options: CheckpointOptions, facts: DumpFacts): DumpPlan {
  confirmSaveable(config)
  const { leaveRunning, tcpSkipInFlight, pageServer, parentImg, statusFd, overwrite } = options
  const mounts = externalMounts(config, facts)
  const ids = new Set(facts.table.map(({ id }) => id))
  const streams = facts.streams.map(stream => keyOf(stream, ids))
  const freezer = freezerKeys.map(key => facts.cgroupPaths[key]).find(path => path !== undefined)
  return {
    request: {
      ...treeOptions(config, options),
      networkLock: options.networkLock ?? (facts.nftables ? 'nftables' : undefined),
      pid: facts.pid,
      root: config.rootfs,
      leaveRunning,
      tcpSkipInFlight,
      pageServer,
      parentImg,
      statusFd,
      overwrite,
      trackMem: parentImg === undefined ? undefined : true,
      freezeCgroup: freezer,
      extMnt: mounts.map(({ key, mountPoint }: ExternalMount) => ({ key: mountPoint, val: key })),
      external: [
        ...facts.joined.map(({ kind, inode }) => `${kind}[${inode}]:${KEPT_OPEN[kind]}`),
        ...toldAtDump(streams),
      ],
    },
    streams,
  }
}

export interface RestoreFacts {
  /** The root filesystem where CRIU may find it. */
  readonly root: string
  /** What is mounted for the keys of the image. */
  readonly sources: ReadonlyMap<string, string>
  /** The container's cgroup in each hierarchy, below its top: by controllers, `''` for the unified one. */
  readonly cgroups: ReadonlyMap<string, string>
}

/** What CRIU is asked to bring a container back. @throws {ConfigInvalid} */
export function planRestore(config: ResolvedConfig, options: RestoreOptions, facts: RestoreFacts): CriuRestoreOptions {
  confirmSaveable(config)
  return {
    ...treeOptions(config, options),
    root: facts.root,
    lsmProfile: options.lsmProfile,
    lsmMountContext: options.lsmMountContext,
    // A device that was opened by a name which is no longer there is opened by another of it.
    evasiveDevices: true,
    rstSibling: true,
    extMnt: [...facts.sources].map(([key, val]) => ({ key, val })),
    cgRoot: [...facts.cgroups].map(([ctrl, path]) => ({ ...(ctrl === '' ? {} : { ctrl }), path })),
    joinNs: config.namespaces.flatMap(({ kind, path }) =>
      path === undefined || kind in KEPT_OPEN ? [] : [{ ns: kind, nsFile: path }],
    ),
  }
}

/** By which key an image asks for a namespace. */
export const keyOfNamespace = (kind: KeptOpen): string => KEPT_OPEN[kind]

/** Which CRIU a factory uses: a path, or nothing for where distributions install it. */
export const criuOf = (path: string | undefined): Criu => (path?.startsWith('/') ? { path } : {})
