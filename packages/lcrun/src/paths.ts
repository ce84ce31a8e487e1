import { cleanPath, readLink } from '@libcontainer/sys'

/** A path from the top, without `.` and `..`. */
export async function absolute(path: string): Promise<string> {
  return cleanPath(path.startsWith('/') ? path : `${await readLink('/proc/self/cwd')}/${path}`)
}
