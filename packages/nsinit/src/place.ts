import { type Invocation, warn } from '@libcontainer/cli'
import { type Container, ContainerError, checkId, Factory } from '@libcontainer/container'
import {
  ConfigInvalid,
  environment,
  isErrno,
  type OwnedFd,
  openDirectory,
  readLink,
  shortHash,
} from '@libcontainer/sys'
import { stateRootOf } from './state-root.js'

/** The id that 2015's commands meant where none was given. */
export const DEFAULT_ID = 'nsinit'

/** Which container a command is about, and where its state lies: root's own directory, since a container may write to that of its config. */
export interface Place {
  /** The working directory, or `$data_path`: that of container.json. */
  readonly directory: OwnedFd
  /** Absolute, without links. */
  readonly path: string
  readonly id: string
  /** The command line has named the container, as in 2015; else it is that of the directory, as in 2014. */
  readonly named: boolean
  readonly stateRoot: string
}

/**
 * Finds out which container a command is about: `--nspid`, by its first process; `--id`, or `nsinit` where only `--config` is given; else the
 * one of the directory.
 */
export async function openPlace(invocation: Invocation): Promise<Place> {
  const { flags } = invocation
  const directory = await openNamed(environment.data_path || '.')
  const path = await readLink(`/proc/self/fd/${directory.fd}`)
  const stateRoot = await stateRootOf(invocation)
  const pid = flags.get('nspid')
  if (pid !== undefined) {
    const { idOfProcess } = await import('./by-pid.js')
    return { directory, path, id: await idOfProcess(pid, stateRoot), named: true, stateRoot }
  }
  const id = flags.get('id') ?? (flags.has('config') ? DEFAULT_ID : undefined)
  if (id === undefined) return { directory, path, id: idOf(path), named: false, stateRoot }
  if (id === '') throw new ContainerError('InvalidIdFormat', 'container id cannot be empty')
  checkId(id)
  return { directory, path, id, named: true, stateRoot }
}

async function openNamed(name: string): Promise<OwnedFd> {
  try {
    return await openDirectory(name, { handle: true })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ConfigInvalid('data_path', name, 'must be a directory that exists')
  }
}

/** The directory's name, as far as an id can hold it, and a hash of its whole path. */
export function idOf(path: string): string {
  return `${nameOf(path).slice(0, 40)}-${shortHash(path)}`
}

/** The name of a directory, as far as an id or a cgroup can hold it. */
export const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9_+.-]/g, '_') || 'root'

export async function openFactory(
  { stateRoot }: Pick<Place, 'stateRoot'>,
  cgroupDriver?: 'systemd',
  criuPath?: string,
): Promise<Factory> {
  return await Factory.open(stateRoot, { warn, cgroupDriver, criuPath })
}

/**
 * The container that a command is about. Where none is named, and none of the directory runs, it is the one that `--config` has started in
 * this directory, as in 2015.
 *
 * @throws {ContainerError} `ContainerNotExists`
 */
export async function loadContainer(invocation: Invocation): Promise<Container> {
  const place = await openPlace(invocation)
  const factory = await openFactory(place, undefined, invocation.flags.get('criu') || undefined)
  try {
    return await factory.load(place.id)
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    if (place.named)
      throw new ContainerError('ContainerNotExists', `there is no container '${place.id}' in ${place.stateRoot}`, {
        cause: error,
        hint: `nsinit exec --id ${place.id} starts one`,
      })
    const { loadRecord } = await import('./record.js')
    const started = { ...place, id: DEFAULT_ID, named: true }
    if ((await loadRecord(started))?.directory === place.path) return await factory.load(DEFAULT_ID)
    throw new ContainerError('ContainerNotExists', `no container runs in ${place.path}`, {
      cause: error,
      hint: 'nsinit exec starts one; --id names one of another place',
    })
  }
}
