import { mount, unmount } from '@libcontainer/mount'
import {
  generateRandomName,
  isErrno,
  listDirectory,
  makeDirectory,
  readTextIfPresent,
  removeFile,
  removeTree,
  unlinkInRoot,
  writeText,
} from '@libcontainer/sys'
import { SCRATCH_FILE } from './leftovers.js'

/*
 * A place where CRIU finds what it mounts: the root filesystem and the sources of binds, each mounted by us as the config says. Below /run, whose
 * directories everybody may pass: CRIU looks there as root of the container's user namespace, to whom a state root is closed.
 */

const PREFIX = '/run/libcontainer-criu-'
const OURS = /^\/run\/libcontainer-criu-[0-9a-f]{32}$/

/** Makes it, recorded before it is there. @returns its path: an empty directory whose mounts nobody else sees */
export async function openScratch(directory: string): Promise<string> {
  await closeScratch(directory)
  const path = generateRandomName(PREFIX, 32)
  await writeText(`${directory}/${SCRATCH_FILE}`, path, { mode: 0o600 })
  await makeDirectory(path, { mode: 0o711 })
  await mount('tmpfs', path, { source: 'libcontainer', options: ['private', 'mode=0711', 'size=1m'] })
  return path
}

/** Takes it away, with all that is mounted there; none is fine. */
export async function closeScratch(directory: string): Promise<void> {
  const path = await readTextIfPresent(`${directory}/${SCRATCH_FILE}`)
  if (path === undefined) return
  if (OURS.test(path)) {
    try {
      await unmount(path, { detach: true, follow: false })
    } catch (error) {
      if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error
    }
    await removeTree(path)
  }
  await removeFile(`${directory}/${SCRATCH_FILE}`)
}

/** Hierarchies of cgroups, where CRIU that was killed has mounted them: in the directory of the images. */
const YARD = /^\.criu\.cgyard\./

/** Takes away what a CRIU that was killed in the middle of a restore has left mounted. */
export async function removeYards(imagesDir: string): Promise<void> {
  for (const { name } of await listDirectory(imagesDir)) {
    if (!YARD.test(name)) continue
    try {
      await unmount(`${imagesDir}/${name}`, { detach: true, follow: false })
    } catch (error) {
      if (!isErrno(error, 'EINVAL')) throw error
    }
    // Nothing but an empty directory: below a mount that stays there would be the host's cgroups.
    await unlinkInRoot(imagesDir, name, { directory: true })
  }
}
