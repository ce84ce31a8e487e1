import { cleanPath } from '@libcontainer/mount'
import { type NamespaceKind, namespaceKinds } from '@libcontainer/namespaces'
import { parseJson, readTextIfPresent, replaceFile, stringifyJson } from '@libcontainer/sys'
import { ContainerError, systemError } from './errors.js'
import type { ResolvedConfig } from './resolve.js'

/** What is recorded of a container that has a first process: `state.json` of its state directory. */
export interface ContainerState {
  readonly id: string
  /** As this host sees it. */
  readonly init_process_pid: number
  /** In clock ticks since boot; as text, since it is a name and no number to count with. */
  readonly init_process_start: string
  /** When it was started: RFC 3339, UTC. */
  readonly created: string
  /** By controller; `''` for the unified hierarchy. */
  readonly cgroup_paths: Readonly<Record<string, string>>
  readonly namespace_paths: Readonly<Record<string, string>>
  readonly config: ResolvedConfig
}

export const STATE_FILE = 'state.json'
/** Where a created container's init listens to be started. */
export const START_SOCKET = 'start.sock'

/** /proc/<pid>/ns/<kind>, of every kind, those that the container shares too. */
export function namespacePaths(pid: number): Record<NamespaceKind, string> {
  return Object.fromEntries(namespaceKinds.map(kind => [kind, `/proc/${pid}/ns/${kind}`])) as Record<
    NamespaceKind,
    string
  >
}

/**
 * Writes the state, and answers with its text: the first time plainly, into a directory that nobody reads before its name is known; then by replacing it.
 * No fsync: what it describes does not outlive the machine, and rename alone keeps a reader from half a file.
 */
export async function saveState(directory: string, state: ContainerState): Promise<string> {
  const text = `${stringifyJson(state)}\n`
  await replaceFile(`${directory}/${STATE_FILE}`, text, { mode: 0o600 })
  return text
}

/**
 * The state in a directory.
 *
 * @throws {ContainerError} `ContainerNotExists` when there is none, `SystemError` when it is broken
 */
export async function loadState(id: string, directory: string): Promise<ContainerState> {
  const path = `${directory}/${STATE_FILE}`
  const text = await readState(id, directory)
  if (text === undefined)
    throw new ContainerError('ContainerNotExists', `there is no container '${id}': ${path} does not exist`)
  return parseState(text, path, id)
}

/** Its text; `undefined` when there is none. */
export async function readState(id: string, directory: string): Promise<string | undefined> {
  try {
    return await readTextIfPresent(`${directory}/${STATE_FILE}`)
  } catch (error) {
    throw systemError(`cannot read the state of '${id}'`, error)
  }
}

export function parseState(text: string, path: string, id?: string): ContainerState {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    throw broken(path, 'is not JSON', cause)
  }
  if (!isObject(value)) throw broken(path, 'is not an object')
  const state = value as Partial<Record<keyof ContainerState, unknown>>
  if (typeof state.id !== 'string' || (id !== undefined && state.id !== id))
    throw broken(path, 'does not name this container in id')
  if (!Number.isInteger(state.init_process_pid) || (state.init_process_pid as number) < 1)
    throw broken(path, 'has no init_process_pid')
  if (typeof state.init_process_start !== 'string' || !/^\d{1,20}$/.test(state.init_process_start)) {
    throw broken(path, 'has no init_process_start')
  }
  if (typeof state.created !== 'string') throw broken(path, 'has no created')
  for (const field of ['cgroup_paths', 'namespace_paths', 'config'] as const) {
    if (!isObject(state[field])) throw broken(path, `has no ${field}`)
  }
  for (const field of ['cgroup_paths', 'namespace_paths'] as const) {
    if (Object.values(state[field] as object).some(each => typeof each !== 'string'))
      throw broken(path, `has a path in ${field} that is no text`)
  }
  checkConfig(state.config as Partial<ResolvedConfig>, path)
  return state as ContainerState
}

/** What is asked of a config to find the container's processes, and to end them. */
function checkConfig({ rootfs, namespaces, cgroups }: Partial<ResolvedConfig>, path: string): void {
  if (typeof rootfs !== 'string') throw broken(path, 'has no config.rootfs')
  if (!isObject(cgroups) || typeof cgroups.path !== 'string') throw broken(path, 'has no config.cgroups.path')
  // Whoever removes the container kills all that is there: never the whole machine.
  if (cleanPath(cgroups.path) === '/' || cgroups.path.includes('\0'))
    throw broken(path, 'names no cgroup in config.cgroups.path')
  const known = (each: unknown): boolean =>
    isObject(each) && namespaceKinds.includes((each as { kind: NamespaceKind }).kind)
  if (!Array.isArray(namespaces) || !namespaces.every(known)) throw broken(path, 'has no config.namespaces')
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const broken = (path: string, how: string, cause?: unknown): ContainerError =>
  new ContainerError('SystemError', `${path} ${how}`, {
    cause,
    hint: 'the state is damaged or of another version: remove the container by force',
  })
