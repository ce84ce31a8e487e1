import {
  changeMode,
  changeOwner,
  listDirectory,
  type OwnedFd,
  openDirectory,
  openFile,
  readLink,
  stat,
} from '@libcontainer/sys'

const GROUP_READ = 0o040
const GROUP_SEARCH = 0o050
/** Of pre-dumps, one after another. */
const MOST_PARENTS = 1000

/**
 * Lets a group of the host read images, and nobody else: CRIU reads them as root of the container's user namespace, to whom files of the host's root
 * are closed. Those of earlier pre-dumps, which an image names as its parents, too.
 */
export async function grantImages(imagesDir: string, gid: number): Promise<void> {
  let path: string | undefined = imagesDir
  for (let count = 0; path !== undefined && count < MOST_PARENTS; count++) {
    const directory = await openDirectory(path)
    try {
      await grant(directory, gid, GROUP_SEARCH)
      const entries = await listDirectory('.', { at: directory })
      for (const { name, type } of entries) {
        if (type !== 'file') continue
        const file = await openFile(name, undefined, undefined, { at: directory })
        try {
          await grant(file, gid, GROUP_READ)
        } finally {
          file.close()
        }
      }
      const isChild = entries.some(({ name, type }) => name === 'parent' && type === 'link')
      path = isChild ? `${path}/${await readLink('parent', { at: directory })}` : undefined
    } finally {
      directory.close()
    }
  }
}

async function grant(file: OwnedFd, gid: number, bits: number): Promise<void> {
  const { uid, gid: now, mode } = await stat('', { at: file })
  if (now !== gid) changeOwner(file, uid, gid)
  if ((mode & bits) !== bits) await changeMode(file, (mode & 0o7777) | bits)
}
