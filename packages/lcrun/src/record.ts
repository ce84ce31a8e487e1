import { ContainerError, type ProcessSpec } from '@libcontainer/container'
import { isErrno, monotonicNs, parseJson, readTextIfPresent, stringifyJson, writeText } from '@libcontainer/sys'

/** Beside the container's own state: what lcrun has to know of a container that another call of it has made. */
export interface Record {
  /** What tells it from all others that had its id: when it was made. */
  readonly token: string
  /** The program of the config, as it was read then: further ones run with its environment, as its user, in its directory. */
  readonly process: Pick<ProcessSpec, 'env' | 'cwd' | 'user' | 'additionalGroups'>
}

const pathOf = (root: string, id: string): string => `${root}/${id}/lcrun.json`

export async function saveRecord(
  root: string,
  id: string,
  { env, cwd, user, additionalGroups }: ProcessSpec,
): Promise<Record> {
  const record: Record = { token: String(monotonicNs()), process: { env, cwd, user, additionalGroups } }
  try {
    await writeText(pathOf(root, id), `${stringifyJson(record)}\n`, { mode: 0o600 })
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new ContainerError('ContainerNotExists', `container '${id}' does not exist any more`, { cause: error })
  }
  return record
}

/** The record of a container; `undefined` where there is none: it was removed, or made by another program. */
export async function loadRecord(root: string, id: string): Promise<Record | undefined> {
  const text = await readTextIfPresent(pathOf(root, id))
  return text === undefined ? undefined : (parseJson(text) as Record)
}
