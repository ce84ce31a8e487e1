import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'

/** What is unmounted on the host afterwards would stay in such a container, below the root that was moved on top. */
export function checkMoved({ noPivotRoot, rootPropagation }: ContainerConfig): void {
  if (noPivotRoot && (rootPropagation === 'private' || rootPropagation === 'rprivate'))
    throw new ConfigInvalid(
      'rootPropagation',
      rootPropagation,
      'is not safe with noPivotRoot: the old root stays in the mount namespace, and would keep what the host unmounts',
    )
}

/** What is a mount, or lies on one: each has a default that is not empty. */
const LISTS = ['mounts', 'devices', 'maskedPaths', 'readonlyPaths'] as const
const WORDS = [
  'rootIdMap',
  'rootOverlay',
  'rootTmpfs',
  'files',
  'readonlyRootfs',
  'noPivotRoot',
  'rootPropagation',
] as const
const REMEDY = 'needs a mount namespace of the container’s own: add mnt to namespaces'

/**
 * What a config without a mount namespace may not ask for: it would be mounted for the host, too, or be left behind. That nothing of it is wanted has to
 * be said, since every default isolates. Pure.
 */
export function sharedMountProblems(config: ContainerConfig): ConfigInvalid[] {
  const asked = [
    ...LISTS.filter(field => Array.isArray(config[field]) && config[field].length > 0),
    ...WORDS.filter(field => config[field] !== undefined && config[field] !== false),
  ]
  const unsaid = LISTS.filter(field => config[field] === undefined)
  return [
    ...asked.map(field => new ConfigInvalid(field, config[field], REMEDY)),
    ...(unsaid.length === 0
      ? []
      : [
          new ConfigInvalid(
            'namespaces',
            config.namespaces,
            'must have a new mnt: without one nothing is mounted, made or hidden for the container',
            { hint: `add mnt, or say that nothing is wanted: ${unsaid.map(field => `${field}: []`).join(', ')}` },
          ),
        ]),
  ]
}
