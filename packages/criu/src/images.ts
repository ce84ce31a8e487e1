import {
  type At,
  ConfigInvalid,
  isErrno,
  listDirectory,
  makeDirectory,
  type OwnedFd,
  openDirectory,
  removeFile,
  stat,
  writeText,
} from '@libcontainer/sys'
import type { ImageOptions } from './options.js'
import { checkPages } from './pages.js'

/** The directories of one request, open. */
export interface OpenImages {
  readonly images: OwnedFd
  readonly work: OwnedFd
  readonly log: string
  close(): void
}

/** What CRIU leaves beside its images. */
const isLeftover = (name: string): boolean => /\.log(\.\d+)?$|^stats-(dump|restore)$/.test(name)

/**
 * Opens the directory of a dump, made for its owner alone where it is not there, and begins the log in it: so one that cannot be written to is told of before
 * anything is stopped.
 *
 * @throws {ConfigInvalid} where images are in it
 * @throws {SyscallError} `EROFS`, `EACCES`, `ENOSPC`, `ENOTDIR`, `ENOENT` of what it lies in
 */
export async function openForDump(options: ImageOptions, logFile: string, overwrite: boolean): Promise<OpenImages> {
  const { imagesDir, workDir } = options
  await made(imagesDir)
  if (workDir !== undefined) await made(workDir)
  const open = await openBoth(options, logFile)
  try {
    const images = (await listDirectory('.', { at: open.images }))
      .map(({ name }) => name)
      .filter(name => !isLeftover(name))
    if (images.length > 0 && !overwrite)
      throw new ConfigInvalid('imagesDir', imagesDir, `must be empty: ${images[0]} is in it`, {
        hint: 'choose another directory, or say overwrite: true',
      })
    for (const name of images) if (isImage(name)) await removeFile(name, { at: open.images })
    await writeText(logFile, '', { at: open.work, mode: 0o600 })
    return open
  } catch (error) {
    open.close()
    throw error
  }
}

/** Refuses what is no directory with the images of a dump. @throws {ConfigInvalid} */
export async function confirmImages(imagesDir: string): Promise<void> {
  let images: OwnedFd
  try {
    images = await openDirectory(imagesDir)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new ConfigInvalid('imagesDir', imagesDir, `must be the directory of a dump: ${error.code}`, { cause: error })
  }
  try {
    await confirmDump(imagesDir, images)
  } finally {
    images.close()
  }
}

async function confirmDump(imagesDir: string, images: OwnedFd): Promise<void> {
  const names = (await listDirectory('.', { at: images })).map(({ name }) => name)
  for (const needed of ['inventory.img', 'pstree.img'])
    if (!names.includes(needed))
      throw new ConfigInvalid('imagesDir', imagesDir, `must hold the images of a dump: ${needed} is not there`)
}

/** Opens the directory of images that are there. @throws {SyscallError} `ENOENT` @throws {ConfigInvalid} where no images are in it */
export async function openForRestore(options: ImageOptions, logFile: string): Promise<OpenImages> {
  const { imagesDir, workDir } = options
  if (workDir !== undefined) await made(workDir)
  const open = await openBoth(options, logFile)
  try {
    await confirmDump(imagesDir, open.images)
    await checkPages(imagesDir, open.images)
    return open
  } catch (error) {
    open.close()
    throw error
  }
}

async function openBoth({ imagesDir, workDir }: ImageOptions, logFile: string): Promise<OpenImages> {
  const images = await openDirectory(imagesDir)
  try {
    const work = workDir === undefined ? images : await openDirectory(workDir)
    return {
      images,
      work,
      log: `${workDir ?? imagesDir}/${logFile}`,
      close() {
        images.close()
        work.close()
      },
    }
  } catch (error) {
    images.close()
    throw error
  }
}

async function made(path: string): Promise<void> {
  try {
    await makeDirectory(path, { mode: 0o700 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

const isImage = (name: string): boolean => name.endsWith('.img')

/** Takes away what a dump that failed has written; its log stays. */
export async function removeImages(at: At): Promise<void> {
  for (const { name } of await listDirectory('.', at)) {
    if (isImage(name) || name === 'parent' || /^stats-/.test(name)) await removeFile(name, at)
  }
}

/** How many bytes the images in a directory have, without those of its parents. */
export async function imageSize(imagesDir: string): Promise<number> {
  const at = await openDirectory(imagesDir)
  try {
    const names = (await listDirectory('.', { at })).map(({ name }) => name).filter(isImage)
    const sizes = await Promise.all(names.map(async name => (await stat(name, { at, follow: false })).size))
    return sizes.reduce((sum, size) => sum + size, 0)
  } finally {
    at.close()
  }
}
