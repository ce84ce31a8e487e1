import type { ProcessDefaults } from '@libcontainer/container'
import {
  ids,
  LibcontainerError,
  monotonicNs,
  parseJson,
  readTextIfPresent,
  stringifyJson,
  writeText,
} from '@libcontainer/sys'
import type { Place } from './place.js'

/** Beside the container's own state, where only root writes: what nsinit has to know of a container that it joins or removes. */
export interface Record {
  /** Where it was started: for a container of a directory that of its container.json. */
  readonly directory: string
  /** The nsinit that has made the container, and removes it. */
  readonly pid: number
  /** What tells it from all others that had its id: when it was made. */
  readonly token: string
  /** As the config had it at the start. The file itself may have been changed since, by the container too. */
  readonly process: ProcessDefaults
}

const pathOf = ({ stateRoot, id }: Pick<Place, 'stateRoot' | 'id'>): string => `${stateRoot}/${id}/nsinit.json`

export async function saveRecord(place: Place, process: ProcessDefaults): Promise<Record> {
  const record: Record = { directory: place.path, pid: ids().pid, token: String(monotonicNs()), process }
  await writeText(pathOf(place), `${stringifyJson(record)}\n`, { mode: 0o600 })
  return record
}

/**
 * The record of a container; `undefined` where there is none.
 *
 * @throws {LibcontainerError} `IdInUse` for another directory, whose path has the same hash
 */
export async function loadRecord(
  place: Pick<Place, 'stateRoot' | 'id' | 'path' | 'named'>,
): Promise<Record | undefined> {
  const text = await readTextIfPresent(pathOf(place))
  if (text === undefined) return undefined
  const record = parseJson(text) as Record
  if (!place.named && record.directory !== place.path)
    throw new LibcontainerError('IdInUse', `id '${place.id}' is in use: by the container of ${record.directory}`)
  return record
}
