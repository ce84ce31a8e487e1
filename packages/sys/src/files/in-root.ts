import { ConfigInvalid, checked } from '../errors/errors.js'
import { native } from '../native.js'
import { kernelPath, type Path, shownPath } from '../utf8.js'
import { OwnedFd } from './fd.js'
import { AT_REMOVEDIR, O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_RDWR, openDirectory, openFlags } from './files.js'

/**
 * The functions of this module take a path as a process would that had made `root` its root: absolute and relative paths start there, `..`
 * stops there, and links lead to places inside. The kernel resolves it, to a descriptor: nobody can exchange a part of it meanwhile.
 */
export type Root = OwnedFd | string

async function inRoot<T>(root: Root, work: (fd: number) => Promise<T>): Promise<T> {
  if (typeof root !== 'string') return await work(root.fd)
  const directory = await openDirectory(root, { handle: true })
  try {
    return await work(directory.fd)
  } finally {
    directory.close()
  }
}

/**
 * Opens what is at `path` inside a root directory.
 *
 * @param flags - open(2)'s without `O_CREAT`. Default: `O_RDONLY`
 * @throws {SyscallError} as openat2(2); `ELOOP` for the magic links of procfs too, `EXDEV` for what is moved out of the root meanwhile
 */
export async function openInRoot(root: Root, path: Path, flags = O_RDONLY): Promise<OwnedFd> {
  const file = kernelPath(path)
  return await inRoot(
    root,
    async fd =>
      new OwnedFd(checked(await native.async.openInRoot(fd, file, flags & ~O_CREAT), 'openat2', shownPath(path))),
  )
}

/**
 * Opens the file at `path` inside a root directory, and makes it where it is absent. Its directory must be there.
 *
 * @param flags - open(2)'s; with `O_EXCL` nothing that is there is opened, no link either. Default: `O_RDWR`
 * @param mode - of a file that is made, less the umask. Default: 0666
 */
export async function createInRoot(root: Root, path: Path, flags = O_RDWR, mode = 0o666): Promise<OwnedFd> {
  const file = kernelPath(path)
  checkMode(mode, 0o7777)
  return await inRoot(
    root,
    async fd =>
      new OwnedFd(checked(await native.async.createInRoot(fd, file, flags, mode), 'openat2', shownPath(path))),
  )
}

/**
 * Makes a directory inside a root directory with its missing parents. What is there already stays as it is; the umask holds, and so does
 * the set-group-id bit of a directory above.
 *
 * @param mode - of each that is made: permissions and the sticky bit. Default: 0755
 * @returns a handle (`O_PATH`) of the directory
 */
export async function mkdirAllInRoot(root: Root, path: Path, mode = 0o755): Promise<OwnedFd> {
  const directory = kernelPath(path)
  // mkdir(2) would leave set-user-id and set-group-id out without a word.
  checkMode(mode, 0o1777)
  return await inRoot(
    root,
    async fd =>
      new OwnedFd(checked(await native.async.makeDirectoriesInRoot(fd, directory, mode), 'mkdirat', shownPath(path))),
  )
}

/** Makes a link at `path` inside a root directory, with its missing parents (0755). @param target - its text, as it stands */
export async function symlinkInRoot(root: Root, target: Path, path: Path): Promise<void> {
  const [text, link] = [kernelPath(target, 'target'), kernelPath(path)]
  lastName(path)
  await inRoot(root, async fd =>
    checked(await native.async.symlinkInRoot(fd, text, link), 'symlinkat', shownPath(path)),
  )
}

/**
 * Removes what is at `path` inside a root directory: a link itself, not what it means.
 *
 * @param options.directory - removes an empty directory instead of a file. Default: `false`
 * @throws {SyscallError} `ENOENT`, `EISDIR`, `ENOTEMPTY`
 */
export async function unlinkInRoot(
  root: Root,
  path: Path,
  { directory = false }: { directory?: boolean } = {},
): Promise<void> {
  const [above, name] = lastName(path)
  const parent = await openInRoot(root, above, O_PATH | openFlags().O_DIRECTORY)
  try {
    checked(
      await native.async.unlink(parent.fd, kernelPath(name), directory ? AT_REMOVEDIR : 0),
      'unlinkat',
      shownPath(path),
    )
  } finally {
    parent.close()
  }
}

/**
 * Opens the file of a descriptor again, with other flags: a handle (`O_PATH`) becomes one that can be read.
 *
 * Goes through procfs, and only through one that is proved to be one: what was mounted over a container's /proc answers nothing here.
 */
export async function reopen(file: OwnedFd, flags = O_RDONLY): Promise<OwnedFd> {
  return new OwnedFd(checked(await native.async.reopen(file.fd, flags & ~(O_CREAT | O_EXCL)), 'openat'))
}

/** The directory that a path is in, and its last name: by text alone, which `..` and a `/` at the end would outwit. */
function lastName(path: Path): [above: Path, name: Path] {
  kernelPath(path)
  const slash = typeof path === 'string' ? path.lastIndexOf('/') : path.lastIndexOf(0x2f)
  const name = path.slice(slash + 1)
  if (['', '.', '..'].includes(shownPath(name))) {
    throw new ConfigInvalid('path', shownPath(path), 'must end with the name of what is meant')
  }
  return [slash < 0 ? '.' : path.slice(0, slash + 1), name]
}

function checkMode(mode: number, allowed: number): void {
  if (Number.isInteger(mode) && mode >= 0 && (mode & ~allowed) === 0) return
  throw new ConfigInvalid('mode', mode, `must be permission bits within 0${allowed.toString(8)}`)
}
