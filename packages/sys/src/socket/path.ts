import type { OwnedFd } from '../files/fd.js'
import { openDirectory } from '../files/files.js'
import { encodeUtf8, kernelString } from '../utf8.js'

/** sun_path holds 108 bytes with its NUL: unix(7). */
const MAX_PATH = 107

/** Uses the path of a UNIX socket as it is, or a longer one as a name in its directory, which a descriptor stands for. */
export async function atSocketPath<T>(
  path: string,
  use: (name: string, directory: OwnedFd | undefined) => T | Promise<T>,
): Promise<T> {
  kernelString(path, 'path')
  if (encodeUtf8(path).length <= MAX_PATH) return await use(path, undefined)
  const slash = path.lastIndexOf('/')
  const directory = await openDirectory(slash < 0 ? '.' : path.slice(0, slash + 1), { handle: true })
  try {
    return await use(path.slice(slash + 1), directory)
  } finally {
    directory.close()
  }
}
