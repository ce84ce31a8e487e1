import { capabilityName, capabilityNumber } from '@libcontainer/capabilities'
import { DEFAULT_SIMPLE_DEVICES, type DeviceRequest, device } from '@libcontainer/devices'
import { parseResourceLimit, resourceLimits } from '@libcontainer/init'
import { getNamespace, type IdMap, type NamespaceKind } from '@libcontainer/namespaces'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig, NamespaceRequest, ResourceLimit } from '../config/config.js'
import { namespacesOf } from '../config/namespace-requests.js'
import { limitValue } from '../validate/shape.js'
import { Fields, type Integer } from './fields.js'

const NO_LIMIT = 0xffff_ffff_ffff_ffffn

/** `NEWNS` and its kin, as all files of libcontainer have them. */
export function readKind(word: unknown, at: string): NamespaceKind {
  const kind = typeof word === 'string' ? getNamespace(word)?.file : undefined
  if (kind === undefined)
    throw new ConfigInvalid(
      at,
      word,
      'must be one of NEWUSER, NEWIPC, NEWUTS, NEWNET, NEWPID, NEWNS, NEWCGROUP, NEWTIME',
    )
  return kind
}

/** A list of `{ type, path }`; what is not in it is shared. */
export function readNamespaces(fields: Fields): NamespaceRequest[] {
  const read = (value: unknown, at: string): NamespaceRequest => {
    const entry = new Fields(value, at)
    const kind = readKind(entry.take('type'), entry.field('type'))
    const path = entry.text('path')
    entry.end('a namespace')
    return path === undefined ? kind : { kind, path }
  }
  return fields.list('namespaces', read) ?? []
}

export function writeNamespaces(config: ContainerConfig): { type: string; path: string }[] {
  return namespacesOf(config).map(({ kind, path = '' }) => ({ type: keyOf(kind), path }))
}

const keys = 'NEWUSER NEWIPC NEWUTS NEWNET NEWPID NEWNS NEWCGROUP NEWTIME'.split(' ')
export const keyOf = (kind: NamespaceKind): string => keys.find(key => getNamespace(key)?.file === kind)!

export function readIdMaps(fields: Fields, name: string): IdMap[] | undefined {
  const maps = fields.list(name, (value, at) => {
    const line = new Fields(value, at)
    const read = {
      containerId: line.number('container_id', 0) ?? 0,
      hostId: line.number('host_id', 0) ?? 0,
      size: line.number('size', 0) ?? 0,
    }
    line.end('an id map')
    return read
  })
  return maps === undefined || maps.length === 0 ? undefined : maps
}

export function writeIdMaps(maps: readonly IdMap[] | undefined): object[] | null {
  return maps?.map(({ containerId, hostId, size }) => ({ container_id: containerId, host_id: hostId, size })) ?? null
}

/** Limits whose type is a number, or a name. */
export function readRlimits(fields: Fields): ResourceLimit[] | undefined {
  return fields.list('rlimits', (value, at) => {
    const entry = new Fields(value, at)
    const type = entry.take('type') ?? 0
    const name = typeof type === 'number' || typeof type === 'string' ? parseResourceLimit(type) : undefined
    if (name === undefined)
      throw new ConfigInvalid(`${at}.type`, type, 'must be the number or name of a limit of getrlimit(2)')
    const limit = (field: string): Integer => entry.integer(field, 0, NO_LIMIT) ?? 0
    const read = { type: name, soft: limit('soft'), hard: limit('hard') }
    entry.end('a limit')
    return read
  })
}

export function writeRlimits(limits: readonly ResourceLimit[] | undefined): object[] | null {
  const plain = (value: bigint): Integer => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : value)
  const list = limits?.map(({ type, soft, hard }, i) => {
    const name = parseResourceLimit(type)
    if (name === undefined) throw new ConfigInvalid(`rlimits[${i}].type`, type, 'must be a limit of getrlimit(2)')
    return {
      type: resourceLimits[name]!,
      hard: plain(limitValue(hard, `rlimits[${i}].hard`)),
      soft: plain(limitValue(soft, `rlimits[${i}].soft`)),
    }
  })
  return list ?? null
}

/** Names without `CAP_`, or with it. */
export function readCapabilityNames(fields: Fields, name: string): string[] | undefined {
  const at = fields.field(name)
  return fields.texts(name)?.map((text, i) => capabilityName(capabilityNumber(text, `${at}[${i}]`)))
}

/** How the two spellings name the numbers and the access of a device. */
export interface DeviceNames {
  readonly major: string
  readonly minor: string
  readonly access: string
}

export const NAMES_2014: DeviceNames = { major: 'major_number', minor: 'minor_number', access: 'cgroup_permissions' }
export const NAMES_2015: DeviceNames = { major: 'major', minor: 'minor', access: 'permissions' }

export function readDevices(fields: Fields, name: string, names: DeviceNames): DeviceRequest[] | undefined {
  return fields.list(name, (value, at) => {
    const entry = new Fields(value, at)
    const request = {
      path: entry.text('path') ?? '',
      type: entry.take('type') as DeviceRequest['type'],
      major: entry.number(names.major) ?? 0,
      minor: entry.number(names.minor) ?? 0,
      // Go's FileMode holds the type in its upper bits. A mode of 0 stands for itself: nobody but root opens 2015's /dev/fuse.
      mode: (entry.number('file_mode', 0) ?? 0o666) & 0o7777,
      uid: entry.number('uid', 0) ?? 0,
      gid: entry.number('gid', 0) ?? 0,
      access: entry.text(names.access) ?? 'rwm',
    }
    entry.flag('allow')
    entry.end('a device')
    return device(request, at)
  })
}

export function writeDevices(config: ContainerConfig, names: DeviceNames): Record<string, unknown>[] {
  return (config.devices ?? DEFAULT_SIMPLE_DEVICES).map((request, i) => {
    const { type, path, major, minor, mode, uid, gid, access, source } = device(request, `devices[${i}]`)
    if (source !== undefined && source !== path)
      throw new ConfigInvalid(`devices[${i}].source`, source, 'cannot be said in this dialect')
    const numbers = { [names.major]: major, [names.minor]: minor, [names.access]: access }
    return { type: type.charCodeAt(0), path, ...numbers, file_mode: mode, uid, gid }
  })
}
