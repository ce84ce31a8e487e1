import { ConfigInvalid } from '@libcontainer/sys'

/** One line of a uid_map or gid_map: `size` ids from `containerId` on inside are those from `hostId` on outside. */
export interface IdMap {
  readonly containerId: number
  readonly hostId: number
  readonly size: number
}

/** The maps of a user namespace. */
export interface IdMaps {
  readonly uid: readonly IdMap[]
  readonly gid: readonly IdMap[]
}

/** user_namespaces(7): lines of a map, since Linux 4.15. */
const MAX_LINES = 340

/** The file is written in one piece that must be shorter than a page: 4096 bytes on x86-64 and on most arm64 kernels. */
const MAX_TEXT = 4095

/** No id: (uid_t)-1 means "leave it alone" to the kernel. */
const NO_ID = 0xffffffff

/** The map of the initial user namespace: every id is itself. */
export const identityMap: readonly IdMap[] = [{ containerId: 0, hostId: 0, size: NO_ID }]

/** Refuses what the kernel would refuse with a mere EINVAL, by line and field. */
export function checkIdMap(map: readonly IdMap[], field: string): void {
  if (!Array.isArray(map)) throw new ConfigInvalid(field, map, 'must be a list of { containerId, hostId, size }')
  map.forEach((entry, i) => {
    checkEntry(entry, `${field}[${i}]`)
  })
  checkOverlap(map, 'containerId', field)
  checkOverlap(map, 'hostId', field)
  const fitting = fittingIdMap(map)
  const hint = 'entries that continue one another count as one: lend ids in fewer, longer ranges'
  if (fitting.length > MAX_LINES) {
    const problem = `has more than the ${MAX_LINES} entries that the kernel takes`
    throw new ConfigInvalid(field, fitting.length, problem, { hint })
  }
  const { length } = idMapText(fitting)
  if (length > MAX_TEXT) {
    const problem = `is ${length} bytes as text, and the kernel takes at most ${MAX_TEXT}`
    throw new ConfigInvalid(field, fitting.length, problem, { hint })
  }
}

/** The map as it is written: as it was given, where the kernel takes that, and else in the fewest lines. */
export function fittingIdMap(map: readonly IdMap[]): readonly IdMap[] {
  const fits = map.length <= MAX_LINES && idMapText(map).length <= MAX_TEXT
  return fits ? map : mergeIdMap(map)
}

function checkEntry(entry: IdMap, field: string): void {
  if (entry === null || typeof entry !== 'object') {
    throw new ConfigInvalid(field, entry, 'must be { containerId, hostId, size }')
  }
  const { containerId, hostId, size, ...others } = entry
  for (const [name, value] of Object.entries(others)) {
    throw new ConfigInvalid(`${field}.${name}`, value, 'must be one of containerId, hostId, size')
  }
  for (const [name, id] of Object.entries({ containerId, hostId })) {
    if (!Number.isInteger(id) || id < 0 || id >= NO_ID) {
      throw new ConfigInvalid(`${field}.${name}`, id, 'must be an id, from 0 to 4294967294')
    }
  }
  if (!Number.isInteger(size) || size < 1 || size > NO_ID) {
    throw new ConfigInvalid(`${field}.size`, size, 'must be a number of ids, from 1 to 4294967295')
  }
  for (const [name, id] of Object.entries({ containerId, hostId })) {
    if (id + size > NO_ID) {
      throw new ConfigInvalid(`${field}.size`, size, `goes beyond the last id, 4294967294, from ${name} ${id} on`)
    }
  }
}

function checkOverlap(map: readonly IdMap[], side: 'containerId' | 'hostId', field: string): void {
  const sorted = map
    .map((entry, i) => ({ from: entry[side], to: entry[side] + entry.size, i }))
    .sort((a, b) => a.from - b.from)
  for (let k = 1; k < sorted.length; k++) {
    const before = sorted[k - 1]!
    const entry = sorted[k]!
    if (entry.from < before.to) {
      throw new ConfigInvalid(
        `${field}[${entry.i}].${side}`,
        entry.from,
        `overlaps ${field}[${before.i}], which ends at ${before.to - 1}`,
      )
    }
  }
}

/** The text of a uid_map or gid_map: `inside outside size`, a line each. */
export function idMapText(map: readonly IdMap[]): string {
  return map.map(({ containerId, hostId, size }) => `${containerId} ${hostId} ${size}\n`).join('')
}

/** Reads the text of a uid_map or gid_map. @throws {ConfigInvalid} for a line that is not three numbers */
export function parseIdMap(text: string): IdMap[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map((line, i) => {
      const match = /^\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*$/.exec(line)
      if (match === null) throw new ConfigInvalid(`line ${i + 1}`, line, 'must be three numbers: inside, outside, size')
      return { containerId: Number(match[1]), hostId: Number(match[2]), size: Number(match[3]) }
    })
}

/**
 * The id outside for an id inside.
 *
 * @param map - `undefined` where there is no user namespace: every id is itself
 * @param field - what the id is, for the error
 * @throws {ConfigInvalid} when the map does not cover the id
 */
export function hostId(map: readonly IdMap[] | undefined, id = 0, field = 'id'): number {
  return translate(map, id, 'containerId', 'hostId', field, 'is not mapped in the user namespace')
}

/** The id inside for an id outside: the inverse of {@link hostId}. */
export function containerId(map: readonly IdMap[] | undefined, id: number, field = 'id'): number {
  return translate(map, id, 'hostId', 'containerId', field, 'is an id of the host that the user namespace does not map')
}

type Side = 'containerId' | 'hostId'

function translate(
  map: readonly IdMap[] | undefined,
  id: number,
  from: Side,
  to: Side,
  field: string,
  problem: string,
): number {
  if (map === undefined) return id
  const entry = map.find(entry => id >= entry[from] && id - entry[from] < entry.size)
  if (entry === undefined) throw new ConfigInvalid(field, id, problem)
  return entry[to] + (id - entry[from])
}

/** The same map in the fewest lines: sorted by the ids inside, lines that continue one another joined. */
export function mergeIdMap(map: readonly IdMap[]): IdMap[] {
  const merged: IdMap[] = []
  for (const entry of [...map].sort((a, b) => a.containerId - b.containerId)) {
    const last = merged.at(-1)
    const continues =
      last && last.containerId + last.size === entry.containerId && last.hostId + last.size === entry.hostId
    if (continues) merged[merged.length - 1] = { ...last, size: last.size + entry.size }
    else merged.push(entry)
  }
  return merged
}

/** Whether two maps translate alike, however they are split into lines. */
export function sameIdMap(a: readonly IdMap[], b: readonly IdMap[]): boolean {
  return idMapText(mergeIdMap(a)) === idMapText(mergeIdMap(b))
}
