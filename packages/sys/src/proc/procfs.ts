import { checked } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { O_RDONLY } from '../files/files.js'
import { native } from '../native.js'
import { kernelString } from '../utf8.js'

/**
 * A /proc that nobody can have put anything over: mounted afresh and attached nowhere, where the kernel lets this process (`CAP_SYS_ADMIN`
 * over its pid namespace); elsewhere the host's own, once it is proved to be the root of one. Files are opened beneath it without
 * following a link or crossing a mount, so what an image or a container mounted there is an error (`EXDEV`), never another file.
 *
 * `self` and `threadSelf` use one that shows processes alone, and only those that this process may look into, where Linux 5.8 makes it.
 */
export class Procfs {
  readonly #pids: OwnedFd
  #all: OwnedFd | undefined

  private constructor(pids: OwnedFd) {
    this.#pids = pids
  }

  /** Opens it; close it, or say `using`. */
  static async open(): Promise<Procfs> {
    return new Procfs(await openProcfs(true))
  }

  /** Opens a file of this process, such as `attr/exec`. */
  async self(path: string, flags = O_RDONLY): Promise<OwnedFd> {
    return await openBeneath(this.#pids, `self/${path}`, flags)
  }

  /** Opens a file of the thread that happens to open it: right where all threads share what is asked, such as `fdinfo`. */
  async threadSelf(path: string, flags = O_RDONLY): Promise<OwnedFd> {
    return await openBeneath(this.#pids, `thread-self/${path}`, flags)
  }

  /** Opens a file of another process. */
  async process(pid: number, path: string, flags = O_RDONLY): Promise<OwnedFd> {
    return await this.root(`${pid}/${path}`, flags)
  }

  /** Opens a file by its path below /proc, such as `sys/kernel/osrelease`. */
  async root(path: string, flags = O_RDONLY): Promise<OwnedFd> {
    this.#all ??= await openProcfs(false)
    return await openBeneath(this.#all, path, flags)
  }

  close(): void {
    this.#pids.close()
    this.#all?.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

async function openProcfs(pids: boolean): Promise<OwnedFd> {
  const results = new Map<string, number>()
  const args = [pids ? 1 : 0]
  await native.apply([{ op: 'openProcfs', args, about: 'open a procfs', path: '/proc', into: 'procfs' }], { results })
  return new OwnedFd(results.get('procfs')!)
}

async function openBeneath(procfs: OwnedFd, path: string, flags: number): Promise<OwnedFd> {
  kernelString(path, 'path')
  return new OwnedFd(checked(await native.async.openInProcfs(procfs.fd, path, flags), 'openat2', `/proc/${path}`))
}
