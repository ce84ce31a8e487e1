import type { CgroupHierarchy } from '@libcontainer/mount'
import {
  ConfigInvalid,
  isErrno,
  parseJson,
  readTextIfPresent,
  removeFile,
  type Step,
  stringifyJson,
  writeFileStep,
} from '@libcontainer/sys'
import { defaultCgroupPath } from '../config/resolve.js'
import type { CgroupDriver, ContainerCgroup } from './drivers.js'

/** A cgroup that is there, or `undefined`. */
export async function findCgroup(
  driver: CgroupDriver,
  where: string | Readonly<Record<string, string>>,
): Promise<ContainerCgroup | undefined> {
  try {
    return await driver.open(where)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** What the mounts of type `cgroup` in a container show: its own directory of each hierarchy. */
export function cgroupHierarchies(cgroup: ContainerCgroup): CgroupHierarchy[] {
  const alone = cgroup.places.length === 1
  return cgroup.places.map(({ hierarchy, directory }) => ({
    version: hierarchy.version,
    name: alone && hierarchy.version === 2 ? '' : hierarchy.mountpoint.slice(hierarchy.mountpoint.lastIndexOf('/') + 1),
    options: hierarchy.version === 2 ? [] : mountOptions(hierarchy.controllers),
    path: directory,
  }))
}

/** What selects a v1 hierarchy when it is mounted anew, in a cgroup namespace: a named one has no controller. */
function mountOptions(controllers: readonly string[]): readonly string[] {
  return controllers.some(name => name.startsWith('name=')) ? ['none', ...controllers] : controllers
}

/** A cgroup that others live in, or that is frozen, would give their limits to the container, or its to them. */
export async function checkCgroup(driver: CgroupDriver, path: string): Promise<void> {
  const existing = await findCgroup(driver, path)
  if (existing === undefined) return
  const processes = await existing.processes()
  if (processes.length > 0) {
    throw new ConfigInvalid('cgroups.path', path, `is not empty: ${processes.length} processes are in it`)
  }
  if ((await existing.freezerState()) !== 'THAWED')
    throw new ConfigInvalid('cgroups.path', path, 'is frozen: thaw it, or take another')
}

/** Who has none has nothing to give. @throws {ConfigInvalid} */
export function confirmGivable({ places, delegate }: ContainerCgroup, owner: number | undefined): void {
  if (owner === undefined || places.length === 0 || delegate !== undefined) return
  throw new ConfigInvalid('cgroups.owner', owner, 'cannot be set by this cgroupDriver: its cgroups have no delegate()')
}

/** Names the directories of a cgroup that is none of the usual ones, beside the state. */
const CGROUP_FILE = 'cgroup.json'

/** The step that records where the cgroup of a container is going to be. */
export async function recordCgroupStep(driver: CgroupDriver, directory: string, path: string): Promise<Step> {
  const { paths } = await driver.at(path)
  return writeFileStep(`${directory}/${CGROUP_FILE}`, stringifyJson(Object.fromEntries(paths)), { mode: 0o600 })
}

/** When it was not made after all: it may be another's. */
export async function forgetCgroup(directory: string): Promise<void> {
  await removeFile(`${directory}/${CGROUP_FILE}`)
}

export async function recordedCgroup(
  id: string,
  directory: string,
): Promise<string | Readonly<Record<string, string>>> {
  const text = await readTextIfPresent(`${directory}/${CGROUP_FILE}`)
  try {
    const paths: unknown = parseJson(text ?? 'null')
    if (typeof paths === 'object' && paths !== null) return paths as Record<string, string>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return defaultCgroupPath(id)
}
