import { OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { ConfigInvalid, signalNumber } from '@libcontainer/sys'
import { type ContainerConfig, defaultMaskedPaths, defaultReadonlyPaths } from '../config/config.js'
import { readCgroups, refuseAll, writeCgroups } from './cgroups.js'
import type { DialectConfig, DialectSource, ReadOptions } from './dialect.js'
import { Fields, pruned } from './fields.js'
import {
  NAMES_2015,
  readCapabilityNames,
  readDevices,
  readIdMaps,
  readNamespaces,
  readRlimits,
  writeDevices,
  writeIdMaps,
  writeNamespaces,
  writeRlimits,
} from './lists.js'
import { readMounts2015, writeMounts } from './mounts.js'
import { netOf, readNetworks, writeNetworks, writeRoutes } from './networks.js'
import { readSeccomp2015, writeSeccomp2015 } from './seccomp.js'
import { configFields, rootfsOf, writeCapabilityNames } from './shared.js'

/**
 * Reads a config of 2015, or the one in a state.json of that year.
 *
 * Lists that it does not have (`null` is none) are the default ones of this library; an empty list is empty. Without `seccomp` the default
 * filter is loaded, and none for `null`; capabilities that are not listed are dropped.
 *
 * @param value - the parsed file: `parseJson` keeps integers of 64 bits
 * @throws {ConfigInvalid} with the field; for what no package does yet, with the package that will
 */
export function readConfig2015(value: unknown, options: ReadOptions = {}): DialectConfig {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const file = configFields(value)
  const rootfs = rootfsOf(file.text('rootfs'), options)
  if (file.text('pivot_dir')) warn('pivot_dir: changes nothing, no directory is needed to change the root')
  const mountLabel = file.text('mount_label')
  const namespaces = readNamespaces(file)
  const { networks, routes } = readNetworks(file, netOf(namespaces), warn)
  const seccomp = file.object('seccomp')
  const sysctl = file.map('system_properties')
  const config: ContainerConfig = {
    rootfs,
    readonlyRootfs: file.flag('readonlyfs') || undefined,
    rootPropagation: file.flag('privatefs') ? 'rprivate' : undefined,
    noPivotRoot: file.flag('no_pivot_root') || undefined,
    namespaces,
    uidMappings: readIdMaps(file, 'uid_mappings'),
    gidMappings: readIdMaps(file, 'gid_mappings'),
    hostname: file.text('hostname'),
    mounts: readMounts2015(file, { label: mountLabel, warn }),
    devices: readDevices(file, 'devices', NAMES_2015),
    cgroups: readCgroups(file.object('cgroups'), '2015', warn),
    apparmorProfile: file.text('apparmor_profile'),
    selinuxLabel: file.text('process_label'),
    mountLabel,
    capabilities: readCapabilityNames(file, 'capabilities') ?? [],
    // Loading a filter took no right, since it gave up new ones first.
    ...(seccomp && { seccomp: readSeccomp2015(seccomp), noNewPrivileges: true }),
    ...(file.isNull('seccomp') && { seccomp: null }),
    maskedPaths: file.texts('mask_paths'),
    readonlyPaths: file.texts('readonly_paths'),
    sysctl: sysctl && sysctl.length > 0 ? Object.fromEntries(sysctl) : undefined,
    rlimits: readRlimits(file),
    networks,
    routes,
    parentDeathSignal: file.number('parent_death_signal', 0, 64) || undefined,
  }
  const process = { additionalGroups: readGroups(file) }
  file.end('a config of 2015')
  return { config: pruned(config), process: pruned(process), warnings }
}

/** Names, or ids as text or as numbers. */
function readGroups(file: Fields): (string | number)[] | undefined {
  const groups = file.list('additional_groups', (value, at) => {
    if (typeof value !== 'string') return new Fields({ id: value }, at).number('id', 0) ?? refuseGroup(value, at)
    return /^\d{1,10}$/.test(value) ? Number(value) : value || refuseGroup(value, at)
  })
  return groups === undefined || groups.length === 0 ? undefined : groups
}

function refuseGroup(value: unknown, at: string): never {
  throw new ConfigInvalid(at, value, 'must be the name of a group, or its id')
}

/**
 * The config of 2015 for a config, with every default said but the filter's: the year has no words for it.
 *
 * @throws {ConfigInvalid} for what that year cannot say
 */
export function writeConfig2015({ config, process = {} }: DialectSource): Record<string, unknown> {
  const { rootfs, readonlyRootfs, rootPropagation, namespaces: _, uidMappings, gidMappings, hostname, ...more } = config
  const { mounts, devices: __, cgroups, capabilities = OCI_CAPABILITIES, seccomp, noNewPrivileges, ...others } = more
  const {
    noPivotRoot,
    maskedPaths,
    readonlyPaths,
    sysctl,
    rlimits,
    parentDeathSignal,
    apparmorProfile,
    selinuxLabel,
    mountLabel,
    networks: ___,
    routes: ____,
    ...rest
  } = others
  const { additionalGroups = [], ...unsaid } = process
  refuseAll('', rest, '2015')
  refuseAll('process', unsaid, '2015')
  if (rootPropagation !== undefined && rootPropagation !== 'rprivate' && rootPropagation !== 'rslave')
    refuseAll('', { rootPropagation }, '2015')
  // A filter of that year gives up new rights; nothing else could.
  if ((seccomp ? true : undefined) !== (noNewPrivileges || undefined))
    throw new ConfigInvalid(
      'noNewPrivileges',
      noNewPrivileges,
      'must be true with a filter of 2015, and cannot be said without one',
    )
  return {
    no_pivot_root: noPivotRoot ?? false,
    parent_death_signal: parentDeathSignal === undefined ? 0 : signalNumber(parentDeathSignal, 'parentDeathSignal'),
    pivot_dir: '',
    rootfs,
    readonlyfs: readonlyRootfs ?? false,
    privatefs: rootPropagation === 'rprivate',
    mounts: writeMounts(mounts, '2015'),
    devices: writeDevices(config, NAMES_2015),
    mount_label: mountLabel ?? '',
    hostname: hostname ?? '',
    namespaces: writeNamespaces(config),
    capabilities: writeCapabilityNames(capabilities, '2015'),
    networks: writeNetworks(config, '2015'),
    routes: writeRoutes(config),
    cgroups: writeCgroups(cgroups, '2015'),
    apparmor_profile: apparmorProfile ?? '',
    process_label: selinuxLabel ?? '',
    rlimits: writeRlimits(rlimits),
    additional_groups: additionalGroups.map(String),
    uid_mappings: writeIdMaps(uidMappings),
    gid_mappings: writeIdMaps(gidMappings),
    mask_paths: maskedPaths ?? defaultMaskedPaths,
    readonly_paths: readonlyPaths ?? defaultReadonlyPaths,
    system_properties: sysctl ?? {},
    ...(seccomp !== undefined && { seccomp: seccomp && writeSeccomp2015(seccomp) }),
  }
}
