import { resolveCapabilities } from '@libcontainer/capabilities'
import { checkLimits } from '@libcontainer/cgroups'
import { device, deviceRule } from '@libcontainer/devices'
import { parseResourceLimit } from '@libcontainer/init'
import { checkPropagation, cleanPath, mountSteps } from '@libcontainer/mount'
import { type NamespaceKind, validateNamespaces } from '@libcontainer/namespaces'
import { ConfigInvalid, kernelString, readLink, SyscallError, signalNumber, stat } from '@libcontainer/sys'
import type { ContainerConfig, ResourceLimit } from './config.js'
import { namespacesOf } from './namespace-requests.js'
import { resolveConfig } from './resolve.js'
import { seccompOf } from './seccomp.js'
import { checkSysctl } from './validate-sysctl.js'

const FIELDS: Readonly<Record<keyof ContainerConfig, true>> = {
  rootfs: true,
  readonlyRootfs: true,
  rootPropagation: true,
  namespaces: true,
  uidMappings: true,
  gidMappings: true,
  timeOffsets: true,
  hostname: true,
  domainname: true,
  mounts: true,
  devices: true,
  cgroups: true,
  capabilities: true,
  seccomp: true,
  maskedPaths: true,
  readonlyPaths: true,
  sysctl: true,
  rlimits: true,
  oomScoreAdj: true,
  noNewPrivileges: true,
  umask: true,
  parentDeathSignal: true,
  labels: true,
}

/**
 * Everything that is wrong with a config, in the order of its fields; empty when it can be used.
 *
 * Looks at the rootfs and at the kernel's abilities; changes nothing.
 */
export async function validate(config: ContainerConfig): Promise<ConfigInvalid[]> {
  const problems = validateShape(config)
  if (problems.length > 0) return problems
  try {
    await checkRootfs(config.rootfs)
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    problems.push(error)
  }
  return problems
}

/** The part of {@link validate} that needs no kernel: pure. */
export function validateShape(config: ContainerConfig): ConfigInvalid[] {
  const problems: ConfigInvalid[] = []
  const check = (part: () => void): void => {
    try {
      part()
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error
      problems.push(error)
    }
  }
  if (typeof config !== 'object' || config === null) return [new ConfigInvalid('config', config, 'must be an object')]
  for (const key of Object.keys(config)) {
    if (!Object.hasOwn(FIELDS, key)) {
      check(() => {
        throw new ConfigInvalid(
          key,
          config[key as 'rootfs'],
          `is no field of a container; there are ${Object.keys(FIELDS).join(', ')}`,
        )
      })
    }
  }
  check(() => checkRootfsPath(config.rootfs))
  const kinds = new Set<NamespaceKind>()
  check(() => checkNamespaceList(config, kinds))
  const resolved = (): ReturnType<typeof resolveConfig> => resolveConfig('id', config)
  check(() => checkName('hostname', config.hostname, kinds))
  check(() => checkName('domainname', config.domainname, kinds))
  check(() => checkBoolean('readonlyRootfs', config.readonlyRootfs))
  check(() => checkBoolean('noNewPrivileges', config.noNewPrivileges))
  check(
    () => void (config.rootPropagation === undefined || checkPropagation(config.rootPropagation, 'rootPropagation')),
  )
  check(() => void mountSteps(checkList('mounts', config.mounts), { cgroups: { hierarchies: [], namespace: false } }))
  check(() => void checkList('devices', config.devices).map((each, i) => device(each, `devices[${i}]`)))
  check(
    () =>
      void checkList('cgroups.devices', config.cgroups?.devices).map((each, i) =>
        deviceRule(each, `cgroups.devices[${i}]`),
      ),
  )
  check(() => checkCgroups(config))
  check(() => checkCapabilities(config.capabilities))
  check(() => {
    if (config.seccomp !== undefined) seccompOf(config)
  })
  check(() => checkPaths('maskedPaths', config.maskedPaths))
  check(() => checkPaths('readonlyPaths', config.readonlyPaths))
  check(() => checkSysctl(config.sysctl, kinds))
  check(() => checkRlimits(config.rlimits))
  check(() => checkInteger('oomScoreAdj', config.oomScoreAdj, -1000, 1000))
  check(() => checkInteger('umask', config.umask, 0, 0o777))
  check(
    () => void (config.parentDeathSignal === undefined || signalNumber(config.parentDeathSignal, 'parentDeathSignal')),
  )
  check(() => {
    for (const [i, label] of checkList('labels', config.labels).entries()) {
      if (typeof label !== 'string' || !label.includes('='))
        throw new ConfigInvalid(`labels[${i}]`, label, 'must be key=value')
    }
  })
  check(() => void resolved())
  return problems
}

function checkList<T>(field: string, value: readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
  return value
}

function checkNamespaceList(config: ContainerConfig, kinds: Set<NamespaceKind>): void {
  const namespaces = namespacesOf(config)
  for (const { kind } of namespaces) kinds.add(kind)
  validateNamespaces({ ...config, namespaces })
  const mnt = namespaces.find(({ kind }) => kind === 'mnt')
  if (mnt === undefined || mnt.path !== undefined) {
    throw new ConfigInvalid(
      'namespaces',
      config.namespaces,
      'must have a new mnt: the root is changed in a mount namespace of the container’s own',
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

/** The rootfs must be there, and be what its path says: a link in it could be changed under us. */
async function checkRootfs(rootfs: string): Promise<void> {
  const path = cleanPath(rootfs)
  try {
    const { type } = await stat(path)
    if (type !== 'directory') throw new ConfigInvalid('rootfs', rootfs, `must be a directory, not a ${type}`)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new ConfigInvalid('rootfs', rootfs, `cannot be used: ${error.code}`, { cause: error })
  }
  const names = path.split('/').slice(1)
  for (let i = 1; i <= names.length; i++) {
    const part = `/${names.slice(0, i).join('/')}`
    if ((await stat(part, { follow: false })).type === 'link') {
      throw new ConfigInvalid(
        'rootfs',
        rootfs,
        `must not pass through a link: ${part} leads to ${await readLink(part)}`,
      )
    }
  }
}

function checkName(field: 'hostname' | 'domainname', name: unknown, kinds: ReadonlySet<NamespaceKind>): void {
  if (name === undefined) return
  kernelString(name as string, field)
  if (new TextEncoder().encode(name as string).length > 64)
    throw new ConfigInvalid(field, name, 'must have at most 64 bytes')
  if (!kinds.has('uts')) throw new ConfigInvalid(field, name, 'needs a uts namespace: add uts to namespaces')
}

function checkBoolean(field: string, value: unknown): void {
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
  const { path, devices: _, ...limits } = cgroups
  if (path !== undefined) {
    kernelString(path, 'cgroups.path')
    if (path === '') throw new ConfigInvalid('cgroups.path', path, 'must not be empty')
  }
  checkLimits(limits, 'cgroups')
}

export function checkCapabilities(capabilities: ContainerConfig['capabilities'], field = 'capabilities'): void {
  if (capabilities === undefined || capabilities === null) return
  const sets = Array.isArray(capabilities) ? { bounding: capabilities } : (capabilities as object)
  resolveCapabilities(sets, { strict: true, field })
}

function checkPaths(field: string, paths: readonly string[] | undefined): void {
  for (const [i, path] of checkList(field, paths).entries()) {
    kernelString(path, `${field}[${i}]`)
    if (!path.startsWith('/')) throw new ConfigInvalid(`${field}[${i}]`, path, 'must be absolute')
  }
}

export function checkRlimits(rlimits: readonly ResourceLimit[] | undefined, field = 'rlimits'): void {
  const seen = new Set<string>()
  for (const [i, limit] of checkList(field, rlimits).entries()) {
    const at = `${field}[${i}]`
    if (typeof limit !== 'object' || limit === null) throw new ConfigInvalid(at, limit, 'must be { type, soft, hard }')
    const name = parseResourceLimit(limit.type)
    if (name === undefined)
      throw new ConfigInvalid(`${at}.type`, limit.type, 'must be a limit of getrlimit(2), such as RLIMIT_NOFILE')
    if (seen.has(name)) throw new ConfigInvalid(`${at}.type`, limit.type, 'is listed twice')
    seen.add(name)
    const [soft, hard] = [limitValue(limit.soft, `${at}.soft`), limitValue(limit.hard, `${at}.hard`)]
    if (soft > hard) throw new ConfigInvalid(`${at}.soft`, limit.soft, `must not be above the hard limit ${limit.hard}`)
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
