import { ConfigInvalid, kernelString, namesOfPath, nulTerminated, SyscallError } from '@libcontainer/sys'
import { type CgroupHost, type Hierarchy, hierarchyOf } from './host.js'

/** One directory of a cgroup: it has one in every hierarchy. */
export interface Place {
  readonly hierarchy: Hierarchy
  /** Below the mount point, without a `/` at its start. */
  readonly path: string
  readonly directory: string
}

/** A cgroup by its directories: a {@link Cgroup} is one. */
export interface CgroupPlaces {
  readonly host: CgroupHost
  readonly places: readonly Place[]
}

export const placeAt = (hierarchy: Hierarchy, path: string): Place => ({
  hierarchy,
  path,
  directory: path === '' ? hierarchy.mountpoint : `${hierarchy.mountpoint}/${path}`,
})

/** The place of a cgroup below. @param path - clean */
export const placeBelow = ({ hierarchy, path: above }: Place, path: string): Place =>
  placeAt(hierarchy, above === '' ? path : `${above}/${path}`)

/**
 * A path as if the file system ended at its start: `..` never climbs out, doubled and trailing slashes go.
 *
 * @returns without a `/` at its start
 */
export function cleanPath(path: string, field = 'path'): string {
  kernelString(path, field)
  const parts = namesOfPath(path)
  // A line end would make /proc/PID/cgroup unreadable: the kernel refuses it.
  if (path.includes('\n')) throw new ConfigInvalid(field, path, 'must not hold a line end')
  if (parts.some(part => part.length > 255)) throw new ConfigInvalid(field, path, 'has a name of more than 255 bytes')
  return parts.join('/')
}

/**
 * The directories of a cgroup, one in each mounted hierarchy.
 *
 * An absolute path lies below the mount points. A relative one lies below the cgroup of this process; on a pure v2 host beside it, that
 * is below its parent, since a v2 cgroup that has processes may have no controllers for children.
 */
export function placesOf(host: CgroupHost, path: string): Place[] {
  const clean = cleanPath(path)
  return host.hierarchies.map(hierarchy => {
    const base = path.startsWith('/') ? '' : host.mode === 'v2' ? parentOf(hierarchy.own) : hierarchy.own
    return placeAt(hierarchy, base === '' || clean === '' ? base + clean : `${base}/${clean}`)
  })
}

/** Where a cgroup can be made. @throws {ConfigInvalid} for a path that names none */
export function newPlaces(host: CgroupHost, path: string): Place[] {
  const places = placesOf(host, path)
  if (cleanPath(path) === '') throw new ConfigInvalid('path', path, 'must name a cgroup below the top')
  if (places.length === 0) {
    throw new SyscallError(2, 'open', {
      path: '/sys/fs/cgroup',
      hint: 'no cgroup file system is mounted: mount -t cgroup2 none /sys/fs/cgroup',
    })
  }
  return places
}

/** The places that saved paths name. A hierarchy that is mounted no more is left out. */
export function savedPlaces(
  host: CgroupHost,
  saved: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
): Place[] {
  const paths = saved instanceof Map ? saved : new Map(Object.entries(saved as Readonly<Record<string, string>>))
  return host.hierarchies.flatMap(hierarchy => {
    const directory = paths.get(hierarchy.version === 2 ? '' : hierarchy.controllers[0]!)
    if (directory === undefined) return []
    const top = `${hierarchy.mountpoint}/`
    const path = directory.startsWith(top) ? directory.slice(top.length) : undefined
    if (!path || path !== cleanPath(path)) {
      throw new ConfigInvalid('paths', directory, `must be a clean absolute path below ${hierarchy.mountpoint}`)
    }
    return [placeAt(hierarchy, path)]
  })
}

/** Its directory in the hierarchy of a controller, where it has one. */
export function placeOf({ host, places }: CgroupPlaces, controller: string): Place | undefined {
  const hierarchy = hierarchyOf(host, controller)
  return hierarchy && places.find(place => place.hierarchy === hierarchy)
}

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** `file` in a place, as ops take it: relative to the mount point. */
export const fileIn = ({ path }: Place, file: string): string => (path === '' ? file : `${path}/${file}`)

/** Pairs of mount point and path, as ops take a list of directories, or with `file` a list of files. */
export function listOf(places: readonly Place[], file?: string | ((place: Place) => string)): Uint8Array<ArrayBuffer> {
  return nulTerminated(
    places.flatMap(place => [
      place.hierarchy.mountpoint,
      file === undefined ? place.path : fileIn(place, typeof file === 'string' ? file : file(place)),
    ]),
  )
}
