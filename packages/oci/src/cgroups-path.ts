import { cleanPath } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'

const FIELD = 'linux.cgroupsPath'

/** A unit of systemd that a container's cgroup is: `<prefix>-<name>.scope`, or the name itself if it ends in `.slice`. */
export interface SystemdCgroup {
  readonly slice: string
  readonly prefix: string
  readonly name: string
}

/**
 * Where the cgroup is that `linux.cgroupsPath` names: absolute below each hierarchy's mount, relative below the caller's own.
 *
 * @param id - of the container, whose cgroup has its name where none is given
 * @throws {ConfigInvalid} for a path that names no cgroup
 */
export function cgroupPath(path: string | undefined, id: string): string {
  if (!path) return id
  const clean = cleanPath(path, FIELD)
  if (clean === '') throw new ConfigInvalid(FIELD, path, 'must name a cgroup below the top')
  return path.startsWith('/') ? `/${clean}` : clean
}

/**
 * The unit that `linux.cgroupsPath` names for systemd: `slice:prefix:name`.
 *
 * @throws {ConfigInvalid} for anything but three parts
 */
export function systemdCgroup(path: string | undefined, id: string): SystemdCgroup {
  if (!path) return { slice: '', prefix: 'libcontainer', name: id }
  const parts = path.split(':')
  const [slice, prefix, name] = parts
  if (parts.length !== 3 || !name)
    throw new ConfigInvalid(FIELD, path, 'must be slice:prefix:name for systemd', {
      hint: `such as system.slice:libcontainer:${id}; a path is for the driver cgroupfs`,
    })
  return { slice: slice!, prefix: prefix!, name }
}

/**
 * The same as the driver systemd takes it.
 *
 * @param sub - the name of the cgroup below the unit that processes are to live in
 * @throws {ConfigInvalid} for anything but three parts
 */
export function systemdPath(path: string | undefined, id: string, sub?: string): string {
  const { slice, prefix, name } = systemdCgroup(path, id)
  return `${slice}:${prefix}:${name}${sub ? `/${sub}` : ''}`
}
