import { readMountInfo } from '@libcontainer/mount'
import { ConfigInvalid, ids, isErrno, listDirectory, readLink, stat } from '@libcontainer/sys'
import { bindOf, checkSandbox, type SandboxBind, type SandboxOptions } from './options.js'

/** What {@link planSandbox} has to know of this host. */
export interface SandboxFacts {
  /** A directory of the host, which an empty root is laid over. */
  readonly rootfs: string
  /** Of this process. */
  readonly uid: number
  readonly gid: number
  /** Where something is mounted on the host. */
  readonly mountPoints: readonly string[]
  /** The links of the host's top, such as /bin, and what they say. */
  readonly links: readonly (readonly [path: string, target: string])[]
  /** Of {@link NETWORK_FILES}, those that are there. */
  readonly networkFiles: readonly string[]
}

/** By which programs look names up. */
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']

/**
 * Looks at this host, and changes nothing.
 *
 * @param rootfs - a directory that is there
 * @throws {ConfigInvalid} for options that cannot be, and for a path of `ro` or `rw` that is not there
 */
export async function sandboxFacts(options: SandboxOptions, rootfs: string): Promise<SandboxFacts> {
  checkSandbox(options)
  const [, , infos, links, networkFiles] = await Promise.all([
    confirmThere('ro', options.ro),
    confirmThere('rw', options.rw),
    readMountInfo(),
    linksOfTop(),
    Promise.all(NETWORK_FILES.map(async path => ((await isThere(path)) ? [path] : []))),
  ])
  const { euid, egid } = ids()
  return {
    rootfs,
    uid: euid,
    gid: egid,
    mountPoints: infos.map(({ mountPoint }) => mountPoint),
    links,
    networkFiles: networkFiles.flat(),
  }
}

async function confirmThere(name: string, binds: readonly SandboxBind[] = []): Promise<void> {
  for (const [i, bind] of binds.entries()) {
    const field = `${name}[${i}]`
    const { source } = bindOf(bind, field)
    if (!(await isThere(source))) throw new ConfigInvalid(field, source, 'is not there: make it, or leave it out')
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    // What cannot be looked at is told of by who mounts it.
    return true
  }
}

async function linksOfTop(): Promise<[string, string][]> {
  const names = (await listDirectory('/')).filter(({ type }) => type === 'link').map(({ name }) => `/${name}`)
  return await Promise.all(names.sort().map(async (path): Promise<[string, string]> => [path, await readLink(path)]))
}
