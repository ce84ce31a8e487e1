import {
  ConfigInvalid,
  isErrno,
  type OwnedFd,
  openPidfd,
  processStat,
  SyscallError,
  signalPidfd,
} from '@libcontainer/sys'
import { type IdMaps, sameIdMap } from './id-map.js'
import { checkPid, inspect, isSupported, type NamespaceInfo, openVerified } from './inspect.js'
import { cloneFlag, type NamespaceKind, namespaceKinds } from './kinds.js'
import type { NamespaceSet } from './set.js'
import { readMaps } from './user-namespace.js'
import { type NamespacesConfig, validateNamespaces } from './validate.js'

/** What {@link checkNamespaces} found out. */
export interface CheckedNamespaces {
  /** The maps of the user namespace, new or joined; `undefined` without one. */
  readonly maps: IdMaps | undefined
  /** What is allowed but hardly meant, a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Checks a configuration against this kernel and these paths, and changes nothing.
 *
 * @throws {ConfigInvalid} for what {@link validateNamespaces} refuses, for a kind that the kernel lacks, and for a path that is missing,
 *   no namespace, or one of another kind
 */
export async function checkNamespaces(config: NamespacesConfig): Promise<CheckedNamespaces> {
  const set = validateNamespaces(config)
  for (const { kind } of set) {
    if (!(await isSupported(kind)))
      throw new ConfigInvalid('namespaces', kind, 'the kernel was built without namespaces of this kind')
  }
  for (const [i, { kind }] of config.namespaces.entries()) {
    const path = set.pathOf(kind)
    if (path !== undefined) (await openAsked(path, kind, `namespaces[${i}].path`)).fd.close()
  }
  return await checkMaps(config, set)
}

/** Opens a namespace that a configuration names. @throws {ConfigInvalid} when there is none, or one of another kind */
export async function openAsked(
  path: string,
  kind: NamespaceKind,
  field: string,
): Promise<{ fd: OwnedFd; info: NamespaceInfo }> {
  try {
    return await openVerified(path, kind, field)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ESRCH', 'ELOOP')) {
      throw new ConfigInvalid(field, path, 'does not exist', {
        cause: error,
        hint: 'the process whose namespace it was may be gone',
      })
    }
    throw error
  }
}

async function checkMaps(
  config: NamespacesConfig,
  set: NamespaceSet,
): Promise<{ maps: IdMaps | undefined; warnings: string[] }> {
  const { uidMappings: uid = [], gidMappings: gid = [] } = config
  const path = set.pathOf('user')
  if (path === undefined) return { maps: set.contains('user') ? { uid, gid } : undefined, warnings: [] }

  const maps = await readMaps(path)
  const warnings: string[] = []
  for (const [field, asked, actual] of [
    ['uidMappings', uid, maps.uid],
    ['gidMappings', gid, maps.gid],
  ] as const) {
    if (asked.length === 0) continue
    if (!sameIdMap(asked, actual))
      throw new ConfigInvalid(field, asked, `differs from the map of the user namespace ${path}, which is joined`)
    warnings.push(`${field} is not needed: the user namespace ${path} is joined with the map that it has`)
  }
  return { maps, warnings }
}

/** A process whose namespaces are to be joined. */
export interface JoinTarget {
  /** The caller closes it. */
  readonly pidfd: OwnedFd
  /** The kinds in which it differs from this process: what `planProcessJoin` takes. */
  readonly kinds: readonly NamespaceKind[]
  /** Their flags. */
  readonly mask: number
}

/**
 * Looks at a process before joining its namespaces, while nothing has been forked yet.
 *
 * @param kinds - join at most these. Default: all
 * @throws {ConfigInvalid} when `pid` is no number of a process
 * @throws {SyscallError} `ESRCH` when there is no such process, or when it has exited
 */
export async function joinTarget(pid: number, kinds: readonly NamespaceKind[] = namespaceKinds): Promise<JoinTarget> {
  checkPid(pid, 'pid')
  const pidfd = openPidfd(pid)
  try {
    const [own, theirs, stat] = await Promise.all([inspect(), inspect(pid), processStat(pid)])
    // One that has exited and waits to be reaped still shows namespaces on newer kernels, but runs in none.
    if (stat === undefined || 'ZX'.includes(stat.state)) {
      throw new SyscallError(3, 'setns', { path: `/proc/${pid}/ns`, hint: `the process ${pid} has exited` })
    }
    // Only now is it certain that the files were those of the process in `pidfd`, and not of one that got its number.
    signalPidfd(pidfd, 0)
    const different = kinds.filter(kind => isOther(own.get(kind), theirs.get(kind)))
    return { pidfd, kinds: different, mask: different.reduce((mask, kind) => mask | cloneFlag(kind), 0) }
  } catch (error) {
    pidfd.close()
    throw error
  }
}

function isOther(own: NamespaceInfo | undefined, theirs: NamespaceInfo | undefined): boolean {
  return theirs !== undefined && (theirs.inode !== own?.inode || theirs.device !== own.device)
}
