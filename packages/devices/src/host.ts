import { isErrno, LibcontainerError, listDirectory, type Stat, stat } from '@libcontainer/sys'
import { normalAccess } from './access.js'
import type { Device } from './device.js'
import type { NodeType } from './types.js'

/** The path names no device: a link, a file, a directory. */
export class NotADevice extends LibcontainerError {
  override readonly name = 'NotADevice'
  readonly path: string

  constructor(path: string, type: string) {
    super('NotADevice', `'${path}' is not a device node but a ${type}`)
    this.path = path
  }
}

const TYPES: ReadonlyMap<string, NodeType> = new Map([
  ['character', 'c'],
  ['block', 'b'],
  ['fifo', 'p'],
])

/** Directories of /dev with nothing that a container could use, of the kernel's and of container managers. */
const SKIPPED_DIRECTORIES = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']

/**
 * The device node at `path` on this host; a link is not followed.
 *
 * @param access - what a rule made of it would allow
 * @returns the device; its `mode` holds the bits of the type, too
 * @throws {NotADevice} for a link, a regular file, a directory or a socket; {@link SyscallError} `ENOENT` for no such path
 */
export async function deviceFromPath(path: string, access = 'rwm'): Promise<Device> {
  const letters = normalAccess(access)
  const found = await stat(path, { follow: false })
  const type = TYPES.get(found.type)
  if (type === undefined) throw new NotADevice(path, found.type)
  return deviceOf(path, type, found, letters)
}

/**
 * Every character and block device below /dev, sorted by path within its directory.
 *
 * Left out: FIFOs, links, `console`, and what belongs to the host's own terminals and managers (pts, shm, mqueue, …).
 */
export async function hostDevices({ root = '/dev' }: { root?: string } = {}): Promise<Device[]> {
  const devices: Device[] = []
  await walk(root, devices)
  return devices
}

async function walk(directory: string, devices: Device[]): Promise<void> {
  const entries = await listDirectory(directory)
  for (const { name, type } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${directory}/${name}`
    if (type === 'directory') {
      if (!SKIPPED_DIRECTORIES.includes(name)) await unlessGone(() => walk(path, devices))
    } else if (name !== 'console' && ['character', 'block', 'unknown'].includes(type)) {
      const found = await unlessGone(() => stat(path, { follow: false }))
      const kind = TYPES.get(found?.type ?? '')
      if (found && (kind === 'c' || kind === 'b')) devices.push(deviceOf(path, kind, found, 'rwm'))
    }
  }
}

/** Nodes come and go with their hardware: one that was listed may be gone when it is looked at. */
async function unlessGone<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return undefined
    throw error
  }
}

function deviceOf(path: string, type: NodeType, { mode, uid, gid, rdev }: Stat, access: string): Device {
  return { path, type, major: rdev.major, minor: rdev.minor, mode, uid, gid, access }
}
