import { ConfigInvalid, exists, kernelString, remembered, SyscallError, stat } from '@libcontainer/sys'
import type { Asked } from './ask.js'

/** Which CRIU does the work. */
export interface Criu {
  /** The program, absolute. Default: where distributions install it; never looked up in PATH, nor in a container. */
  readonly path?: string | undefined
  /** The socket of a running `criu service` instead. What it restores is its child and not ours, and takes no descriptors from here. */
  readonly service?: string | undefined
}

/** Where it is installed: of the host, and written by root alone. */
const PLACES = ['/usr/sbin/criu', '/usr/local/sbin/criu', '/sbin/criu', '/usr/bin/criu', '/usr/local/bin/criu']
const ENOENT = -2

/** The path of the program; `undefined` where none is installed. */
export async function findCriu(): Promise<string | undefined> {
  for (const place of PLACES) if (await exists(place)) return place
  return undefined
}

/** @throws {ConfigInvalid} for a path that is not absolute @throws {SyscallError} `ENOENT` where there is none */
export async function criuPath({ path }: Criu): Promise<string> {
  if (path !== undefined && !kernelString(path, 'criu.path').startsWith('/'))
    throw new ConfigInvalid('criu.path', path, 'must be absolute: it is looked up in no PATH')
  const found = path ?? (await findCriu())
  if (found === undefined || !(await exists(found)))
    throw new SyscallError(ENOENT, 'execve', {
      path: found ?? PLACES[0],
      hint: 'checkpoint and restore are done by CRIU: install the package criu',
    })
  return found
}

/** What an answer of a program is remembered by: another program at the same place is another. `undefined` for a service, which may be started anew. */
export async function criuKey(criu: Criu): Promise<string | undefined> {
  if (criu.service !== undefined) return undefined
  const path = await criuPath(criu)
  const { inode, size, mtimeNs } = await stat(path)
  return `${path} ${inode} ${size} ${mtimeNs}`
}

/** The same question, asked once for each program; a failure is not kept. */
export function askedOnce<T>(ask: (criu: Asked) => Promise<T>): (criu: Asked) => Promise<T> {
  const answers = new Map<string, () => Promise<T>>()
  return async criu => {
    const key = await criuKey(criu)
    if (key === undefined) return await ask(criu)
    const answer = answers.get(key) ?? remembered(() => ask(criu))
    answers.set(key, answer)
    return await answer()
  }
}
