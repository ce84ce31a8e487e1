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
    options: hierarchy.version === 2 ? [] : mountOptions(hierarchy.controllers),
    path: directory,
  }))
}

/** What selects a v1 hierarchy when it is mounted anew, in a cgroup namespace: a named one has no controller. */
function mountOptions(controllers: readonly string[]): readonly string[] {
  return controllers.some(name => name.startsWith('name=')) ? ['none', ...controllers] : controllers
}
