import { ConfigInvalid, checked } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { native } from '../native.js'
import { kernelString, nulTerminated } from '../utf8.js'

/** MAX_FDS of native/spawn.c. */
const MAX_FDS = 1024

/** What the spawner is asked for: see native/spawn.c. */
export interface SpawnRequest {
  /** The program, a descriptor from {@link programFd}: executed with argv `["init", own]` and an empty environment. */
  readonly program: OwnedFd
  /** Its argv instead: for a program that is not ours, with no signal blocked. */
  readonly args?: readonly string[] | undefined
  /** `CLONE_NEW…`, or'ed: the namespaces that it is born in. */
  readonly flags?: number
  /** A cgroup2 directory that it is born in. */
  readonly cgroup?: OwnedFd | undefined
  /** `fds[n]` becomes its descriptor n; everything else is closed. `-1` leaves n closed. */
  readonly fds: readonly number[]
  /** The first of `fds` that is the program's own and not for whatever it executes. */
  readonly own: number
  /**
   * Makes all capabilities ambient before the exec: with a new user namespace they would else be lost, since the exec comes before the
   * id maps.
   */
  readonly keepCapabilities?: boolean
}

export interface Spawned {
  readonly pid: number
  readonly pidfd: OwnedFd
}

/** Clones a child and executes the program in it, on the one thread of this process that clones. */
export async function spawn({
  program,
  args = [],
  flags = 0,
  cgroup,
  fds,
  own,
  keepCapabilities = false,
}: SpawnRequest): Promise<Spawned> {
  if (fds.length > MAX_FDS) throw new ConfigInvalid('fds', fds.length, `must be ${MAX_FDS} at most`)
  const request = new Uint8Array(32 + 4 * fds.length)
  const view = new DataView(request.buffer)
  view.setBigUint64(0, BigInt(flags), true)
  view.setInt32(8, program.fd, true)
  view.setInt32(12, cgroup?.fd ?? -1, true)
  view.setUint32(16, keepCapabilities ? 1 : 0, true)
  view.setUint32(20, fds.length, true)
  view.setUint32(24, own, true)
  fds.forEach((fd, i) => {
    view.setInt32(32 + 4 * i, fd, true)
  })
  const result = new Int32Array(2)
  checked(await native.async.spawn(request, new Uint8Array(result.buffer), nulTerminated(args)), 'clone3', undefined, {
    step: 'bootstrap',
    hint: 'a new namespace needs CAP_SYS_ADMIN, or a user namespace beside it that this host allows',
  })
  return { pid: result[0]!, pidfd: new OwnedFd(result[1]!) }
}

/**
 * Puts a program where no container can change it: a sealed memfd, or a file on a private, detached and read-only tmpfs.
 *
 * @param name - what /proc/PID/exe says of who executes it: `/memfd:<name> (deleted)`, or `/.libcontainer-<name>`. Default: `init`
 * @returns the descriptor, and whether many containers may share it: before Linux 6.3 one could take the others' execute permission away
 * @throws {SyscallError} `EACCES` when `vm.memfd_noexec` forbids the one and missing privilege the other
 */
export function programFd(program: Uint8Array, name = 'init'): { fd: OwnedFd; shared: boolean } {
  const result = checked(native.sync.programFd(program, kernelString(name, 'name')), 'memfd_create')
  return { fd: new OwnedFd(result & 0x3fffffff), shared: result >> 30 === 1 }
}

/**
 * A program of the host's, to be executed through a read-only overlay that is mounted nowhere: nothing is copied, and who executes it cannot
 * write to it. A kernel whose page cache can be written to does not keep it, and then a copy does: {@link programFd}.
 *
 * @param path - absolute
 * @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN; `ENODEV` where the kernel has no overlayfs
 */
export function overlayProgramFd(path: string): OwnedFd {
  const slash = kernelString(path, 'path').lastIndexOf('/')
  return new OwnedFd(
    checked(native.sync.overlayFd(path.slice(0, slash) || '/', path.slice(slash + 1)), 'fsopen', path, {
      hint: 'an overlay needs CAP_SYS_ADMIN and overlayfs in the kernel',
    }),
  )
}

/** A file in memory that holds `bytes`: memfd_create(2), close-on-exec, not sealed. */
export function memoryFile(name: string, bytes: Uint8Array): OwnedFd {
  return new OwnedFd(checked(native.sync.memfd(name, bytes), 'memfd_create'))
}
