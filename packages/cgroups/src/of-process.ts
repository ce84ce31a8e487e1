import { readText } from '@libcontainer/sys'
import { Cgroup } from './cgroup.js'
import { describeHost } from './host/host.js'

/**
 * The cgroup that a process is in now: its own directory in each hierarchy, wherever it was made or has been moved.
 *
 * A hierarchy in which it is at the top is left out: nobody means that one by a process's cgroup.
 *
 * @throws {SyscallError} `ENOENT` when there is no such process, or its cgroup is gone
 */
export async function cgroupOf(pid: number): Promise<Cgroup> {
  const [mountinfo, cgroup] = await Promise.all([readText('/proc/self/mountinfo'), readText(`/proc/${pid}/cgroup`)])
  const paths = new Map<string, string>()
  for (const hierarchy of describeHost({ mountinfo, cgroup, controllers: () => '' }).hierarchies) {
    const { version, controllers, mountpoint, own } = hierarchy
    if (own === '') continue
    for (const name of version === 2 ? [''] : controllers) paths.set(name, `${mountpoint}/${own}`)
  }
  return await Cgroup.open(paths)
}
