import { readLink } from '@libcontainer/sys'

/** A path, from the top. */
export async function absolute(path: string): Promise<string> {
  return path.startsWith('/') ? path : `${await readLink('/proc/self/cwd')}/${path}`
}
