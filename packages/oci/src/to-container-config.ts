import type { Command, ContainerConfig, NamespaceRequest } from '@libcontainer/container'
import type { MemoryPolicy } from '@libcontainer/init'
import { hostId, type NamespaceKind } from '@libcontainer/namespaces'
import { ConfigInvalid, cleanPath, defined } from '@libcontainer/sys'
import { annotated, checkKnownSyscalls, subgroupOf } from './annotations.js'
import { cgroupPath, systemdPath } from './cgroups-path.js'
import type { Conversion, ConversionOptions } from './conversion.js'
import { devicesOf } from './devices.js'
import { mountsOf } from './mounts.js'
import { affinityOf, processAttributes, programOf } from './process.js'
import { isGiven } from './refuse.js'
import { limitsOf } from './resources.js'
import { seccompOf } from './seccomp.js'
import type { Spec, SpecHook, SpecIdMapping, SpecLinux } from './spec.js'

/**
 * What a `config.json` means, in the words of `@libcontainer/container`. Pure: it looks at nothing but its arguments.
 *
 * What the specification has and no package does yet is refused by name, never ignored; what cannot change anything is a warning.
 *
 * @param spec - as {@link parseSpec} or {@link validateSpec} answers it
 * @throws {ConfigInvalid} with the place in the file
 */
export function toContainerConfig(spec: Spec, options: ConversionOptions): Conversion {
  const { id, bundle, cgroupDriver = 'cgroupfs', newKeyring = true } = options
  const { root, process, hostname, domainname, mounts, hooks, annotations, linux = {} } = spec
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  if (root === undefined)
    throw new ConfigInvalid('root', root, 'must be given: it names the root filesystem', {
      hint: 'add "root": { "path": "rootfs" }',
    })
  const systemd = cgroupDriver === 'systemd'
  const { sub, own } = subgroupOf(annotations, { systemd })
  const cgroup = systemd ? systemdPath(linux.cgroupsPath, id, sub) : cgroupPath(linux.cgroupsPath, id)
  const rootId = own ? hostId(idMap(linux.uidMappings), 0, 'linux.uidMappings') : 0
  const asked = annotated(annotations)
  const profile = seccompOf(linux.seccomp, asked.seccomp.receiver)
  checkKnownSyscalls(annotations, profile)
  const config: ContainerConfig = {
    rootfs: cleanPath(root.path.startsWith('/') ? root.path : `${bundle}/${root.path}`),
    readonlyRootfs: root.readonly,
    rootPropagation: (linux.rootfsPropagation || undefined) as ContainerConfig['rootPropagation'],
    namespaces: namespacesOf(linux),
    uidMappings: idMap(linux.uidMappings),
    gidMappings: idMap(linux.gidMappings),
    timeOffsets: linux.timeOffsets,
    hostname: hostname || undefined,
    domainname: domainname || undefined,
    mounts: mountsOf(mounts, bundle),
    devices: devicesOf(
      linux.devices,
      linux.namespaces?.some(({ type }) => type === 'mount'),
    ),
    cgroups: { path: cgroup, ...limitsOf(linux.resources, warn), ...(rootId ? { owner: rootId } : {}) },
    seccomp: asked.seccomp.raw ?? profile,
    mountLabel: linux.mountLabel || undefined,
    maskedPaths: linux.maskedPaths ?? [],
    readonlyPaths: linux.readonlyPaths ?? [],
    sysctl: linux.sysctl,
    personality: personalityOf(linux, warn),
    memoryPolicy: memoryPolicyOf(linux),
    intelRdt: intelRdtOf(linux),
    netDevices: netDevicesOf(linux),
    sessionKeyring: newKeyring || undefined,
    hooks: hooksOf(hooks),
    labels: labelsOf(annotations, bundle, warn),
    ...asked.config,
    ...(process === undefined ? { capabilities: {} } : processAttributes(process, warn)),
    cpuAffinity: process && affinityOf(process),
  }
  return {
    config: defined(config),
    // Affinity is of further processes alone: config.md, Process.
    process: process && {
      ...programOf(process),
      ...(config.cpuAffinity ? { cpuAffinity: {} } : {}),
      ...asked.process,
    },
    cgroupOwner: cgroupOwner(spec),
    warnings,
  }
}

/** The two kinds that the specification calls by other names than the kernel. */
const kinds: Readonly<Record<string, NamespaceKind>> = { mount: 'mnt', network: 'net' }

function namespacesOf({ namespaces = [] }: SpecLinux): NamespaceRequest[] {
  return namespaces.map(({ type, path }) => {
    const kind = kinds[type] ?? (type as NamespaceKind)
    return path ? { kind, path } : kind
  })
}

function idMap(map: readonly SpecIdMapping[] | undefined): ContainerConfig['uidMappings'] {
  if (map === undefined || map.length === 0) return undefined
  return map.map(({ containerID, hostID, size }) => ({ containerId: containerID, hostId: hostID, size }))
}

function personalityOf({ personality }: SpecLinux, warn: (text: string) => void): ContainerConfig['personality'] {
  if (!personality?.domain) return undefined
  if (personality.flags?.length) warn('linux.personality.flags: change nothing, the specification has none yet')
  return personality.domain as ContainerConfig['personality']
}

function memoryPolicyOf({ memoryPolicy }: SpecLinux): ContainerConfig['memoryPolicy'] {
  if (!isGiven(memoryPolicy)) return undefined
  const { mode, nodes, flags } = memoryPolicy!
  return defined({ mode, nodes: nodes || undefined, flags }) as MemoryPolicy
}

/** Set is set: one without a word is a class of the container's own. */
function intelRdtOf({ intelRdt }: SpecLinux): ContainerConfig['intelRdt'] {
  if (intelRdt === undefined) return undefined
  const { closID, l3CacheSchema, memBwSchema, schemata, enableMonitoring } = intelRdt
  const config = defined({
    closId: closID || undefined,
    schemata,
    l3CacheSchema: l3CacheSchema || undefined,
    memBwSchema,
    enableMonitoring,
  })
  return config
}

/** Without a name it keeps the one that it has on the host. */
function netDevicesOf({ netDevices = {} }: SpecLinux): ContainerConfig['netDevices'] {
  const entries = Object.entries(netDevices).map(([device, { name }]) => [device, name ? { name } : {}] as const)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function hooksOf(hooks: Spec['hooks'] = {}): ContainerConfig['hooks'] {
  const given = Object.entries(hooks).filter(([, list]) => list !== undefined && list.length > 0)
  if (given.length === 0) return undefined
  return Object.fromEntries(given.map(([point, list]) => [point, list.map(commandOf)]))
}

function commandOf({ path, args, env, timeout }: SpecHook): Command {
  return {
    path,
    ...(args?.length ? { args } : {}),
    ...(env === undefined ? {} : { env }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
  }
}

function labelsOf(
  annotations: Readonly<Record<string, string>> = {},
  bundle: string,
  warn: (text: string) => void,
): string[] {
  const labels = Object.entries(annotations).map(([key, value]) => {
    if (key === 'bundle' || key.includes('='))
      warn(`annotations['${key}']: cannot be told from a label of this runtime's own in the state`)
    return `${key}=${value}`
  })
  return [...labels, `bundle=${bundle}`]
}

/** By the host's ids, who runs in a container that may change its own cgroup: config-linux.md, Cgroup ownership. */
function cgroupOwner({ process, mounts = [], linux: { namespaces = [], uidMappings } = {} }: Spec): number | undefined {
  const own = namespaces.some(({ type, path }) => type === 'cgroup' && !path)
  const writable = mounts.some(
    ({ source, destination, options = [] }) =>
      source === 'cgroup' && cleanPath(destination) === '/sys/fs/cgroup' && !options.includes('ro'),
  )
  if (!own || !writable || process === undefined) return undefined
  return hostId(idMap(uidMappings), process.user?.uid, 'process.user.uid')
}
