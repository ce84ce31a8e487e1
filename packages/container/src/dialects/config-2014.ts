import { OCI_CAPABILITIES } from '@libcontainer/capabilities'
import { ConfigInvalid } from '@libcontainer/sys'
import {
  type ContainerConfig,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  type NamespaceRequest,
} from '../config/config.js'
import { namespacesOf } from '../config/namespace-requests.js'
import { readCgroups, refuseAll, writeCgroups } from './cgroups.js'
import type { DialectConfig, DialectSource, ReadOptions } from './dialect.js'
import { Fields, pruned } from './fields.js'
import {
  keyOf,
  NAMES_2014,
  readCapabilityNames,
  readDevices,
  readKind,
  readNamespaces,
  readRlimits,
  writeDevices,
  writeRlimits,
} from './lists.js'
import { pickGiven, readMounts2014, writeMounts2014 } from './mounts.js'
import { netOf, readNetworks, writeNetworks, writeRoutes } from './networks.js'
import { rootfsOf, writeCapabilityNames } from './shared.js'

/**
 * Reads a container.json of 2014, from its first version on: the root filesystem is the current directory unless it is named, namespaces are a
 * map or a list, the program's own fields stand beside the container's.
 *
 * What it does not say has the defaults of this library, of which none is weaker than those of then; capabilities that are not listed are
 * dropped. As then, the container ends with whoever started it, and mounts of the host do not reach it.
 *
 * @param value - the parsed file: `parseJson` keeps integers of 64 bits
 * @throws {ConfigInvalid} with the field; for what no package does yet, with the package that will
 */
export function readConfig2014(value: unknown, options: ReadOptions = {}): DialectConfig {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const file = new Fields(value, '')
  const rootfs = rootfsOf(file.text('rootfs') ?? file.text('root_fs'), options)
  const mount = file.object('mount_config')
  const noPivotRoot = mount?.flag('no_pivot_root') || undefined
  if (mount?.text('pivot_dir'))
    warn('mount_config.pivot_dir: changes nothing, no directory is needed to change the root')
  const mountLabel = mount?.text('mount_label')
  const wanted = readNamespaces2014(file)
  const { joined, networks, routes } = readNetworks(file, netOf(wanted), warn)
  const ipc = file.text('ipc')
  const config: ContainerConfig = {
    rootfs,
    readonlyRootfs: mount?.flag('readonly_fs') || undefined,
    // As then: a root that is moved hears of what the host unmounts.
    rootPropagation: noPivotRoot ? 'rslave' : 'rprivate',
    noPivotRoot,
    namespaces: withJoined(withJoined(wanted, 'net', joined), 'ipc', ipc),
    hostname: file.text('hostname'),
    mounts: readMounts2014(mount, { label: mountLabel, warn }),
    devices: mount && readDevices(mount, 'device_nodes', NAMES_2014),
    cgroups: readCgroups(file.object('cgroups'), '2014', warn),
    apparmorProfile: file.text('apparmor_profile'),
    selinuxLabel: file.text('process_label'),
    mountLabel,
    capabilities: readCapabilityNames(file, 'capabilities') ?? [],
    rlimits: readRlimits(file),
    networks,
    routes,
    parentDeathSignal: 'SIGKILL',
    ...readRestriction(file.flag('restrict_sys')),
  }
  mount?.end('the mount_config of 2014')
  const process = {
    env: file.texts('environment'),
    cwd: file.text('working_dir'),
    user: file.text('user'),
    terminal: file.flag('tty') || undefined,
  }
  file.end('a config of 2014')
  return { config: pruned(config), process: pruned(process), warnings }
}

/** A map from name to wanted, and later in that year a list. */
function readNamespaces2014(file: Fields): NamespaceRequest[] {
  const value = file.take('namespaces')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return readNamespaces(file)
  const map = new Fields(value, 'namespaces')
  return Object.keys(value)
    .map(key => ({ kind: readKind(key, map.field(key)), wanted: map.flag(key) }))
    .flatMap(({ kind, wanted }) => (wanted ? [kind] : []))
}

function withJoined(list: NamespaceRequest[], kind: 'net' | 'ipc', path: string | undefined): NamespaceRequest[] {
  if (path === undefined) return list
  return [...list.filter(each => each !== kind), { kind, path }]
}

/**
 * `restrict_sys`: the kernel's own files cannot be written. Here they never can unless it is said: what it adds is all of /sys; that they may
 * be written takes an explicit `false`.
 */
function readRestriction(restrict: boolean | undefined): Partial<ContainerConfig> {
  if (restrict === undefined) return {}
  return restrict ? { readonlyPaths: RESTRICTED } : { readonlyPaths: [], maskedPaths: [] }
}

const RESTRICTED: readonly string[] = [...defaultReadonlyPaths, '/sys']

/**
 * The container.json of 2014 for a config.
 *
 * @throws {ConfigInvalid} for what that year had no word for
 */
export function writeConfig2014({ config, process = {} }: DialectSource): Record<string, unknown> {
  const { rootfs, readonlyRootfs, rootPropagation, namespaces: _, hostname, mounts, devices: __, ...more } = config
  const {
    noPivotRoot,
    cgroups,
    apparmorProfile,
    selinuxLabel,
    mountLabel,
    capabilities = OCI_CAPABILITIES,
    rlimits,
    parentDeathSignal,
    maskedPaths,
    readonlyPaths,
    networks: ___,
    routes: ____,
    ...rest
  } = more
  const { env, cwd, user, terminal, ...others } = process
  refuseAll('', rest, '2014')
  refuseAll('process', others, '2014')
  if ((rootPropagation ?? 'rslave') !== (noPivotRoot ? 'rslave' : 'rprivate'))
    refuseAll('', { rootPropagation: rootPropagation ?? 'rslave' }, '2014')
  if (parentDeathSignal !== 'SIGKILL' && parentDeathSignal !== 9)
    throw new ConfigInvalid('parentDeathSignal', parentDeathSignal, 'must be SIGKILL, which 2014 always has')
  if (typeof user === 'object' || typeof terminal === 'object') refuseAll('process', { user, terminal }, '2014')
  if (env !== undefined && !Array.isArray(env)) refuseAll('process', { env }, '2014')
  const wanted = namespacesOf(config)
  const joined = wanted.find(({ path }) => path !== undefined)
  const written = pickGiven({
    rootfs,
    hostname,
    user,
    working_dir: cwd,
    tty: terminal,
    apparmor_profile: apparmorProfile,
    process_label: selinuxLabel,
    capabilities: writeCapabilityNames(capabilities, '2014'),
    networks: writeNetworks(config, '2014'),
    routes: writeRoutes(config),
    cgroups: pickGiven(writeCgroups(cgroups, '2014')),
    rlimits: writeRlimits(rlimits),
  })
  return {
    ...written,
    ...(env !== undefined && { environment: env }),
    namespaces:
      joined === undefined
        ? Object.fromEntries(wanted.map(({ kind }) => [keyOf(kind), true]))
        : wanted.map(({ kind, path }) => pickGiven({ type: keyOf(kind), path })),
    mount_config: {
      ...pickGiven({
        no_pivot_root: noPivotRoot,
        readonly_fs: readonlyRootfs,
        mount_label: mountLabel,
        mounts: writeMounts2014(mounts),
      }),
      device_nodes: writeDevices(config, NAMES_2014),
    },
    ...writeRestriction(maskedPaths, readonlyPaths),
  }
}

function writeRestriction(masked: readonly string[] | undefined, readonly: readonly string[] | undefined): object {
  const same = (list: readonly string[], other: readonly string[]): boolean =>
    String([...list].sort()) === String([...other].sort())
  if (masked?.length === 0 && readonly?.length === 0) return { restrict_sys: false }
  if (masked !== undefined && !same(masked, defaultMaskedPaths)) refuseAll('', { maskedPaths: masked }, '2014')
  if (readonly === undefined || same(readonly, defaultReadonlyPaths)) return {}
  if (!same(readonly, RESTRICTED)) refuseAll('', { readonlyPaths: readonly }, '2014')
  return { restrict_sys: true }
}
