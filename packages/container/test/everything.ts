import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** All that a container without a network could leave on this machine, as far as it can be compared: tests beside these make links. */
export interface Everything {
  readonly mounts: string
  /** Directories of every cgroup hierarchy, the test's own ones alone. */
  readonly cgroups: string[]
  /** Where this process's descriptors lead, sorted. */
  readonly fds: string[]
  /** Children of this process, by name. */
  readonly children: string[]
}

/** @param names - how the cgroups of the test's own containers begin */
export function everything(names: RegExp): Everything {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroups: readdirSync('/sys/fs/cgroup')
      .flatMap(top =>
        existsSync(`/sys/fs/cgroup/${top}/cgroup.procs`)
          ? // On pure v2 the containers' own are here, on v1 in a hierarchy each.
            [top, ...readdirSync(`/sys/fs/cgroup/${top}`).map(name => `${top}/${name}`)]
          : [],
      )
      .filter(path => names.test(path.slice(path.indexOf('/') + 1))),
    fds: readdirSync('/proc/self/fd')
      .map(fd => target(`/proc/self/fd/${fd}`))
      // Numbers of pipes and sockets change, their count must not. The carrier of init is kept for the next container.
      .map(text => text.replace(/\d+/g, 'N'))
      .filter(text => text !== '/proc/N/fd' && text !== 'gone' && !text.startsWith('/memfd:init'))
      .sort(),
    children: readdirSync('/proc/self/task').flatMap(task => {
      const list = childrenOf(task)
      return list === '' ? [] : list.split(' ').map(pid => nameOf(pid))
    }),
  }
}

/** A thread may have ended since its name was read. */
function childrenOf(task: string): string {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim()
  } catch {
    return ''
  }
}

function target(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return 'gone'
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'gone'
  }
}
