import { OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { DEFAULT_SIMPLE_DEVICES } from '@libcontainer/devices'
import { cleanPath, defaultMounts, type Mount } from '@libcontainer/mount'
import type { Namespace } from '@libcontainer/namespaces'
import { type ContainerConfig, defaultMaskedPaths, defaultReadonlyPaths } from './config.js'
import { withMappedIds } from './mapped-ids.js'
import { namespacesOf, userNamespaceOf } from './namespace-requests.js'

/** A config with every default said, as plans want it and as `state.json` keeps it. */
export interface ResolvedConfig
  extends Omit<
    ContainerConfig,
    | 'namespaces'
    | 'mounts'
    | 'devices'
    | 'maskedPaths'
    | 'readonlyPaths'
    | 'cgroups'
    | 'capabilities'
    | 'sessionKeyring'
  > {
  readonly namespaces: readonly Namespace[]
  readonly mounts: NonNullable<ContainerConfig['mounts']>
  readonly devices: NonNullable<ContainerConfig['devices']>
  readonly maskedPaths: readonly string[]
  readonly readonlyPaths: readonly string[]
  readonly cgroups: NonNullable<ContainerConfig['cgroups']> & { readonly path: string }
  /** Its name; `undefined` for that of this process. */
  readonly sessionKeyring?: string | undefined
  readonly capabilities: Exclude<ContainerConfig['capabilities'], undefined>
}

/** Below no directory of ours, which somebody would have to remove after the last container. */
export function defaultCgroupPath(id: string): string {
  const name = `libcontainer-${id}`
  // Of the longest ids there is no room for more in a file name.
  return name.length > 255 ? `/${id}` : `/${name}`
}

/** Fills the defaults in. Pure; the config has passed {@link validate}. */
export function resolveConfig(id: string, config: ContainerConfig): ResolvedConfig {
  const { capabilities = OCI_CAPABILITIES, sessionKeyring, ...rest } = config
  return {
    ...rest,
    ...(sessionKeyring ? { sessionKeyring: sessionKeyring === true ? `_ses.${id}` : sessionKeyring } : {}),
    rootfs: cleanPath(config.rootfs),
    namespaces: namespacesOf(config),
    mounts: config.mounts ?? defaultMountsOf(config),
    devices: config.devices ?? DEFAULT_SIMPLE_DEVICES,
    maskedPaths: config.maskedPaths ?? defaultMaskedPaths,
    readonlyPaths: config.readonlyPaths ?? defaultReadonlyPaths,
    cgroups: { ...config.cgroups, path: config.cgroups?.path ?? defaultCgroupPath(id) },
    capabilities,
    ...(config.procFiles?.oom_score_adj === undefined ? {} : { oomScoreAdj: Number(config.procFiles.oom_score_adj) }),
  }
}

/** The terminals' group has an id of the host, 5, that the user namespace need not have: then they belong to root's. */
function defaultMountsOf(config: ContainerConfig): readonly Mount[] {
  const { uidMappings, gidMappings } = config
  if (gidMappings === undefined || userNamespaceOf(config) === undefined) return defaultMounts
  return defaultMounts.map(mount => withMappedIds(mount, { uidMappings, gidMappings }))
}

/** Whether a path is one that {@link defaultCgroupPath} makes, of whatever id. */
export function isDefaultCgroupPath(path: string): boolean {
  return /^\/(libcontainer-[^/]+|[^/]{243,})$/.test(path)
}
