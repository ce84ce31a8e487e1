import { ConfigInvalid } from '@libcontainer/sys'
import { cleanPath, type Place, placeAt } from '../host/place.js'
import { readFiles } from '../read.js'

/**
 * The places of a cgroup with some of them moved further down, to directories that are there.
 *
 * @param paths - by controller, `''` for the unified hierarchy: relative to the cgroup
 */
export async function placesBelow(
  places: readonly Place[],
  paths: Readonly<Record<string, string>>,
  field: string,
): Promise<Place[]> {
  const moved = new Map<Place, Place>()
  for (const [controller, path] of Object.entries(paths)) {
    const at = controller === '' ? field : `${field}.${controller}`
    const place = places.find(({ hierarchy: { version, controllers } }) =>
      controller === '' ? version === 2 : version === 1 && controllers.includes(controller),
    )
    if (place === undefined) {
      const v1 = places.flatMap(({ hierarchy }) => (hierarchy.version === 1 ? hierarchy.controllers : []))
      const known = [
        ...v1,
        ...(places.some(({ hierarchy }) => hierarchy.version === 2) ? ["'' (the unified hierarchy)"] : []),
      ]
      throw new ConfigInvalid(at, path, `names no hierarchy of the cgroup; there are ${known.join(', ')}`)
    }
    const below = checkBelow(path, at)
    const before = moved.get(place)
    const wanted = below === '' ? place : placeAt(place.hierarchy, place.path === '' ? below : `${place.path}/${below}`)
    if (before !== undefined && before.path !== wanted.path)
      throw new ConfigInvalid(
        at,
        path,
        `is another path for the hierarchy of ${place.hierarchy.controllers.join(',')}, which has one`,
      )
    moved.set(place, wanted)
  }
  const answers = await readFiles([...moved.values()].map(place => ({ place, file: 'cgroup.procs' })))
  for (const [i, place] of [...moved.values()].entries()) {
    if (answers[i] === -2) throw new ConfigInvalid(field, place.path, `is no cgroup: ${place.directory} does not exist`)
  }
  return places.map(place => moved.get(place) ?? place)
}

function checkBelow(path: unknown, field: string): string {
  if (typeof path !== 'string') throw new ConfigInvalid(field, path, 'must be a path below the cgroup')
  if (path.split('/').includes('..')) throw new ConfigInvalid(field, path, 'must not climb out of the cgroup')
  return cleanPath(path, field)
}
