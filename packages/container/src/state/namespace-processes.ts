import { isErrno, listDirectory, readLink } from '@libcontainer/sys'

/** The processes in the pid namespace of a process, by their numbers here: what a container without a cgroup is known by. */
export async function namespaceProcesses(pid: number): Promise<number[]> {
  const namespace = await pidNamespace(pid)
  if (namespace === undefined) return []
  const pids = (await listDirectory('/proc')).map(({ name }) => Number(name)).filter(Number.isInteger)
  const namespaces = await Promise.all(pids.map(pidNamespace))
  return pids.filter((_, i) => namespaces[i] === namespace)
}

/** `undefined` for one that is gone, or that this user may not look into: then it is none of this user's containers. */
async function pidNamespace(pid: number): Promise<string | undefined> {
  try {
    return await readLink(`/proc/${pid}/ns/pid`)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
