import { cleanPath } from '@libcontainer/mount'
import { type NamespaceKind, namespaceKinds } from '@libcontainer/namespaces'
import { ConfigInvalid, parseJson, readTextIfPresent, replaceFile, type Step, stringifyJson } from '@libcontainer/sys'
import type { ResolvedConfig } from '../config/resolve.js'
import { ContainerError, systemError } from '../errors.js'
import type { NetworkState } from '../network/networking.js'
import { type Era, eraOf, pathsByKind } from './eras.js'

/** What is recorded of a container that has a first process: `state.json` of its state directory. */
export interface ContainerState {
  readonly id: string
  /** As this host sees it. */
  readonly init_process_pid: number
  /** In clock ticks since boot; as text, since it is a name and no number to count with. */
  readonly init_process_start: string
  /** When it was started: RFC 3339, UTC; not told in 2015. */
  readonly created?: string | undefined
  /** The directory that it was made from, by its label: here too, where `overview` finds it early. */
  readonly bundle?: string | undefined
  /** Whether it was started by an ordinary user. */
  readonly rootless?: boolean | undefined
  /** Who has made its cgroup, if somebody else than this library. */
  readonly cgroup_driver?: 'systemd' | undefined
  /** By controller; `''` for the unified hierarchy. */
  readonly cgroup_paths: Readonly<Record<string, string>>
  readonly namespace_paths: Readonly<Record<string, string>>
  /** Its group of resctrl, and the one that counts it apart. */
  readonly intel_rdt_path?: string | undefined
  readonly intel_rdt_mon_path?: string | undefined
  /** As 2014 told of it: the ends of its pair, where it has one. What was made for its networks is in a file beside. */
  readonly network_state?: NetworkState | undefined
  /** What the first process had as standard streams: what the links of /proc/<pid>/fd say. */
  readonly external_descriptors?: readonly string[] | undefined
  readonly config: ResolvedConfig
  /** Another version of libcontainer has written it; never in the file. */
  readonly era?: Era | undefined
}

export const STATE_FILE = 'state.json'
/** Where a created container's init listens to be started. */
export const START_SOCKET = 'start.sock'

/** The cgroups that a container is stopped by: the unified one, and v1's freezer. */
export const freezerKeys = ['', 'freezer'] as const

/** The directories of a cgroup as a state has them: those first by which `overview` tells a paused container. */
export function cgroupPaths(paths: ReadonlyMap<string, string>): Record<string, string> {
  const first = freezerKeys.flatMap(key => (paths.has(key) ? [[key, paths.get(key)!] as const] : []))
  return Object.fromEntries([...first, ...paths])
}

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
 *
 * @param before - of files that have to be there when it is
 */
export async function saveState(
  directory: string,
  state: ContainerState,
  before: readonly Step[] = [],
): Promise<string> {
  if (state.era !== undefined) {
    throw new ContainerError(
      'SystemError',
      `the state of '${state.id}' is one of ${state.era}, which is not written here`,
      {
        hint: 'change the container with the program that started it',
      },
    )
  }
  const text = `${stringifyJson(state)}\n`
  await replaceFile(`${directory}/${STATE_FILE}`, text, { mode: 0o600, before })
  return text
}

/**
 * The state in a directory.
 *
 * @throws {ContainerError} `ContainerNotExists` when there is none, `SystemError` when it is broken
 */
export async function loadState(id: string, directory: string): Promise<ContainerState> {
  return (await loadWithText(id, directory)).state
}

/** The state with the text that tells it, by which whoever reads it again sees that it is the same. @throws as {@link loadState} */
export async function loadWithText(id: string, directory: string): Promise<{ state: ContainerState; text: string }> {
  const path = `${directory}/${STATE_FILE}`
  const text = await readState(id, directory)
  if (text === undefined)
    throw new ContainerError('ContainerNotExists', `there is no container '${id}': ${path} does not exist`)
  return { state: await parseState(text, path, id), text }
}

/** Its text; `undefined` when there is none. */
export async function readState(id: string, directory: string): Promise<string | undefined> {
  try {
    return await readTextIfPresent(`${directory}/${STATE_FILE}`)
  } catch (error) {
    throw systemError(`cannot read the state of '${id}'`, error)
  }
}

/**
 * Reads the text of a `state.json`: this library's, libcontainer's of 2015, or runc's of today.
 *
 * @throws {ContainerError} `SystemError` for anything else, and for one that contradicts itself
 */
export async function parseState(text: string, path: string, id?: string): Promise<ContainerState> {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    throw broken(path, 'is not JSON', cause)
  }
  if (!isObject(value)) throw broken(path, 'is not an object')
  if (Object.hasOwn(value, 'init_pid')) {
    throw broken(path, 'is a state of 2014, which tells neither an id nor a cgroup', undefined, {
      hint: 'end the container with the program that started it, then remove the file',
    })
  }
  checkFields(value, path, id)
  const era = eraOf(value)
  const given = value as unknown as ContainerState
  const state = era === undefined ? given : await inOurWords(given, era, path)
  checkConfig(state.config, path)
  checkPaths(state, path, era !== undefined)
  return { ...state, init_process_start: String(state.init_process_start), era }
}

/** What another version of libcontainer has written: it runs, and can be looked at, joined and ended. */
async function inOurWords(state: ContainerState, era: Era, path: string): Promise<ContainerState> {
  // Seldom met: what reads them is loaded then.
  const { configOf } = await import('../dialects/of-state.js')
  try {
    return {
      ...state,
      namespace_paths: pathsByKind(state.namespace_paths),
      config: configOf(era, state.id, state.config),
    }
  } catch (cause) {
    if (!(cause instanceof ConfigInvalid)) throw cause
    throw broken(path, `is a state of ${era} whose config cannot be had here: ${cause.message}`, cause, {
      hint: 'end the container with the program that started it',
    })
  }
}

function checkFields(state: Readonly<Record<string, unknown>>, path: string, id: string | undefined): void {
  if (typeof state.id !== 'string' || (id !== undefined && state.id !== id))
    throw broken(path, 'does not name this container in id')
  if (!Number.isInteger(state.init_process_pid) || (state.init_process_pid as number) < 1)
    throw broken(path, 'has no init_process_pid')
  // Text of 2015's and ours, a number of today's: clock ticks since boot.
  if (!/^\d{1,20}$/.test(typeof state.init_process_start === 'object' ? '' : String(state.init_process_start)))
    throw broken(path, 'has no init_process_start')
  if (state.created !== undefined && typeof state.created !== 'string')
    throw broken(path, 'has something else than a time in created')
  for (const field of ['cgroup_paths', 'namespace_paths', 'config'] as const) {
    if (!isObject(state[field])) throw broken(path, `has no ${field}`)
  }
  for (const field of ['cgroup_paths', 'namespace_paths'] as const) {
    if (Object.values(state[field] as object).some(each => typeof each !== 'string'))
      throw broken(path, `has a path in ${field} that is no text`)
  }
}

/** What is asked of a config to find the container's processes, and to end them. */
function checkConfig({ rootfs, namespaces, cgroups }: Partial<ResolvedConfig>, path: string): void {
  if (typeof rootfs !== 'string') throw broken(path, 'has no config.rootfs')
  if (!isObject(cgroups) || typeof cgroups.path !== 'string') throw broken(path, 'has no config.cgroups.path')
  // Whoever removes the container kills all that is there: never the whole machine.
  if (cleanPath(cgroups.path) === '/' || cgroups.path.includes('\0'))
    throw broken(path, 'names no cgroup in config.cgroups.path')
  const known = (each: unknown): boolean =>
    isObject(each) && namespaceKinds.includes((each as unknown as { kind: NamespaceKind }).kind)
  if (!Array.isArray(namespaces) || !namespaces.every(known)) throw broken(path, 'has no config.namespaces')
}

/**
 * Paths that the rest of the state does not account for were put there by somebody else.
 *
 * @param joined - whether a namespace that was joined may be told by the path that it was joined by, as in 2015
 */
function checkPaths(
  { init_process_pid, cgroup_driver, cgroup_paths, namespace_paths, config }: ContainerState,
  path: string,
  joined: boolean,
): void {
  const own = `/proc/${init_process_pid}/ns/`
  const configured = joined ? config.namespaces.map(each => each.path) : []
  for (const [name, file] of Object.entries(namespace_paths)) {
    const isOwn = file.startsWith(own) && namespaceKinds.includes(file.slice(own.length) as NamespaceKind)
    if (!isOwn && !configured.includes(file))
      throw forged(
        path,
        `names ${file} in namespace_paths.${name}, which is no namespace of its process ${init_process_pid}`,
      )
  }
  const end = cleanPath(config.cgroups.path)
  // A unit's name is not its path: the record beside the state says which it is.
  const isOwn = (directory: string): boolean =>
    cgroup_driver === 'systemd' ? /\.(?:scope|slice)(?:\/[^/]+)?$/.test(directory) : directory.endsWith(end)
  for (const [name, directory] of Object.entries(cgroup_paths)) {
    if (!directory.startsWith('/') || directory !== cleanPath(directory) || !isOwn(directory))
      throw forged(
        path,
        `names ${directory} in cgroup_paths.${name}, which is not the cgroup ${config.cgroups.path} of its config`,
      )
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const broken = (path: string, how: string, cause?: unknown, options: { hint?: string } = {}): ContainerError =>
  new ContainerError('SystemError', `${path} ${how}`, {
    cause,
    hint: 'the state is damaged or of another version: remove the container by force',
    ...options,
  })

/** What a state says that it cannot say by itself: nothing is done to what it names. */
export const forged = (path: string, how: string): ContainerError =>
  new ContainerError('SystemError', `${path} ${how}`, {
    hint: 'somebody has changed the file: remove the container by force, which looks for its own cgroup alone',
  })
