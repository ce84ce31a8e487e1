import { type Invocation, isOn } from '@libcontainer/cli'
import type { ContainerConfig, NamespaceRequest } from '@libcontainer/container'
import { defaultMounts, type Mount } from '@libcontainer/mount'
import type { IdMap, NamespaceKind } from '@libcontainer/namespaces'
import { ConfigInvalid, defined, signalNumber } from '@libcontainer/sys'
import type { ContainerJson } from './container-json.js'
import { secure } from './security.js'

type Flags = Pick<Invocation, 'flags' | 'lists'>

/**
 * Changes a config as the flags say that were given; what they do not say stays as it is. Pure.
 *
 * @throws {ConfigInvalid} with the flag as its field
 */
export function applyFlags({ config, process }: ContainerJson, given: Flags): ContainerJson {
  const isolated = applyNamespaces(config, given)
  const limited = applyLimits({ ...isolated, ...simpleFields(given) }, given)
  const mounted = applyNetwork(applyMounts(limited, given), given)
  const level = given.flags.get('security')
  const groups = given.lists.get('groups')
  return {
    config: level ? secure(mounted, level) : mounted,
    process: groups === undefined ? process : { ...process, additionalGroups: groups.map(group) },
  }
}

/** A number is an id, all else a name of the container's own /etc/group. */
const group = (text: string): string | number => {
  if (text === '') throw new ConfigInvalid('--groups', text, 'must name a group')
  return /^\d+$/.test(text) ? Number(text) : text
}

/** `rootfs` is not among them: it is relative to where it was said. */
function simpleFields(given: Flags): Partial<ContainerConfig> {
  const hostname = given.flags.get('hostname')
  const sysctl = given.lists.get('sysctl')
  const signal = given.flags.get('parent-death-signal')
  const apparmorProfile = given.flags.get('apparmor-profile')
  const selinuxLabel = given.flags.get('process-label')
  const mountLabel = given.flags.get('mount-label')
  return {
    ...(given.flags.has('read-only') ? { readonlyRootfs: isOn(given, 'read-only') } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(selinuxLabel ? { selinuxLabel } : {}),
    ...(mountLabel ? { mountLabel } : {}),
    ...(sysctl === undefined ? {} : { sysctl: Object.fromEntries(sysctl.map(pair)) }),
    ...(signal === undefined ? {} : { parentDeathSignal: deathSignal(signal) }),
  }
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new ConfigInvalid('--sysctl', text, 'must be KEY=VALUE')
  return [text.slice(0, equals), text.slice(equals + 1)]
}

function deathSignal(text: string): number | undefined {
  if (text === '0') return undefined
  try {
    return signalNumber(/^\d+$/.test(text) ? Number(text) : text)
  } catch (cause) {
    throw new ConfigInvalid('--parent-death-signal', text, 'must be a signal: KILL, 15; or 0 for none', { cause })
  }
}

const OWN: readonly NamespaceRequest[] = ['mnt', 'pid', 'ipc', 'uts', 'net']
const KINDS: readonly NamespaceKind[] = ['ipc', 'mnt', 'net', 'pid', 'uts']

const kindOf = (request: NamespaceRequest): NamespaceKind => (typeof request === 'string' ? request : request.kind)

function applyNamespaces(config: ContainerConfig, given: Flags): ContainerConfig {
  const said = KINDS.filter(kind => given.flags.has(kind)).map(
    kind => [kind, namespaceRequest(kind, given.flags.get(kind)!)] as const,
  )
  const uid = integer(given, 'userns-root-uid', 0, 0x7ffffffe)
  if (said.length === 0 && !uid) return config
  const kept = (config.namespaces ?? OWN).filter(each => said.every(([kind]) => kind !== kindOf(each)))
  const namespaces = [...kept, ...said.map(([, request]) => request).filter(request => request !== undefined)]
  const { hostname, ...rest } = config
  // A name that nobody has asked for is not given to a namespace of others.
  const shared = said.some(([kind, request]) => kind === 'uts' && request !== 'uts')
  return {
    ...(hostname === undefined || shared ? rest : config),
    namespaces,
    ...(uid ? userNamespace(namespaces, uid) : {}),
  }
}

function namespaceRequest(kind: NamespaceKind, said: string): NamespaceRequest | undefined {
  if (said === 'host') return undefined
  if (said === '' || said === 'private') return kind
  if (!said.startsWith('/')) throw new ConfigInvalid(`--${kind}`, said, 'must be host, private, or an absolute path')
  return { kind, path: said }
}

/** Root is the user `uid` outside; all others are who they are. */
function userNamespace(list: readonly NamespaceRequest[], uid: number): Partial<ContainerConfig> {
  const map: IdMap[] = [
    { containerId: 0, hostId: uid, size: 1 },
    { containerId: 1, hostId: 1, size: uid - 1 },
    { containerId: uid + 1, hostId: uid + 1, size: 0x7fffffff - uid },
  ].filter(({ size }) => size > 0)
  return {
    namespaces: ['user', ...list.filter(each => kindOf(each) !== 'user')],
    uidMappings: map,
    gidMappings: map,
  }
}

/** One more network, as 2015 had it: eth0 behind a bridge. */
function applyNetwork(config: ContainerConfig, given: Flags): ContainerConfig {
  const { flags } = given
  const bridge = flags.get('veth-bridge')
  if (!bridge) {
    for (const name of ['veth-address', 'veth-gateway', 'veth-mtu'])
      if (flags.get(name))
        throw new ConfigInvalid(`--${name}`, flags.get(name), 'is of a network by a bridge: give --veth-bridge')
    return config
  }
  const network = defined({
    type: 'veth' as const,
    bridge,
    address: flags.get('veth-address') || undefined,
    gateway: flags.get('veth-gateway') || undefined,
    mtu: integer(given, 'veth-mtu', 0, 65535) || undefined,
  })
  return { ...config, networks: [...(config.networks ?? []), network] }
}

function applyLimits(config: ContainerConfig, given: Flags): ContainerConfig {
  const memory = defined({
    max: limit(given, 'memory-limit'),
    memswMax: limit(given, 'memory-swap'),
    swappiness: swappiness(given),
  })
  const cpu = defined({ shares: integer(given, 'cpushares', 2, 262144) })
  const cpuset = defined({ cpus: given.flags.get('cpuset-cpus'), mems: given.flags.get('cpuset-mems') })
  const said = Object.entries({ memory, cpu, cpuset }).filter(([, part]) => Object.keys(part).length > 0)
  if (said.length === 0) return config
  const before = config.cgroups ?? {}
  const parts = said.map(([name, part]) => [name, { ...(before[name as 'memory'] as object | undefined), ...part }])
  return { ...config, cgroups: { ...before, ...Object.fromEntries(parts) } }
}

function limit(given: Flags, name: string): number | bigint | 'max' | undefined {
  const text = given.flags.get(name)
  if (text === undefined) return undefined
  if (text === '-1') return 'max'
  if (!/^\d{1,19}$/.test(text))
    throw new ConfigInvalid(`--${name}`, text, 'must be a number of bytes, or -1 for no limit')
  const bytes = BigInt(text)
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : bytes
}

/** -1 is how 2015's configs said that there is none. */
const swappiness = (given: Flags): number | undefined =>
  given.flags.get('memory-swappiness') === '-1' ? undefined : integer(given, 'memory-swappiness', 0, 100)

function integer({ flags }: Flags, name: string, least: number, most: number): number | undefined {
  const text = flags.get(name)
  if (text === undefined) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most))
    throw new ConfigInvalid(`--${name}`, text, `must be a whole number from ${least} to ${most}`)
  return value
}

function applyMounts(config: ContainerConfig, given: Flags): ContainerConfig {
  const binds = (given.lists.get('bind') ?? []).map(bindMount)
  const tmpfs = (given.lists.get('tmpfs') ?? []).map(memoryMount)
  const before = config.mounts ?? defaultMounts
  const cgroup = defaultMounts.filter(
    ({ type }) => type === 'cgroup' && isOn(given, 'cgroup') && !before.some(mount => mount.type === 'cgroup'),
  )
  const more = [...cgroup, ...tmpfs, ...binds]
  return more.length === 0 ? config : { ...config, mounts: [...before, ...more] }
}

function bindMount(text: string): Mount {
  const parts = text.split(':')
  const [source = '', destination = '', mode = 'rw'] = parts
  if (parts.length < 2 || parts.length > 3 || source === '' || destination === '')
    throw new ConfigInvalid('--bind', text, 'must be SRC:DST, SRC:DST:ro or SRC:DST:rw')
  if (mode !== 'ro' && mode !== 'rw') throw new ConfigInvalid('--bind', text, `is ro or rw, not '${mode}'`)
  for (const path of [source, destination])
    if (!path.startsWith('/')) throw new ConfigInvalid('--bind', text, 'must name absolute paths')
  return { destination, type: 'bind', source, options: ['rbind', mode] }
}

function memoryMount(destination: string): Mount {
  if (!destination.startsWith('/')) throw new ConfigInvalid('--tmpfs', destination, 'must be an absolute path')
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec'] }
}
