import { ConfigInvalid, kernelString, namesOfPath, nulTerminated } from '@libcontainer/sys'
import type { CgroupHost, Hierarchy } from './host.js'

/** One directory of a cgroup: it has one in every hierarchy. */
export interface Place {
  readonly hierarchy: Hierarchy
  /** Below the mount point, without a `/` at its start. */
  readonly path: string
  readonly directory: string
}

export const placeAt = (hierarchy: Hierarchy, path: string): Place => ({
  hierarchy,
  path,
  directory: path === '' ? hierarchy.mountpoint : `${hierarchy.mountpoint}/${path}`,
})

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
