import {
  checked,
  decodeUtf8,
  nulTerminated,
  O_PATH,
  O_WRONLY,
  OwnedFd,
  openFlags,
  SyscallError,
  searchPaths,
} from '@libcontainer/sys'
import type { Cgroup } from '../cgroup.js'
import { fileIn } from '../host/place.js'
import { native } from '../native.js'

/** The ways into a cgroup, open: for as many programs as are started in it. */
export interface Entrance {
  /** The unified directory, to be born in. */
  readonly directory: OwnedFd | undefined
  /** Its `cgroup.procs`, for where clone3(2) is refused. */
  readonly procs: OwnedFd | undefined
  /** `tasks` of the cgroups of v1. */
  readonly tasks: readonly OwnedFd[]
  close(): void
}

/** Opens the ways into a cgroup. @throws {SyscallError} `ENOENT` when it is gone, `EACCES` for want of rights */
export function openEntrance({ places }: Cgroup): Entrance {
  const opened: OwnedFd[] = []
  const open = (place: Cgroup['places'][number], file: string, flags: number): OwnedFd => {
    const path = fileIn(place, file)
    const fd = native.sync.openCgroup(place.hierarchy.mountpoint, file === '' ? place.path : path, flags)
    opened.push(new OwnedFd(checked(fd, 'openat2', `${place.directory}/${file}`)))
    return opened.at(-1)!
  }
  const close = (): void => {
    for (const fd of opened) fd.close()
  }
  try {
    const unified = places.find(({ hierarchy }) => hierarchy.version === 2)
    return {
      directory: unified && open(unified, '', O_PATH | openFlags().O_DIRECTORY),
      procs: unified && open(unified, 'cgroup.procs', O_WRONLY),
      tasks: places.filter(({ hierarchy }) => hierarchy.version === 1).map(place => open(place, 'tasks', O_WRONLY)),
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

export interface Program {
  /** A path, or a name that is looked for in the `PATH` of `env`. */
  readonly file: string
  /** From its own name on. */
  readonly args: readonly string[]
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly cwd?: string | undefined
  /** `fds[n]` becomes its descriptor n; -1 leaves one closed. The others are closed where they are close-on-exec. */
  readonly fds: readonly number[]
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Begins a session of its own. */
  readonly detached?: boolean | undefined
}

const DETACHED = 1
const HAS_UID = 2
const HAS_GID = 4
/** Six words of the request come before the descriptors: see native/start.c. */
const HEAD = 32

/**
 * Starts a program in a cgroup: born in the unified one, and in those of v1 before it is executed. As posix_spawn(3), with no signal blocked or
 * ignored. It is a child of this process, and told of by the descriptor that the caller owns.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, … of execve(2), `EAGAIN` when `pids.max` of v2 lets nobody in, `EBUSY` for a cgroup that hands controllers on
 */
export function startIn(entrance: Entrance, program: Program): { pid: number; pidfd: OwnedFd } {
  const { file, args, env, cwd = '', fds, uid, gid, detached = false } = program
  const all = [...fds, ...entrance.tasks.map(({ fd }) => fd)]
  const request = new Uint8Array(HEAD + 4 * all.length)
  const view = new DataView(request.buffer)
  const options = (detached ? DETACHED : 0) | (uid === undefined ? 0 : HAS_UID) | (gid === undefined ? 0 : HAS_GID)
  view.setInt32(0, entrance.directory?.fd ?? -1, true)
  view.setInt32(4, entrance.procs?.fd ?? -1, true)
  view.setUint32(8, options, true)
  view.setUint32(12, uid ?? 0, true)
  view.setUint32(16, gid ?? 0, true)
  view.setUint32(20, fds.length, true)
  view.setUint32(24, entrance.tasks.length, true)
  all.forEach((fd, i) => {
    view.setInt32(HEAD + 4 * i, fd, true)
  })
  const result = new Uint8Array(32)
  const paths = nulTerminated(searchPaths(file, env))
  const pid = native.sync.startInCgroup(request, result, paths, nulTerminated(args), nulTerminated(env), cwd)
  if (pid > 0) return { pid, pidfd: new OwnedFd(new DataView(result.buffer).getInt32(0, true)) }
  const syscall = decodeUtf8(result.subarray(4)).split('\0', 1)[0] || 'clone3'
  const path = syscall === 'chdir' ? cwd : file
  throw new SyscallError(pid, syscall, { path, hint: hints[syscall]?.[pid] })
}

const hints: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  clone3: {
    [-11]: 'pids.max of the cgroup, or of one above it, lets no more processes be',
    [-16]: 'a cgroup v2 that hands controllers on to children takes no processes: use a child of it',
  },
  execve: {
    [-2]: 'there is no such program, or the interpreter that its first line names is not there',
  },
}
