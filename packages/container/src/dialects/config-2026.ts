import { type CapabilitySets, OCI_CAPABILITIES } from '@libcontainer/capabilities'
import type { Propagation } from '@libcontainer/mount'
import type { TimeOffsets } from '@libcontainer/namespaces'
import { defaultProfile } from '@libcontainer/seccomp'
import { ConfigInvalid, signalNumber } from '@libcontainer/sys'
import { type ContainerConfig, defaultMaskedPaths, defaultReadonlyPaths } from '../config/config.js'
import { readCgroups, refuseAll, writeCgroups } from './cgroups.js'
import { readCpuAffinity, writeCpuAffinity } from './cpu-affinity-2026.js'
import type { DialectConfig, DialectSource, ReadOptions } from './dialect.js'
import { type Fields, pruned } from './fields.js'
import { readIntelRdt, writeIntelRdt } from './intel-rdt-2026.js'
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
import { readMemoryPolicy, writeMemoryPolicy } from './memory-policy-2026.js'
import { propagationFlag, propagationWord, readMounts2026, writeMounts } from './mounts.js'
import { netOf, readNetDevices, readNetworks, writeNetDevices, writeNetworks, writeRoutes } from './networks.js'
import {
  readHooks,
  readIoPriority,
  readPersonality,
  readScheduler,
  writeHooks,
  writeScheduler,
} from './process-2026.js'
import { readSeccomp2026, writeSeccomp2026 } from './seccomp.js'
import { configFields, rootfsOf } from './shared.js'

const SETS = ['Bounding', 'Effective', 'Inheritable', 'Permitted', 'Ambient'] as const

/**
 * Reads a libcontainer config of 2026, or the one in a state.json, as runc keeps it. It is the record of a container, so what it does not have
 * is not there: no mounts, no masks, no filter; without `capabilities` nothing is dropped.
 *
 * @param value - the parsed file: `parseJson` keeps integers of 64 bits
 * @throws {ConfigInvalid} with the field; for what no package does yet, with the package that will
 */
export function readConfig2026(value: unknown, options: ReadOptions = {}): DialectConfig {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const file = configFields(value)
  const rootfs = rootfsOf(file.text('rootfs'), options)
  for (const name of ['rootless_euid', 'rootless_cgroups']) {
    if (file.flag(name)) warn(`${file.field(name)}: changes nothing, who calls is seen when the container is made`)
  }
  const mountLabel = file.text('mount_label')
  const namespaces = readNamespaces(file)
  const { networks, routes } = readNetworks(file, netOf(namespaces), warn)
  const propagation = file.number('rootPropagation', 0)
  const seccomp = file.object('seccomp')
  const sysctl = file.map('sysctl')
  const labels = file.texts('labels')
  const config: ContainerConfig = {
    rootfs,
    readonlyRootfs: file.flag('readonlyfs') || undefined,
    rootPropagation: propagation
      ? (propagationWord(propagation, file.field('rootPropagation')) as Propagation)
      : undefined,
    namespaces,
    uidMappings: readIdMaps(file, 'uid_mappings'),
    gidMappings: readIdMaps(file, 'gid_mappings'),
    timeOffsets: readTimeOffsets(file.object('time_offsets')),
    hostname: file.text('hostname'),
    domainname: file.text('domainname'),
    mounts: readMounts2026(file, { label: mountLabel, warn }) ?? [],
    devices: readDevices(file, 'devices', NAMES_2015) ?? [],
    cgroups: readCgroups(file.object('cgroups'), '2026', warn),
    capabilities: readCapabilities(file.object('capabilities'), warn),
    seccomp: seccomp === undefined ? null : readSeccomp2026(seccomp),
    maskedPaths: file.texts('mask_paths') ?? [],
    readonlyPaths: file.texts('readonly_paths') ?? [],
    sysctl: sysctl && sysctl.length > 0 ? Object.fromEntries(sysctl) : undefined,
    rlimits: readRlimits(file),
    networks,
    routes,
    apparmorProfile: file.text('apparmor_profile'),
    selinuxLabel: file.text('process_label'),
    mountLabel,
    oomScoreAdj: file.number('oom_score_adj'),
    noNewPrivileges: file.flag('no_new_privileges') || undefined,
    umask: file.number('umask', 0),
    parentDeathSignal: file.number('parent_death_signal', 0, 64) || undefined,
    hooks: readHooks(file),
    scheduler: readScheduler(file.object('scheduler')),
    ioPriority: readIoPriority(file.object('io_priority')),
    personality: readPersonality(file.object('personality')),
    memoryPolicy: readMemoryPolicy(file.object('memory_policy')),
    cpuAffinity: readCpuAffinity(file.object('exec_cpu_affinity')),
    sessionKeyring: file.flag('no_new_keyring') ? undefined : true,
    labels: labels && labels.length > 0 ? labels : undefined,
    noPivotRoot: file.flag('no_pivot_root') || undefined,
  }
  // Without a word it is a class of its own, and no absence.
  const intelRdt = readIntelRdt(file.object('intel_rdt'))
  // So is a device without a name of its own.
  const netDevices = readNetDevices(file.object('netDevices'), file.keys('netDevices'))
  const version = file.text('version')
  file.end('a config of 2026')
  return {
    config: { ...pruned(config), ...(intelRdt && { intelRdt }), ...(netDevices && { netDevices }) },
    process: {},
    warnings,
    version,
  }
}

/** The five sets, cut to what the kernel takes: a runtime that left the rest out itself wrote down what it was asked for. */
function readCapabilities(sets: Fields | undefined, warn: (text: string) => void): CapabilitySets | null {
  if (sets === undefined) return null
  const [bounding, effective, inheritable, permitted, ambient] = SETS.map(set => readCapabilityNames(sets, set) ?? [])
  sets.end('the capabilities of 2026')
  const cut = (set: string, names: string[], ...within: string[][]): string[] => {
    const kept = names.filter(name => within.every(list => list.includes(name)))
    if (kept.length < names.length)
      warn(`${sets.field(set)}: ${names.filter(name => !kept.includes(name))} cannot be had and are left out`)
    return kept
  }
  const read = { bounding: bounding!, permitted: permitted!, inheritable: cut('Inheritable', inheritable!, bounding!) }
  return {
    ...read,
    effective: cut('Effective', effective!, permitted!),
    ambient: cut('Ambient', ambient!, permitted!, read.inheritable),
  }
}

function readTimeOffsets(clocks: Fields | undefined): TimeOffsets | undefined {
  const read = (name: string): TimeOffsets['monotonic'] => {
    const clock = clocks?.object(name)
    if (clock === undefined) return undefined
    const offset = { secs: clock.integer('secs') ?? 0, nanosecs: clock.number('nanosecs', 0) ?? 0 }
    clock.end('a clock')
    return offset
  }
  const offsets = { monotonic: read('monotonic'), boottime: read('boottime') }
  clocks?.end('the time_offsets of 2026')
  return (offsets.monotonic ?? offsets.boottime) ? pruned(offsets) : undefined
}

/**
 * The libcontainer config of 2026 for a config, with every default said, the filter too.
 *
 * @throws {ConfigInvalid} for what it cannot say, which is what only a process has
 */
export function writeConfig2026({ config, process = {}, version = '' }: DialectSource): Record<string, unknown> {
  const {
    rootfs,
    readonlyRootfs,
    rootPropagation,
    noPivotRoot,
    namespaces: _,
    uidMappings,
    gidMappings,
    timeOffsets,
    ...more
  } = config
  const {
    hostname,
    domainname,
    mounts,
    devices: __,
    cgroups,
    capabilities = OCI_CAPABILITIES,
    seccomp,
    ...others
  } = more
  const { maskedPaths, readonlyPaths, sysctl, rlimits, oomScoreAdj, noNewPrivileges, umask, ...rest } = others
  const {
    parentDeathSignal,
    apparmorProfile,
    selinuxLabel,
    mountLabel,
    labels,
    hooks,
    scheduler,
    ioPriority,
    personality,
    memoryPolicy,
    intelRdt,
    cpuAffinity,
    sessionKeyring,
    networks: ___,
    routes: ____,
    netDevices: _____,
    ...unsaid
  } = rest
  refuseAll('', unsaid, '2026')
  const keyring = writeKeyring(sessionKeyring)
  refuseAll('process', process, '2026')
  const sets = capabilitySets(capabilities)
  const profile = seccomp === undefined ? defaultProfile({ capabilities: sets?.bounding ?? [] }) : seccomp
  return {
    no_pivot_root: noPivotRoot ?? false,
    parent_death_signal: parentDeathSignal === undefined ? 0 : signalNumber(parentDeathSignal, 'parentDeathSignal'),
    rootfs,
    umask: umask ?? null,
    readonlyfs: readonlyRootfs ?? false,
    rootPropagation: rootPropagation === undefined ? 0 : propagationFlag(rootPropagation),
    mounts: writeMounts(mounts, '2026'),
    devices: writeDevices(config, NAMES_2015),
    netDevices: writeNetDevices(config),
    mount_label: mountLabel ?? '',
    hostname: hostname ?? '',
    domainname: domainname ?? '',
    namespaces: writeNamespaces(config),
    capabilities:
      sets && Object.fromEntries(SETS.map(set => [set, sets[set.toLowerCase() as keyof CapabilitySets] ?? []])),
    networks: writeNetworks(config, '2026'),
    routes: writeRoutes(config),
    cgroups: writeCgroups(cgroups, '2026'),
    rlimits: writeRlimits(rlimits),
    ...(apparmorProfile !== undefined && { apparmor_profile: apparmorProfile }),
    ...(selinuxLabel !== undefined && { process_label: selinuxLabel }),
    ...(oomScoreAdj !== undefined && { oom_score_adj: oomScoreAdj }),
    uid_mappings: writeIdMaps(uidMappings),
    gid_mappings: writeIdMaps(gidMappings),
    mask_paths: maskedPaths ?? defaultMaskedPaths,
    readonly_paths: readonlyPaths ?? defaultReadonlyPaths,
    sysctl: sysctl ?? null,
    seccomp: profile && writeSeccomp2026(profile),
    no_new_privileges: noNewPrivileges ?? false,
    Hooks: writeHooks(hooks),
    version,
    labels: labels ?? null,
    no_new_keyring: !keyring,
    ...(scheduler !== undefined && { scheduler: writeScheduler(scheduler) }),
    ...(ioPriority !== undefined && { io_priority: { class: ioPriority.class, priority: ioPriority.level ?? 0 } }),
    ...(personality !== undefined && { personality: { domain: personality === 'LINUX32' ? 8 : 0 } }),
    ...(memoryPolicy !== undefined && { memory_policy: writeMemoryPolicy(memoryPolicy) }),
    ...(intelRdt !== undefined && { intel_rdt: writeIntelRdt(intelRdt) }),
    ...(cpuAffinity !== undefined && { exec_cpu_affinity: writeCpuAffinity(cpuAffinity) }),
    ...(timeOffsets !== undefined && { time_offsets: timeOffsets }),
  }
}

/** Whether there is one: its name is always made of the id. */
function writeKeyring(name: ContainerConfig['sessionKeyring']): boolean {
  if (typeof name === 'string' && !name.startsWith('_ses.'))
    throw new ConfigInvalid(
      'sessionKeyring',
      name,
      'cannot be said in 2026: a session keyring has no name of its own there',
    )
  return Boolean(name)
}

function capabilitySets(capabilities: ContainerConfig['capabilities']): CapabilitySets | null {
  if (capabilities === null || capabilities === undefined) return null
  if (!('length' in capabilities)) return capabilities
  return { bounding: capabilities, effective: capabilities, permitted: capabilities }
}
