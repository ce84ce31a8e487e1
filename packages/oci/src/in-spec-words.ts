import { LimitUnsupported } from '@libcontainer/cgroups'
import { ConfigInvalid, shown } from '@libcontainer/sys'

/** What `@libcontainer/container` calls the places of a `config.json`; the first that fits counts. */
const places: readonly (readonly [ours: string, theirs: string])[] = [
  ['rootfs', 'root.path'],
  ['readonlyRootfs', 'root.readonly'],
  ['rootPropagation', 'linux.rootfsPropagation'],
  ['personality', 'linux.personality.domain'],
  ['cgroups.path', 'linux.cgroupsPath'],
  ['cgroups.memory.max', 'linux.resources.memory.limit'],
  ['cgroups.memory.memswMax', 'linux.resources.memory.swap'],
  ['cgroups.memory.low', 'linux.resources.memory.reservation'],
  ['cgroups.memory.oomKillDisable', 'linux.resources.memory.disableOOMKiller'],
  ['cgroups.cpu.quotaUs', 'linux.resources.cpu.quota'],
  ['cgroups.cpu.periodUs', 'linux.resources.cpu.period'],
  ['cgroups.cpu.burstUs', 'linux.resources.cpu.burst'],
  ['cgroups.cpu.rtRuntimeUs', 'linux.resources.cpu.realtimeRuntime'],
  ['cgroups.cpu.rtPeriodUs', 'linux.resources.cpu.realtimePeriod'],
  ['cgroups.cpuset', 'linux.resources.cpu'],
  ['cgroups.owner', 'linux.cgroupsPath'],
  ['cgroups.checkBeforeUpdate', 'linux.resources.memory.checkBeforeUpdate'],
  ['cgroups.io.blkioWeight', 'linux.resources.blockIO.weight'],
  ['cgroups.io', 'linux.resources.blockIO'],
  ['cgroups.netCls.classid', 'linux.resources.network.classID'],
  ['cgroups.netPrio.ifpriomap', 'linux.resources.network.priorities'],
  ['cgroups.hugetlb', 'linux.resources.hugepageLimits'],
  ['cgroups.pids.max', 'linux.resources.pids.limit'],
  ['cgroups', 'linux.resources'],
  ...[
    'namespaces',
    'uidMappings',
    'gidMappings',
    'timeOffsets',
    'devices',
    'seccomp',
    'sysctl',
    'memoryPolicy',
    'intelRdt',
    'netDevices',
  ]
    .concat('maskedPaths', 'readonlyPaths', 'mountLabel')
    .map(name => [name, `linux.${name}`] as const),
  ['umask', 'process.user.umask'],
  ['cpuAffinity', 'process.execCPUAffinity'],
  ...[
    'apparmorProfile',
    'selinuxLabel',
    'capabilities',
    'rlimits',
    'noNewPrivileges',
    'oomScoreAdj',
    'scheduler',
    'ioPriority',
  ].map(name => [name, `process.${name}`] as const),
  ['process.umask', 'process.user.umask'],
  ['process.cpuAffinity', 'process.execCPUAffinity'],
  ['process.additionalGroups', 'process.user.additionalGids'],
  ['process.terminal.rows', 'process.consoleSize.height'],
  ['process.terminal.columns', 'process.consoleSize.width'],
  ['hookOutput.stdout', "annotations['run.oci.hooks.stdout']"],
  ['hookOutput.stderr', "annotations['run.oci.hooks.stderr']"],
]

/** The last part of a place, where it is called otherwise. */
const parts: readonly (readonly [place: RegExp, name: string])[] = [
  [/(?<=^linux\.(?:uid|gid)Mappings.*\.)containerId$/, 'containerID'],
  [/(?<=^linux\.(?:uid|gid)Mappings.*\.)hostId$/, 'hostID'],
  [/(?<=^linux\.intelRdt\.)closId$/, 'closID'],
  [/(?<=^linux\.namespaces\[\d+\]\.)kind$/, 'type'],
  [/(?<=^linux\.resources\.rdma\b.*\.)hcaHandle$/, 'hcaHandles'],
  [/(?<=^linux\.resources\.rdma\b.*\.)hcaObject$/, 'hcaObjects'],
  // Lists there; here they are told apart by their names.
  [/(?<=^linux\.resources\.(?:hugepageLimits|network\.priorities))\[.*$/s, ''],
  [/(?<=^linux\.resources\.blockIO\.)devices\[\d+\]\.(?:blkioWeight|leafWeight)$/, 'weightDevice'],
  [/(?<=^linux\.devices\[\d+\]\.)mode$/, 'fileMode'],
  [/(?<=^process\.scheduler\.(?:runtime|deadline|period))Ns$/, ''],
  [/(?<=^process\.ioPriority\.)level$/, 'priority'],
  [/(?<=^hooks\..*\.timeout)Ms$/, ''],
]

/**
 * The same fault with the place in `config.json` that it is about: `linux.resources.memory.limit` for `cgroups.memory.max`. Anything but a
 * `ConfigInvalid` and a `LimitUnsupported` is answered as it is.
 *
 * @example try { await factory.create(id, config) } catch (error) { throw inSpecWords(error) }
 */
export const inSpecWords = <T>(error: T): T | ConfigInvalid => inOtherWords(error, specPlace, 'cgroups.')

/**
 * The same fault under another name, such as that of the flag that asked for it. Anything but a `ConfigInvalid` and a `LimitUnsupported` is
 * answered as it is.
 *
 * @param wordOf - what a place is called
 * @param limits - where the limits are that the place of a `LimitUnsupported` is in
 */
export function inOtherWords<T>(error: T, wordOf: (place: string) => string, limits = ''): T | ConfigInvalid {
  if (isLimitUnsupported(error)) return ofLimit(error, wordOf(`${limits}${error.field}`)) as T
  if (!(error instanceof ConfigInvalid)) return error
  const { field, value, message, hint } = error
  const place = wordOf(field)
  if (place === field) return error
  const problem = message.slice(`${field}: `.length, message.length - ` (got ${shown(value)})`.length)
  return new ConfigInvalid(place, value, problem, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/** By its code, which is the same where more than one copy of the package is installed. */
const isLimitUnsupported = (error: unknown): error is LimitUnsupported =>
  error instanceof Error && (error as { code?: unknown }).code === 'LimitUnsupported'

/** A limit that this host cannot set: its fields are those of a cgroup. */
function ofLimit(error: LimitUnsupported, place: string): LimitUnsupported {
  const { field, controller, message, hint } = error
  const told = new LimitUnsupported(place, controller, message.slice(`${field}: `.length), hint)
  told.cause = error
  return told
}

function specPlace(field: string): string {
  const found = places.find(([ours]) => field.startsWith(ours) && /^($|[.[])/.test(field.slice(ours.length)))
  const place = found === undefined ? field : found[1] + field.slice(found[0].length)
  return parts.reduce((text, [shape, name]) => text.replace(shape, name), place)
}
