import { readMountInfo } from '@libcontainer/mount'
import { isErrno, O_PATH, type OwnedFd, openInRoot, readLink, stat } from '@libcontainer/sys'
import { openRootOf } from '../state/init-process.js'
import type { ContainerState } from '../state/state.js'
import { candidates, deviceOf, type MountFacts } from './mounts.js'

/** What the kernel says of the mounts of a container that runs. */
export async function mountFacts(state: ContainerState): Promise<MountFacts> {
  const root = await openRootOf(state)
  try {
    const [table, host] = await Promise.all([readMountInfo(state.init_process_pid), readMountInfo('self')])
    const points = new Map(table.map(({ id, mountPoint }) => [id, mountPoint]))
    const seen = new Map<string, number>()
    for (const { key, path } of candidates(state.config)) {
      const found = await mountAt(root, path)
      // The container may have unmounted it since, and then it is another mount that the path lies in.
      if (found !== undefined && points.get(found.id) === found.path) seen.set(key, found.id)
    }
    return { table, hostDevices: new Set(host.map(deviceOf)), seen }
  } finally {
    root.close()
  }
}

/** The mount that a path of the container lies in, and what the path really is. */
async function mountAt(root: OwnedFd, path: string): Promise<{ id: number; path: string } | undefined> {
  let file: OwnedFd
  try {
    file = await openInRoot(root, path, O_PATH)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EXDEV')) return undefined
    throw error
  }
  try {
    const [{ mountId }, real] = await Promise.all([stat('', { at: file }), readLink(`/proc/self/fd/${file.fd}`)])
    return { id: Number(mountId), path: real }
  } finally {
    file.close()
  }
}
