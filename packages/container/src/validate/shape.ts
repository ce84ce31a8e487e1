import { parseSecureBits, resolveCapabilities } from '@libcontainer/capabilities'
import { cleanPath as cleanCgroupPath } from '@libcontainer/cgroups'
import { device, deviceRule } from '@libcontainer/devices'
import { parseResourceLimit } from '@libcontainer/init'
import { checkKeyringName } from '@libcontainer/keys'
import { checkMount, checkPropagation, checkRootOverlay, cleanPath, type Mount } from '@libcontainer/mount'
import { type Namespace, type NamespaceKind, namespaceKinds, validateNamespaces } from '@libcontainer/namespaces'
import { ConfigInvalid, fieldName, kernelString, signalNumber } from '@libcontainer/sys'
import type { ContainerConfig, ResourceLimit } from '../config/config.js'
import { namespaceOf, namespacesOf, ownsMounts } from '../config/namespace-requests.js'
import { checkLabel, checkProfile } from '../plan/confinement.js'
import { checkMountIds } from '../plan/mount-ids.js'
import { seccompOf } from '../plan/seccomp.js'
import { checkHookOutput } from '../start/hooks.js'
import { capabilityProblems, hookProblems, limitProblems, problemOf, sharingProblems } from './apart.js'
import { checkMoved, sharedMountProblems } from './root.js'
import { sysctlProblems } from './sysctl.js'

const FIELDS: Readonly<Record<keyof ContainerConfig, true>> = {
  rootfs: true,
  rootIdMap: true,
  rootOverlay: true,
  rootTmpfs: true,
  readonlyRootfs: true,
  rootPropagation: true,
  noPivotRoot: true,
  namespaces: true,
  uidMappings: true,
  gidMappings: true,
  timeOffsets: true,
  hostname: true,
  domainname: true,
  networks: true,
  routes: true,
  netDevices: true,
  mounts: true,
  files: true,
  devices: true,
  cgroups: true,
  capabilities: true,
  secureBits: true,
  seccomp: true,
  disableUserNamespaces: true,
  maskedPaths: true,
  readonlyPaths: true,
  sysctl: true,
  rlimits: true,
  oomScoreAdj: true,
  procFiles: true,
  scheduler: true,
  ioPriority: true,
  cpuAffinity: true,
  personality: true,
  memoryPolicy: true,
  coreScheduling: true,
  intelRdt: true,
  sessionKeyring: true,
  keepGroups: true,
  landlock: true,
  apparmorProfile: true,
  selinuxLabel: true,
  mountLabel: true,
  noNewPrivileges: true,
  umask: true,
  parentDeathSignal: true,
  stopSignal: true,
  hooks: true,
  hookOutput: true,
  labels: true,
}

/** The part of `validate` that needs no kernel: pure. Networks are looked at by `networkProblems` of `@libcontainer/network/config`, `intelRdt` by `checkIntelRdt` of `@libcontainer/intelrdt/config`. */
export function validateShape(config: ContainerConfig): ConfigInvalid[] {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    return [new ConfigInvalid('config', config, 'must be an object')]
  const problems: ConfigInvalid[] = []
  const check = (part: () => void): void => {
    const problem = problemOf(part)
    if (problem !== undefined) problems.push(problem)
  }
  const each = <T>(field: string, list: readonly T[] | undefined, part: (item: T, field: string) => void): void =>
    check(() => {
      const items = checkList(field, list)
      for (let i = 0; i < items.length; i++) check(() => part(items[i]!, `${field}[${i}]`))
    })

  for (const [key, value] of Object.entries(config)) {
    if (!Object.hasOwn(FIELDS, key))
      check(() =>
        refuse(fieldName(key), value, `is no field of a container; there are ${Object.keys(FIELDS).join(', ')}`),
      )
  }
  check(() => checkRootfsPath(config.rootfs))
  check(() => {
    if (config.rootOverlay !== undefined && typeof config.rootfs === 'string')
      checkRootOverlay(config.rootOverlay, config.rootfs)
  })
  check(() => checkBoolean('readonlyRootfs', config.readonlyRootfs))
  check(
    () => void (config.rootPropagation === undefined || checkPropagation(config.rootPropagation, 'rootPropagation')),
  )
  check(() => checkBoolean('noPivotRoot', config.noPivotRoot))
  check(() => checkMoved(config))
  const before = problems.length
  each('namespaces', config.namespaces, namespaceOf)
  // What is said of namespaces cannot be judged by a list that is wrong itself.
  const namespaces = problems.length === before ? listed(config, problems) : undefined
  if (namespaces !== undefined) check(() => checkNamespaceList(config, namespaces))
  if (namespaces !== undefined && !ownsMounts({ namespaces })) problems.push(...sharedMountProblems(config))
  const kinds = new Set(namespaces?.map(({ kind }) => kind) ?? namespaceKinds)
  check(() => checkName('hostname', config.hostname, kinds))
  check(() => checkName('domainname', config.domainname, kinds))
  each('mounts', config.mounts, (mount, field) => {
    checkMountIds(checkMount(mount, field), config, kinds.has('user'))
    checkRelabel(mount, config, field)
  })
  each('devices', config.devices, (request, field) => void device(request, field))
  check(() => checkCgroups(config))
  problems.push(...limitProblems(config.cgroups))
  each('cgroups.devices', config.cgroups?.devices, (rule, field) => void deviceRule(rule, field))
  problems.push(...capabilityProblems(config.capabilities, checkCapabilities))
  check(() => checkSecureBits(config.secureBits))
  check(() => {
    if (config.seccomp !== undefined) seccompOf(config)
  })
  each('maskedPaths', config.maskedPaths, checkPath)
  each('readonlyPaths', config.readonlyPaths, checkPath)
  problems.push(...sysctlProblems(config.sysctl, kinds))
  each('rlimits', config.rlimits, rlimitCheck())
  check(() => checkInteger('oomScoreAdj', config.oomScoreAdj, -1000, 1000))
  problems.push(...sharingProblems(config), ...hookProblems(config.hooks))
  check(() => checkHookOutput(config.hookOutput))
  check(() => checkKeyring(config.sessionKeyring))
  check(() => checkBoolean('coreScheduling', config.coreScheduling))
  check(() => checkBoolean('keepGroups', config.keepGroups))
  check(() => checkProfile(config.apparmorProfile, 'apparmorProfile'))
  check(() => checkLabel(config.selinuxLabel, 'selinuxLabel'))
  check(() => checkLabel(config.mountLabel, 'mountLabel'))
  check(() => checkBoolean('noNewPrivileges', config.noNewPrivileges))
  check(() => checkInteger('umask', config.umask, 0, 0o777))
  check(
    () => void (config.parentDeathSignal === undefined || signalNumber(config.parentDeathSignal, 'parentDeathSignal')),
  )
  check(() => void (config.stopSignal === undefined || signalNumber(config.stopSignal, 'stopSignal')))
  each('labels', config.labels, (label, field) => {
    if (typeof label !== 'string' || !label.includes('=')) refuse(field, label, 'must be key=value')
  })
  return problems
}

export function checkRelabel(
  { relabel }: Mount,
  { mountLabel }: Pick<ContainerConfig, 'mountLabel'>,
  field: string,
): void {
  if (relabel !== undefined && !mountLabel)
    throw new ConfigInvalid(`${field}.relabel`, relabel, 'needs a label to give: set mountLabel')
}

/** Two that name different ones of a kind are no list. */
function listed(config: ContainerConfig, problems: ConfigInvalid[]): Namespace[] | undefined {
  try {
    return namespacesOf(config)
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    problems.push(error)
    return undefined
  }
}

function refuse(field: string, value: unknown, problem: string): never {
  throw new ConfigInvalid(field, value, problem)
}

function checkList<T>(field: string, value: readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  return value
}

function checkNamespaceList(config: ContainerConfig, namespaces: readonly Namespace[]): void {
  validateNamespaces({ ...config, namespaces })
  if (namespaces.some(({ kind, path }) => kind === 'mnt' && path !== undefined)) {
    throw new ConfigInvalid(
      'namespaces',
      config.namespaces,
      'must have a new mnt, or none: another’s mounts are not changed',
    )
  }
}

function checkRootfsPath(rootfs: unknown): void {
  if (typeof rootfs !== 'string' || rootfs === '')
    throw new ConfigInvalid('rootfs', rootfs, 'must be the path of a directory')
  kernelString(rootfs, 'rootfs')
  if (!rootfs.startsWith('/')) throw new ConfigInvalid('rootfs', rootfs, 'must be absolute')
  if (cleanPath(rootfs) === '/') throw new ConfigInvalid('rootfs', rootfs, 'must not be the root of the host')
}

/** A name without a uts namespace of the container's own would be given to the host. */
export function checkName(field: 'hostname' | 'domainname', name: unknown, kinds: ReadonlySet<NamespaceKind>): void {
  if (name === undefined) return
  kernelString(name as string, field)
  if (new TextEncoder().encode(name as string).length > 64)
    throw new ConfigInvalid(field, name, 'must have at most 64 bytes')
  if (!kinds.has('uts'))
    throw new ConfigInvalid(field, name, 'needs a uts namespace other than this process’s: add uts to namespaces')
}

function checkKeyring(name: ContainerConfig['sessionKeyring']): void {
  if (name !== undefined && typeof name !== 'boolean') checkKeyringName(name, 'sessionKeyring')
}

export function checkBoolean(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
}

export function checkInteger(field: string, value: unknown, low: number, high: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw new ConfigInvalid(field, value, `must be an integer from ${low} to ${high}`)
  }
}

function checkCgroups({ cgroups }: ContainerConfig): void {
  if (cgroups === undefined) return
  if (typeof cgroups !== 'object' || cgroups === null) throw new ConfigInvalid('cgroups', cgroups, 'must be an object')
  const { path, checkBeforeUpdate, owner } = cgroups
  checkInteger('cgroups.owner', owner, 0, 0xffff_fffe)
  checkBoolean('cgroups.checkBeforeUpdate', checkBeforeUpdate)
  if (path !== undefined && cleanCgroupPath(path, 'cgroups.path') === '')
    throw new ConfigInvalid('cgroups.path', path, 'must name a cgroup below the top')
}

export function checkCapabilities(capabilities: ContainerConfig['capabilities'], field = 'capabilities'): void {
  if (capabilities === undefined || capabilities === null) return
  const sets = Array.isArray(capabilities) ? { bounding: capabilities } : (capabilities as object)
  resolveCapabilities(sets, { strict: true, field })
}

export function checkSecureBits(bits: readonly string[] | undefined, field = 'secureBits'): void {
  parseSecureBits(checkList(field, bits), field)
}

function checkPath(path: string, field: string): void {
  kernelString(path, field)
  if (!path.startsWith('/')) throw new ConfigInvalid(field, path, 'must be absolute')
}

export function checkRlimits(rlimits: readonly ResourceLimit[] | undefined, field = 'rlimits'): void {
  const check = rlimitCheck()
  for (const [i, limit] of checkList(field, rlimits).entries()) check(limit, `${field}[${i}]`)
}

/** Checks the limits of a list, one after another: it remembers which there have been. */
function rlimitCheck(): (limit: ResourceLimit, at: string) => void {
  const seen = new Set<string>()
  return (limit, at) => {
    if (typeof limit !== 'object' || limit === null) throw new ConfigInvalid(at, limit, 'must be { type, soft, hard }')
    const { type, soft, hard, ...others } = limit
    for (const [key, value] of Object.entries(others))
      throw new ConfigInvalid(`${at}.${key}`, value, 'must be one of type, soft, hard')
    const name = parseResourceLimit(type)
    if (name === undefined)
      throw new ConfigInvalid(`${at}.type`, type, 'must be a limit of getrlimit(2), such as RLIMIT_NOFILE')
    if (seen.has(name)) throw new ConfigInvalid(`${at}.type`, type, 'is listed twice')
    seen.add(name)
    if (limitValue(soft, `${at}.soft`) > limitValue(hard, `${at}.hard`))
      throw new ConfigInvalid(`${at}.soft`, soft, `must not be above the hard limit ${hard}`)
  }
}

/** A limit as the kernel's u64. */
export function limitValue(value: ResourceLimit['soft'], field: string): bigint {
  if (value === 'unlimited') return 0xffff_ffff_ffff_ffffn
  const valid =
    typeof value === 'bigint'
      ? value >= 0n && value <= 0xffff_ffff_ffff_ffffn
      : Number.isSafeInteger(value) && value >= 0
  if (!valid)
    throw new ConfigInvalid(field, value, "must be an integer from 0 to 2^64-1 (a bigint above 2^53), or 'unlimited'")
  return BigInt(value)
}
