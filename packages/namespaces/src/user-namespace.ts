import { checked, decodeUtf8, readText, readTextIfPresent } from '@libcontainer/sys'
import { type IdMap, type IdMaps, identityMap, parseIdMap, sameIdMap } from './id-map.js'
import { checkPid, inspect, openVerified } from './inspect.js'
import { native } from './native.js'

/** Whether this process lives in a user namespace that maps anything but every id to itself. */
export async function inUserNamespace(): Promise<boolean> {
  return isMapped(await readTextIfPresent('/proc/self/uid_map'))
}

/** The same of the text of a uid_map; `undefined` is that of a kernel without user namespaces. */
export function isMapped(uidMap: string | undefined): boolean {
  return uidMap !== undefined && !sameIdMap(parseIdMap(uidMap), identityMap)
}

/**
 * The id maps of a user namespace, with the ids outside as this process sees them.
 *
 * @param where - a pid, `'self'`, or the path of a user namespace (a pinned one too)
 * @throws {ConfigInvalid} when the path is no user namespace
 * @throws {SyscallError} `EPERM` without the privilege to enter one that is known by its path alone
 */
export async function readMaps(where: number | string = 'self'): Promise<IdMaps> {
  if (typeof where === 'number' || where === 'self') return await mapsOfProcess(where)
  const { fd, info } = await openVerified(where, 'user', 'path')
  try {
    const own = (await inspect()).get('user')
    // One cannot enter the user namespace that one is in, and needs not.
    if (own?.inode === info.inode && own.device === info.device) return await mapsOfProcess('self')
    const uids = new Uint8Array(MAP_BYTES)
    const gids = new Uint8Array(MAP_BYTES)
    const sizes = checked(await native.async.readNamespaceMaps(fd.fd, uids, gids), 'setns', where)
    return {
      uid: parseIdMap(decodeUtf8(uids.subarray(0, sizes % 2 ** 32))),
      gid: parseIdMap(decodeUtf8(gids.subarray(0, Math.floor(sizes / 2 ** 32)))),
    }
  } finally {
    fd.close()
  }
}

/** 340 lines of three columns of ten characters, and room. */
const MAP_BYTES = 16384

async function mapsOfProcess(pid: number | 'self'): Promise<IdMaps> {
  if (pid !== 'self') checkPid(pid, 'pid')
  return { uid: await readMap(`/proc/${pid}/uid_map`), gid: await readMap(`/proc/${pid}/gid_map`) }
}

async function readMap(path: string): Promise<IdMap[]> {
  return parseIdMap(await readText(path))
}
