import {
  ConfigInvalid,
  filesystems,
  isErrno,
  kernelString,
  LibcontainerError,
  listDirectory,
  makeDirectory,
  O_PATH,
  type OwnedFd,
  openDirectory,
  openFlags,
  openInRoot,
  readText,
  readTextIfPresent,
  removeTree,
  SyscallError,
  unlinkInRoot,
  verifyInode,
} from '@libcontainer/sys'
import { checkClosId } from './config.js'
import { ResctrlGroup } from './group.js'
import { type RdtInfo, readInfo } from './info.js'
import { mountedAt } from './mounted.js'

export interface ResctrlOptions {
  /** Where it is mounted. Default: /sys/fs/resctrl, or else where mountinfo tells. */
  readonly root?: string | undefined
  /**
   * Takes a directory of another file system that has the same shape, for tests and for looking at a copy: there nobody makes the files of a
   * group, and nobody counts. Default: false, and what is no resctrl is refused.
   */
  readonly anyFilesystem?: boolean | undefined
}

const USUAL = '/sys/fs/resctrl'

/** The file system by which the kernel shares caches and memory bandwidth: resctrl. Close it, or say `using`. */
export class Resctrl {
  /** Where it is mounted. */
  readonly path: string
  readonly #root: OwnedFd
  readonly #anyFilesystem: boolean

  private constructor(path: string, root: OwnedFd, anyFilesystem: boolean) {
    this.path = path
    this.#root = root
    this.#anyFilesystem = anyFilesystem
  }

  /**
   * Opens it.
   *
   * @throws {LibcontainerError} `ERR_UNSUPPORTED` where it is not mounted, with how to mount it
   */
  static async open({ root, anyFilesystem = false }: ResctrlOptions = {}): Promise<Resctrl> {
    if (root !== undefined && !kernelString(root, 'root').startsWith('/'))
      throw new ConfigInvalid('root', root, 'must be absolute')
    for (const path of root === undefined ? [USUAL, mountedAt(await readText('/proc/self/mountinfo'))] : [root]) {
      const opened = path === undefined ? undefined : await openRoot(path, anyFilesystem)
      if (opened !== undefined) return new Resctrl(path!, opened, anyFilesystem)
    }
    throw new LibcontainerError('ERR_UNSUPPORTED', `resctrl is not mounted${root === undefined ? '' : ` at ${root}`}`, {
      hint: `on a machine with Intel RDT, AMD QoS or Arm MPAM: mount -t resctrl resctrl ${USUAL}`,
    })
  }

  /** What the machine and the mount's options offer. */
  async info(): Promise<RdtInfo> {
    return await this.within('info', readInfo)
  }

  /** What the kernel says of the last thing that was asked of it: `ok`, or why it refused. `undefined` where it tells nothing. */
  async lastCommandStatus(): Promise<string | undefined> {
    return (await this.within('info', at => readTextIfPresent('last_cmd_status', { at })))?.trim()
  }

  /** The names of all groups but the root. */
  async groups(): Promise<string[]> {
    const names = await listDirectory('.', { at: this.#root })
    return names.flatMap(({ name, type }) => (type === 'directory' && !NO_GROUPS.includes(name) ? [name] : [])).sort()
  }

  /** The group of a name, `/` for the root; it need not be there. @throws {ConfigInvalid} */
  group(name: string): ResctrlGroup {
    checkClosId(name, 'name')
    return new ResctrlGroup(this, name === '/' ? '' : name)
  }

  /** Makes a group, which has all that the root has until it is told otherwise. @throws {SyscallError} `EEXIST`, `ENOSPC` when the machine can tell no more apart */
  async create(name: string): Promise<ResctrlGroup> {
    const group = this.group(name)
    await this.make(group.name)
    return group
  }

  close(): void {
    this.#root.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** @internal does something with the directory of a path below the root. */
  async within<T>(path: string, work: (at: OwnedFd) => Promise<T>): Promise<T> {
    const directory = await this.#open(path)
    try {
      return await work(directory)
    } catch (error) {
      if (error instanceof SyscallError && error.path?.startsWith('/') === false)
        throw refusal(error, this.#pathOf(path === '' ? error.path : `${path}/${error.path}`))
      throw error
    } finally {
      directory.close()
    }
  }

  async #open(path: string): Promise<OwnedFd> {
    let directory: OwnedFd
    try {
      directory = await openInRoot(this.#root, path || '.', O_PATH | openFlags().O_DIRECTORY)
    } catch (error) {
      throw error instanceof SyscallError ? refusal(error, this.#pathOf(path)) : error
    }
    try {
      // Something else may be mounted on it.
      if (!this.#anyFilesystem) await confirm(directory)
      return directory
    } catch (error) {
      directory.close()
      throw error
    }
  }

  #pathOf(path: string): string {
    return path === '' ? this.path : `${this.path}/${path}`
  }

  /** @internal makes the directory of a group. */
  async make(path: string): Promise<void> {
    await this.command(path, () => makeDirectory(path, { at: this.#root, mode: 0o755 }))
    // The kernel makes the files of a group with it; of those only this one could not come later.
    if (this.#anyFilesystem && !path.includes('/')) await makeDirectory(`${path}/mon_groups`, { at: this.#root })
  }

  /** @internal removes the directory of a group with what the kernel keeps in it; one that is absent is fine. */
  async remove(path: string): Promise<void> {
    try {
      // The kernel removes its files with it.
      if (this.#anyFilesystem) await removeTree(path, { at: this.#root })
      else await this.command(path, () => unlinkInRoot(this.#root, path, { directory: true }))
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }

  /** @internal does something that the kernel may refuse with a reason. */
  async command<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      const status = await this.lastCommandStatus().catch(() => undefined)
      throw refusal(error, this.#pathOf(path), status === 'ok' ? undefined : status)
    }
  }
}

const NO_GROUPS = ['info', 'mon_data', 'mon_groups']

/** The same refusal with the whole path, and the kernel's own word. */
const refusal = ({ errno, code, syscall, cause }: SyscallError, path: string, detail?: string): SyscallError =>
  new SyscallError(errno, syscall, { path, detail, cause, hint: hints[code] })

const hints: Readonly<Record<string, string>> = {
  EEXIST: 'somebody has made a group of this name: remove it, if nobody is in it, with rmdir',
  ENOSPC: 'the machine can tell no more groups apart: remove one, or join one by closId',
  EBUSY: 'the numbers of groups that were removed are free again when the caches have forgotten them: try again later',
}

/** `undefined` for what is no resctrl. */
async function openRoot(path: string, anyFilesystem: boolean): Promise<OwnedFd | undefined> {
  let root: OwnedFd
  try {
    root = await openDirectory(path, { handle: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  try {
    if (!anyFilesystem) await confirm(root)
    return root
  } catch (error) {
    root.close()
    if (error instanceof LibcontainerError && error.code === 'UnexpectedInode') return undefined
    throw error
  }
}

async function confirm(directory: OwnedFd): Promise<void> {
  await verifyInode(directory, ({ filesystem }) =>
    filesystem === filesystems.resctrl ? undefined : 'it is not of a resctrl file system',
  )
}
