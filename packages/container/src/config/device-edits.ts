import { DEFAULT_SIMPLE_DEVICES, type DeviceEdits, type DeviceRequest } from '@libcontainer/devices'
import { cleanPath, defaultMounts, type Mount } from '@libcontainer/mount'
import { notYet } from '@libcontainer/sys'
import type { Hooks } from '../start/hooks.js'
import { environment } from '../validate/process.js'
import type { ContainerConfig } from './config.js'
import type { ProcessSpec } from './process-spec.js'

/** A container's config and its first process. */
export interface WithEdits {
  readonly config: ContainerConfig
  readonly process: ProcessSpec
}

/**
 * A config and a process that have what devices of the Container Device Interface ask for: `cdiEdits` of `@libcontainer/devices`. Pure.
 *
 * A node or mount of theirs takes the place of what the config has at its path; a node without an owner of its own is the process's user's, where that
 * is a number.
 *
 * @throws {ConfigInvalid} for RDT classes, which no package does yet
 */
export function withEdits({ config, process }: WithEdits, edits: DeviceEdits): WithEdits {
  if (edits.intelRdt !== undefined) throw notYet('intelRdt', '@libcontainer/intelrdt', { value: edits.intelRdt })
  const { devices = DEFAULT_SIMPLE_DEVICES, mounts = defaultMounts, cgroups, hooks } = config
  const nodes = nodesOf(edits, process)
  const taken = new Set(nodes.map(({ path }) => path))
  const groups = new Set([...(process.additionalGroups ?? []), ...edits.additionalGroups])
  return {
    config: {
      ...config,
      devices: [...devices.filter(({ path }) => !taken.has(cleanPath(path))), ...nodes],
      ...(edits.mounts.length > 0 && { mounts: edits.mounts.reduce(withMount, mounts) }),
      ...(edits.rules.length > 0 && {
        cgroups: { ...cgroups, devices: [...(cgroups?.devices ?? []), ...edits.rules] },
      }),
      ...(edits.netDevices.length > 0 && { netDevices: { ...config.netDevices, ...movedBy(edits) } }),
      ...(edits.hooks.length > 0 && { hooks: edits.hooks.reduce(withHook, hooks ?? {}) }),
    },
    process: {
      ...process,
      ...(edits.env.length > 0 && { env: environment({ ...process, env: [...environment(process), ...edits.env] }) }),
      ...(groups.size > 0 && { additionalGroups: [...groups] }),
    },
  }
}

/** Network devices, by their names on the host. */
const movedBy = ({ netDevices }: DeviceEdits): ContainerConfig['netDevices'] =>
  Object.fromEntries(netDevices.map(({ hostInterfaceName, name }) => [hostInterfaceName, { name }]))

/** Of two nodes at one path the later holds. */
function nodesOf({ devices }: DeviceEdits, { user }: ProcessSpec): DeviceRequest[] {
  const { uid = undefined, gid = undefined } = typeof user === 'object' ? user : {}
  const nodes = devices.map(({ ownUid, ownGid, ...node }) => ({
    ...node,
    ...(!ownUid && uid !== undefined && { uid }),
    ...(!ownGid && gid !== undefined && { gid }),
  }))
  return [...new Map(nodes.map(node => [node.path, node])).values()]
}

/** In place of what is mounted there; ahead of what is mounted below it, and else last. */
function withMount(mounts: readonly Mount[], mount: DeviceEdits['mounts'][number]): readonly Mount[] {
  const at = cleanPath(mount.destination)
  const others = mounts.filter(({ destination }) => cleanPath(destination) !== at)
  const below = others.findIndex(({ destination }) => cleanPath(destination).startsWith(`${at}/`))
  return others.toSpliced(below < 0 ? others.length : below, 0, mount)
}

function withHook(hooks: Hooks, { point, ...command }: DeviceEdits['hooks'][number]): Hooks {
  return { ...hooks, [point]: [...(hooks[point] ?? []), command] }
}
