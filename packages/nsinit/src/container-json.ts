import type { ContainerConfig, ProcessSpec } from '@libcontainer/container'
import { ConfigInvalid, isErrno, LibcontainerError, parseJson, readText, stat } from '@libcontainer/sys'
import type { Place } from './place.js'

/** The file that describes the container of a directory. */
export const CONFIG_FILE = 'container.json'

/** In bytes: far more than a config needs, and little enough to be read whole. */
const MOST = 4 << 20

const processFields = {
  args: true,
  env: true,
  cwd: true,
  user: true,
  additionalGroups: true,
  terminal: true,
  capabilities: true,
  rlimits: true,
  noNewPrivileges: true,
  umask: true,
  oomScoreAdj: true,
} satisfies { [K in keyof ProcessSpec]?: true }

/** What programs of the container run with unless the command line says otherwise. */
export type ProcessDefaults = { readonly [K in keyof typeof processFields]?: ProcessSpec[K] }

export interface ContainerJson {
  readonly config: ContainerConfig
  readonly process: ProcessDefaults
}

/**
 * Reads container.json: the fields of a `ContainerConfig`, and a `process`. Its own defaults: the root filesystem is the directory itself,
 * and a relative one lies in it; the container ends when nsinit is killed (`parentDeathSignal`; `null` leaves it running).
 *
 * @throws {LibcontainerError} `ConfigInvalid`, which names the field or the place in the text
 */
export async function readContainerJson(
  place: Place,
  overrides: { rootfs?: string | undefined },
): Promise<ContainerJson> {
  const value = await parseFile(place)
  const { process = {}, rootfs = '.', parentDeathSignal = 'SIGKILL', ...rest } = value
  checkDefaults(process)
  if (typeof rootfs !== 'string') throw new ConfigInvalid('rootfs', rootfs, 'must be the path of a directory')
  const config = {
    ...rest,
    // What the command line says is relative to where it was said.
    rootfs:
      overrides.rootfs === undefined
        ? absolute(rootfs, place.path)
        : absolute(overrides.rootfs, await workingDirectory()),
    ...(parentDeathSignal === null ? {} : { parentDeathSignal }),
  }
  return { config: config as ContainerConfig, process }
}

/** The value of container.json, an object. */
export async function parseFile(place: Place): Promise<Record<string, unknown>> {
  const text = await readFile(place)
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    const { findJsonProblem } = await import('./json-error.js')
    const { line, column, problem } = findJsonProblem(text)
    throw new LibcontainerError('ConfigInvalid', `${place.path}/${CONFIG_FILE}:${line}:${column}: ${problem}`, {
      cause,
    })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(CONFIG_FILE, value, 'must hold an object')
  return value as Record<string, unknown>
}

/** A container may have put anything there: what is no plain file of a sane size is not even opened. */
async function readFile({ directory, path }: Place): Promise<string> {
  try {
    const { type, size } = await stat(CONFIG_FILE, { at: directory })
    if (type !== 'file')
      throw new LibcontainerError('ConfigInvalid', `${path}/${CONFIG_FILE} must be a file, not a ${type}`)
    if (size > MOST)
      throw new LibcontainerError(
        'ConfigInvalid',
        `${path}/${CONFIG_FILE} must have at most ${MOST} bytes, not ${size}`,
      )
    return await readText(`${path}/${CONFIG_FILE}`)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new LibcontainerError('ConfigInvalid', `there is no ${CONFIG_FILE} in ${path}`, {
      cause: error,
      hint: `nsinit config --rootfs DIR --file ${CONFIG_FILE} makes one; --root DIR names another directory`,
    })
  }
}

function checkDefaults(process: unknown): asserts process is ProcessDefaults {
  if (typeof process !== 'object' || process === null || Array.isArray(process))
    throw new ConfigInvalid('process', process, 'must be an object')
  for (const [name, value] of Object.entries(process)) {
    if (!Object.hasOwn(processFields, name)) {
      const known = Object.keys(processFields).join(', ')
      throw new ConfigInvalid(`process.${name}`, value, `is no field of a process; there are ${known}`)
    }
  }
}

/** A path that is relative to a directory. */
export function absolute(path: string, directory: string): string {
  if (path.startsWith('/') || path === '') return path
  return path === '.' ? directory : `${directory}/${path}`
}

async function workingDirectory(): Promise<string> {
  const { readLink } = await import('@libcontainer/sys')
  return await readLink('/proc/self/cwd')
}
