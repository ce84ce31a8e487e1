import { inUserNamespace } from '@libcontainer/namespaces'
import { ConfigInvalid, environment, ids, isErrno, makeDirectory, stat } from '@libcontainer/sys'

/**
 * Where the state that is trusted lies unless somebody says otherwise: root's own directory; for anybody else the one that its session has
 * been given, or where there is no session, a directory of its own in /tmp.
 *
 * @param program - its name, and that of the directory
 * @param ofRoot - root's
 * @throws {ConfigInvalid} where somebody else has taken the directory
 */
export async function defaultStateRoot(program: string, ofRoot: string): Promise<string> {
  const { euid } = ids()
  if (euid === 0 && !(await isRootForAnother())) return ofRoot
  // What su(1) has left in the environment is another user's.
  for (const runtime of [environment.XDG_RUNTIME_DIR, `/run/user/${euid}`]) {
    if (!runtime?.startsWith('/') || !(await isOwn(runtime, euid))) continue
    const path = `${runtime.replace(/\/+$/, '')}/${program}`
    // Sticky: what lies there for long without being touched is swept away otherwise, by the XDG Base Directory Specification.
    await makeDirectory(path, { mode: 0o1700, parents: true })
    return path
  }
  const path = `/tmp/${program}-${euid}`
  await makeDirectory(path, { mode: 0o700, parents: true })
  if (await isOwn(path, euid)) return path
  // Whoever owns it could forge the state of containers.
  throw new ConfigInvalid('root', path, 'belongs to somebody else, or is open to others', {
    hint: 'say where the state of containers goes: root, on a command line --root DIR, or by XDG_RUNTIME_DIR',
  })
}

/**
 * Whether root is so only in the user namespace of somebody's session, as an engine without privileges runs a runtime: the host's directory is not
 * its own then.
 */
async function isRootForAnother(): Promise<boolean> {
  const { XDG_RUNTIME_DIR: runtime, USER: user } = environment
  return runtime !== undefined && user !== 'root' && (await inUserNamespace())
}

/** A directory, no link, that nobody else may write to. */
async function isOwn(path: string, euid: number): Promise<boolean> {
  try {
    const { type, uid, mode } = await stat(path, { follow: false })
    return type === 'directory' && uid === euid && (mode & 0o022) === 0
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false
    throw error
  }
}
