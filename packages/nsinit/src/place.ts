import { type Container, ContainerError, Factory } from '@libcontainer/container'
import {
  ConfigInvalid,
  encodeUtf8,
  environment,
  ids,
  isErrno,
  LibcontainerError,
  type OwnedFd,
  openDirectory,
  readLink,
} from '@libcontainer/sys'
import type { Invocation } from './command-line.js'
import { say } from './output.js'

/** The directory of container.json, and where the state of its container lies: root's own, since a container may write to the former. */
export interface Place {
  readonly directory: OwnedFd
  /** Absolute, without links. */
  readonly path: string
  /** The container's, always the same for one directory. */
  readonly id: string
  readonly stateRoot: string
}

/** Opens the directory that a command is about: `--root`, else `$data_path`, else the working directory. */
export async function openPlace({ flags }: Invocation): Promise<Place> {
  const directory = await openNamed(flags.get('root') ?? environment.data_path ?? '.')
  const path = await readLink(`/proc/self/fd/${directory.fd}`)
  return { directory, path, id: idOf(path), stateRoot: flags.get('state-root') ?? defaultStateRoot() }
}

async function openNamed(name: string): Promise<OwnedFd> {
  try {
    return await openDirectory(name, { handle: true })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ConfigInvalid('--root', name, 'must be a directory that exists')
  }
}

/** The directory's name, as far as an id can hold it, and a hash of its whole path. */
export function idOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9_+.-]/g, '_')
  return `${name.slice(0, 40) || 'root'}-${hash(path)}`
}

/** FNV-1a, 64 bits. */
function hash(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of encodeUtf8(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}

function defaultStateRoot(): string {
  if (ids().euid === 0) return '/run/nsinit'
  const runtime = environment.XDG_RUNTIME_DIR
  if (runtime?.startsWith('/')) return `${runtime}/nsinit`
  throw new LibcontainerError('ConfigInvalid', 'there is no directory for the state: XDG_RUNTIME_DIR is not set', {
    hint: 'run as root, or say where: --state-root DIR',
  })
}

export async function openFactory({ stateRoot }: Pick<Place, 'stateRoot'>): Promise<Factory> {
  return await Factory.open(stateRoot, { warn: message => void say(`warning: ${message}`) })
}

/** The container of a directory, for a command that is about one. @throws {ContainerError} `ContainerNotExists` */
export async function loadContainer(invocation: Invocation): Promise<Container> {
  const place = await openPlace(invocation)
  const factory = await openFactory(place)
  try {
    return await factory.load(place.id)
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    throw new ContainerError('ContainerNotExists', `no container runs in ${place.path}`, {
      cause: error,
      hint: 'nsinit exec starts one',
    })
  }
}
