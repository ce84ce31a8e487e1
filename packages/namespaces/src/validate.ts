import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { checkIdMap, hostId, type IdMap } from './id-map.js'
import { type NamespaceKind, namespaceKind, namespaceKinds } from './kinds.js'
import { type Namespace, NamespaceSet } from './set.js'
import { checkTimeOffsets, hasTimeOffsets, type TimeOffsets } from './time-offsets.js'

/** The namespaces of a container, and what belongs to them. */
export interface NamespacesConfig {
  readonly namespaces: readonly Namespace[]
  /** The maps of a new user namespace. With a joined one they must say what its own say. */
  readonly uidMappings?: readonly IdMap[] | undefined
  readonly gidMappings?: readonly IdMap[] | undefined
  /** The clocks of a new time namespace. */
  readonly timeOffsets?: TimeOffsets | undefined
}

/**
 * Checks a configuration as far as that needs no kernel, and answers its namespaces.
 *
 * @throws {ConfigInvalid} naming the field and the value
 */
export function validateNamespaces(config: NamespacesConfig): NamespaceSet {
  if (!Array.isArray(config.namespaces))
    throw new ConfigInvalid('namespaces', config.namespaces, 'must be a list of { kind, path }')
  const set = new NamespaceSet()
  config.namespaces.forEach((namespace: Namespace, i: number) => {
    const field = `namespaces[${i}]`
    checkKind(namespace, field)
    if (set.contains(namespace.kind)) throw new ConfigInvalid(`${field}.kind`, namespace.kind, 'is listed twice')
    if (namespace.path !== undefined && namespace.path !== '') checkPath(namespace.path, `${field}.path`)
    set.add(namespace.kind, namespace.path)
  })
  validateMaps(config, set)
  validateOffsets(config, set)
  return set
}

function checkKind(namespace: Namespace, field: string): void {
  if (namespace === null || typeof namespace !== 'object')
    throw new ConfigInvalid(field, namespace, 'must be { kind, path }')
  for (const name of Object.keys(namespace)) {
    if (name !== 'kind' && name !== 'path')
      throw new ConfigInvalid(`${field}.${name}`, namespace[name as 'path'], 'must be one of kind, path')
  }
  checkWord(namespace.kind, `${field}.kind`)
}

/** Refuses what is no kind, and says what is meant by a word of OCI's or libcontainer's. */
export function checkWord(kind: unknown, field: string): asserts kind is NamespaceKind {
  if (namespaceKinds.includes(kind as NamespaceKind)) return
  const meant = typeof kind === 'string' ? namespaceKind(kind) : undefined
  const problem = `must be one of ${namespaceKinds.join(', ')}`
  throw new ConfigInvalid(field, kind, problem, meant === undefined ? {} : { hint: `write '${meant}'` })
}

/** Refuses what is no absolute path of the kernel's. */
export function checkPath(path: string, field: string): void {
  kernelString(path, field)
  if (!path.startsWith('/')) throw new ConfigInvalid(field, path, 'must be an absolute path')
  // The kernel's PATH_MAX, with its NUL.
  if (encodeUtf8(path).length >= 4096) throw new ConfigInvalid(field, path, 'is longer than the 4095 bytes of a path')
}

function validateMaps({ uidMappings, gidMappings }: NamespacesConfig, set: NamespaceSet): void {
  const maps = Object.entries({ uidMappings, gidMappings })
  if (!set.contains('user')) {
    for (const [field, map] of maps) {
      if (map !== undefined && !(Array.isArray(map) && map.length === 0))
        throw new ConfigInvalid(field, map, "needs a namespace of kind 'user'")
    }
    return
  }
  for (const [field, map] of maps) {
    if (map !== undefined) checkIdMap(map, field)
    if (set.isJoined('user')) continue
    if (map === undefined || map.length === 0) {
      throw new ConfigInvalid(field, map, 'is needed for a new user namespace: without it no id exists inside', {
        hint: `add ${field}, such as { containerId: 0, hostId: 100000, size: 65536 }, or the path of a user namespace to join`,
      })
    }
    // Init becomes root there, and devices, mounts and the console belong to it.
    hostId(map, 0, `${field}: the id 0 inside`)
  }
}

function validateOffsets({ timeOffsets }: NamespacesConfig, set: NamespaceSet): void {
  if (timeOffsets === undefined) return
  checkTimeOffsets(timeOffsets, 'timeOffsets')
  if (!hasTimeOffsets(timeOffsets)) return
  if (!set.contains('time')) throw new ConfigInvalid('timeOffsets', timeOffsets, "needs a namespace of kind 'time'")
  if (set.isJoined('time')) {
    throw new ConfigInvalid(
      'timeOffsets',
      timeOffsets,
      'cannot be set for a time namespace that is joined: its clocks are fixed',
    )
  }
}
