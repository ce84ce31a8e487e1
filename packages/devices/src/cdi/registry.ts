import { ConfigInvalid, isErrno, LibcontainerError, listDirectory, readText, stat } from '@libcontainer/sys'
import { type DeviceEdits, resolveEdits } from './edits.js'
import { type CdiContainerEdits, type CdiSpec, parseCdi, parseCdiName } from './spec.js'

/** Where files of the Container Device Interface lie; what is in a later directory goes before what is in an earlier one. */
export const CDI_DIRECTORIES: readonly string[] = ['/etc/cdi', '/var/run/cdi']

export interface CdiProblem {
  readonly path: string
  readonly error: Error
}

/** The devices of this host that files describe. */
export interface CdiRegistry {
  /** By their whole names, `vendor.com/class=name`. */
  readonly devices: ReadonlyMap<string, { readonly path: string; readonly spec: CdiSpec }>
  /** Files that cannot be used, and devices that two of them describe: none of the others suffers from it. */
  readonly problems: readonly CdiProblem[]
}

/**
 * Reads the files of the Container Device Interface that there are.
 *
 * They say which programs root runs on the host, so a file or directory that others than root and this user may write to is a problem and not read.
 * A directory that is not there is fine.
 *
 * @param owner - the user besides root whose files are believed. Default: nobody
 */
export async function readCdi({
  directories = CDI_DIRECTORIES,
  owner = 0,
}: {
  directories?: readonly string[]
  owner?: number
} = {}): Promise<CdiRegistry> {
  const devices = new Map<string, { path: string; spec: CdiSpec; order: number }>()
  const problems: CdiProblem[] = []
  const conflicts = new Map<string, number>()
  for (const [order, directory] of directories.entries()) {
    for (const path of await filesOf(directory, owner, problems)) {
      const spec = await specOf(path, owner, problems)
      for (const { name } of spec?.devices ?? []) {
        const whole = `${spec!.kind}=${name}`
        const other = devices.get(whole)
        if (other?.order === order) {
          conflicts.set(whole, order)
          const error = new LibcontainerError('ConfigInvalid', `${whole} is described by ${other.path}, too`)
          problems.push({ path, error })
        } else {
          devices.set(whole, { path, spec: spec!, order })
        }
      }
    }
  }
  // Nobody can say which of the two is meant, unless a directory that goes before them does.
  for (const [name, order] of conflicts) if (devices.get(name)?.order === order) devices.delete(name)
  return { devices, problems }
}

/**
 * What some devices ask of a container: those of each file once, and those of each device.
 *
 * @param names - whole names, `vendor.com/class=name`
 * @throws {ConfigInvalid} for a name that no file describes, telling which files could not be read
 * @throws as {@link resolveEdits}
 */
export async function cdiEdits(
  { devices, problems }: CdiRegistry,
  names: readonly string[],
  field = 'devices',
): Promise<DeviceEdits> {
  const edits: CdiContainerEdits[] = []
  const done = new Set<CdiSpec>()
  for (const [i, whole] of names.entries()) {
    const { name } = parseCdiName(whole, `${field}[${i}]`)
    const found = devices.get(whole)
    if (found === undefined)
      throw new ConfigInvalid(`${field}[${i}]`, whole, 'is described by no file of the Container Device Interface', {
        hint: problems.map(({ path, error }) => `${path}: ${error.message}`).join('; ') || 'look into /etc/cdi',
      })
    const { spec } = found
    if (!done.has(spec) && spec.containerEdits) edits.push(spec.containerEdits)
    done.add(spec)
    edits.push(spec.devices.find(each => each.name === name)!.containerEdits)
  }
  return await resolveEdits(edits)
}

async function filesOf(directory: string, owner: number, problems: CdiProblem[]): Promise<string[]> {
  try {
    const entries = await listDirectory(directory)
    const files = entries.map(({ name }) => name).filter(name => /\.(?:json|ya?ml)$/.test(name))
    if (files.length > 0) await checkTrust(directory, owner)
    return files.sort().map(name => `${directory}/${name}`)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) problems.push({ path: directory, error: error as Error })
    return []
  }
}

async function specOf(path: string, owner: number, problems: CdiProblem[]): Promise<CdiSpec | undefined> {
  try {
    await checkTrust(path, owner)
    if (!path.endsWith('.json')) throw new LibcontainerError('ERR_UNSUPPORTED', 'is YAML: have it written as JSON')
    return parseCdi(await readText(path))
  } catch (error) {
    problems.push({ path, error: error as Error })
    return undefined
  }
}

async function checkTrust(path: string, owner: number): Promise<void> {
  const { uid, mode, type } = await stat(path)
  if (type !== 'file' && type !== 'directory') throw new LibcontainerError('UnexpectedInode', `is a ${type}`)
  if ((uid !== 0 && uid !== owner) || (mode & 0o022) !== 0)
    throw new LibcontainerError('ConfigInvalid', 'may be written to by others: it says what root runs', {
      hint: `chown root and chmod go-w ${path}`,
    })
}
