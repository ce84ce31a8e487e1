import { ConfigInvalid, SyscallError } from '../errors/errors.js'
import { isErrno } from '../process/wait.js'
import { kernelString } from '../utf8.js'
import { openDirectory, readLink } from './files.js'

/*
 * Paths as text. What these functions answer is a name: whoever can change what is on the way can make it mean something else. To work on
 * files of a root filesystem, in-root.ts has functions that answer descriptors.
 */

/** The names on a path, without `.`, doubled slashes and what `..` takes back; `..` at the start climbs nowhere. */
export function namesOfPath(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}

/**
 * A path without `.`, `..`, doubled slashes or a slash at the end, that climbs nowhere: `..` at the start of a relative path is dropped as at
 * the start of an absolute one. An absolute path stays absolute, a relative one relative; `''` stays `''`.
 */
export function cleanPath(path: string): string {
  const text = namesOfPath(kernelString(path, 'path')).join('/')
  if (path.startsWith('/')) return `/${text}`
  return text === '' && path !== '' ? '.' : text
}

/** Whether `path` is `root` or lies below it: by text, links are not looked at. Both are absolute, or both relative. */
export function isInRoot(root: string, path: string): boolean {
  const [above, below] = [cleanPath(root), cleanPath(path)]
  if (above === below || above === '/') return below.startsWith('/') || above === below
  return below.startsWith(`${above}/`)
}

/** `path` as whoever has `root` for a root sees it: absolute; what does not lie below `root` only gets clean. */
export function stripRoot(root: string, path: string): string {
  const [above, below] = [cleanPath(`/${root}`), cleanPath(`/${path}`)]
  if (above === below) return '/'
  return above !== '/' && below.startsWith(`${above}/`) ? below.slice(above.length) : below
}

/** As many links as the kernel would follow. */
const MAX_LINKS = 40

/**
 * Joins a path of a root filesystem to the root's own, following links as they mean it there: never out of `root`. What does not exist is
 * taken as it is written.
 *
 * The answer holds as long as nobody changes a link on the way: where a container may, `openInRoot` is right and this is not.
 *
 * @param root - absolute
 * @throws {SyscallError} `ELOOP` after 40 links
 */
export async function secureJoin(root: string, path: string): Promise<string> {
  if (!kernelString(root, 'root').startsWith('/')) throw new ConfigInvalid('root', root, 'must be absolute')
  kernelString(path, 'path')
  const base = cleanPath(root) === '/' ? '' : cleanPath(root)
  const left = path.split('/').reverse()
  const done: string[] = []
  let links = 0
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      done.pop()
      continue
    }
    const target = await linkAt(`${base}/${[...done, name].join('/')}`)
    if (target === undefined) {
      done.push(name)
      continue
    }
    if (++links > MAX_LINKS) throw new SyscallError(40 /* ELOOP */, 'readlink', { path: `${base}/${path}` })
    if (target.startsWith('/')) done.length = 0
    left.push(...target.split('/').reverse())
  }
  return done.length === 0 ? base || '/' : `${base}/${done.join('/')}`
}

async function linkAt(path: string): Promise<string | undefined> {
  try {
    return await readLink(path)
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/**
 * The absolute path of a root filesystem's directory, without links.
 *
 * @throws {SyscallError} `ENOENT`, `ENOTDIR`
 */
export async function resolveRootfs(path: string): Promise<string> {
  kernelString(path, 'path')
  const directory = await openDirectory(path, { handle: true })
  try {
    return await readLink(`/proc/self/fd/${directory.fd}`)
  } finally {
    directory.close()
  }
}
