import { warn } from '@libcontainer/cli'
import { type ContainerConfig, type ProcessDefaults, readConfig } from '@libcontainer/container'
import {
  ConfigInvalid,
  findJsonFault,
  isErrno,
  LibcontainerError,
  O_PATH,
  type OwnedFd,
  openFile,
  parseJson,
  readLink,
  readText,
  stat,
} from '@libcontainer/sys'

/** The file that describes the container of a directory. */
export const CONFIG_FILE = 'container.json'

/** In bytes: far more than a config needs, and little enough to be read whole. */
const MOST = 4 << 20

/** What a config says of the container, and of the programs in it. */
export interface ContainerJson {
  readonly config: ContainerConfig
  readonly process: ProcessDefaults
}

/** A file of a config, and what relative paths of it are relative to. */
export interface ConfigFile {
  readonly path: string
  /** Of the directory that holds it, where `path` is only its name. */
  readonly at?: OwnedFd
  /** For people. */
  readonly name: string
  readonly base: string
}

/**
 * Reads a config: the fields of a `ContainerConfig`, and a `process`; or what libcontainer wrote in 2014, 2015 or since. Defaults of its own:
 * the root filesystem is the directory itself, and a relative one lies in it; the container ends when nsinit is killed (`parentDeathSignal`;
 * `null` leaves it running).
 *
 * @throws {LibcontainerError} `ConfigInvalid`, which names the field or the place in the text
 */
export async function readContainerJson(file: ConfigFile): Promise<ContainerJson> {
  return readContainer(await parseFile(file), file)
}

/** The same of a value that was parsed. */
export function readContainer(parsed: unknown, file: Pick<ConfigFile, 'name' | 'base'>): ContainerJson {
  const value = object(parsed, file)
  const { config, process, warnings, dialect } = readConfig(value, { rootfs: '.' })
  for (const warning of warnings) warn(`${file.name}: ${warning}`)
  const { parentDeathSignal, rootfs, ...rest } = config
  // No dialect but ours can say that there is none.
  const outlives = dialect === 'own' && value.parentDeathSignal === null
  const signal = outlives ? {} : { parentDeathSignal: parentDeathSignal ?? 'SIGKILL' }
  return { config: { ...rest, rootfs: absolute(rootfs, file.base), ...signal }, process }
}

/** The value of a config's file, an object. */
export async function parseFile(file: ConfigFile): Promise<Record<string, unknown>> {
  const text = await readConfigText(file)
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    const { line = 1, column = 1, problem = 'is no JSON', hint } = findJsonFault(text) ?? {}
    throw new LibcontainerError('ConfigInvalid', `${file.name}:${line}:${column}: ${problem}`, { cause, hint })
  }
  return object(value, file)
}

function object(value: unknown, { name }: Pick<ConfigFile, 'name'>): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(name.slice(name.lastIndexOf('/') + 1), value, 'must hold an object')
  return value as Record<string, unknown>
}

/** A container may have put anything there, and may change it at any time: what is no plain file of a sane size is not even opened. */
async function readConfigText({ path, at, name }: ConfigFile): Promise<string> {
  const handle = await openFile(path, O_PATH, 0, at === undefined ? {} : { at })
  try {
    return await readHandle(handle, name)
  } finally {
    handle.close()
  }
}

async function readHandle(handle: OwnedFd, name: string): Promise<string> {
  const { type, size } = await stat('', { at: handle })
  if (type !== 'file') throw new LibcontainerError('ConfigInvalid', `${name} must be a file, not a ${type}`)
  if (size > MOST) throw new LibcontainerError('ConfigInvalid', `${name} must have at most ${MOST} bytes, not ${size}`)
  return await readText(`/proc/self/fd/${handle.fd}`)
}

/** Whether the error says that there is no such file. */
export const isAbsent = (error: unknown): boolean => isErrno(error, 'ENOENT')

/** A path that is relative to a directory. */
export function absolute(path: string, directory: string): string {
  if (path.startsWith('/') || path === '') return path
  return path === '.' ? directory : `${directory}/${path}`
}

export const workingDirectory = (): Promise<string> => readLink('/proc/self/cwd')
