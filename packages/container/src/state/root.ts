import { cleanPath, mount, mounted } from '@libcontainer/mount'
import { ConfigInvalid, ids, kernelString, lockFile, makeDirectory, removeFile, stat } from '@libcontainer/sys'

export interface StateRootOptions {
  readonly tmpfsRoot?: boolean | undefined
  readonly warn?: ((message: string) => void) | undefined
}

/** The path of a state root as it may be used. @throws {ConfigInvalid} for an empty or relative one, and for `/` */
export function checkRootPath(root: string): string {
  if (kernelString(root, 'root') === '')
    throw new ConfigInvalid('root', root, 'must be set: a directory for the state of containers')
  if (!root.startsWith('/') || cleanPath(root) === '/')
    throw new ConfigInvalid('root', root, 'must be an absolute path, and not / itself')
  return root.replace(/\/+$/, '')
}

/** Makes the directory where it is missing, and sees that it is one and whose. */
export async function openStateRoot(root: string, { tmpfsRoot = false, warn }: StateRootOptions): Promise<void> {
  await makeDirectory(root, { mode: 0o700, parents: true })
  await checkType(root)
  if (tmpfsRoot) await mountOnce(root)
  await checkOwner(root, warn)
}

/** A link could be turned to another directory between two calls: what is there would be taken for the state of containers. */
async function checkType(root: string): Promise<void> {
  const { type } = await stat(root, { follow: false })
  if (type === 'directory') return
  throw new ConfigInvalid('root', root, `must be a directory, not a ${type}`, {
    hint: type === 'link' ? `give the directory itself: realpath ${root}` : 'give another path, or move it away',
  })
}

/** A name that no container can have. */
const MOUNT_LOCK = '~mount'

/** A tmpfs of its own, unless there is a mount already: what it holds ends with the machine, like the containers. */
async function mountOnce(root: string): Promise<void> {
  if (await mounted(root)) return
  const path = `${root}/${MOUNT_LOCK}`
  const lock = await lockFile(path)
  try {
    // Whoever waited here for another finds the mount of that one.
    if (!(await mounted(root)))
      await mount('tmpfs', root, { source: 'libcontainer', options: ['mode=0700', 'nosuid', 'nodev', 'noexec'] })
  } finally {
    lock.close()
    await removeFile(path)
  }
}

async function checkOwner(root: string, warn: StateRootOptions['warn']): Promise<void> {
  const { uid, mode } = await stat(root, { follow: false })
  const { euid } = ids()
  if (uid === euid && (mode & 0o022) === 0) return
  const how = uid === euid ? `has mode ${(mode & 0o7777).toString(8)}` : `belongs to uid ${uid}`
  warn?.(
    `the state root ${root} ${how}: others could forge the state of containers; remedy: chown ${euid} ${root}; chmod 700 ${root}`,
  )
}
