import { Cgroup } from '@libcontainer/cgroups'
import type { CgroupHierarchy } from '@libcontainer/mount'
import { isErrno } from '@libcontainer/sys'

/** A cgroup that is there, or `undefined`. */
export async function findCgroup(where: string | Readonly<Record<string, string>>): Promise<Cgroup | undefined> {
  try {
    return await Cgroup.open(where)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What the mounts of type `cgroup` in a container show: its own directory of each hierarchy. */
export function cgroupHierarchies(cgroup: Cgroup): CgroupHierarchy[] {
  const alone = cgroup.places.length === 1
  return cgroup.places.map(({ hierarchy, directory }) => ({
    version: hierarchy.version,
    name: alone && hierarchy.version === 2 ? '' : hierarchy.mountpoint.slice(hierarchy.mountpoint.lastIndexOf('/') + 1),
    // Mounted anew in a cgroup namespace: a named hierarchy has no controller.
    options: hierarchy.controllers.some(name => name.startsWith('name='))
      ? ['none', ...hierarchy.controllers]
      : hierarchy.controllers,
    path: directory,
  }))
}
