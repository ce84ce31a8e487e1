import { ConfigInvalid, holding, type OwnedFd, openPidfd, POLLIN, poll, signalPidfd } from '@libcontainer/sys'
import type { Cgroup } from './cgroup.js'
import { type ProvideOptions, provide } from './host/provide.js'
import type { Limits } from './limits/limits.js'
import { endOf, type Usage } from './stats/usage.js'

/** A process that was put under limits. */
export interface Limited {
  /** Where it is now: `set()` changes its limits, `stats()` tells what it uses. */
  readonly cgroup: Cgroup
  /**
   * What it has used from then on, once it has ended. By then all that it had started is killed, and the cgroup removed. Whoever asks for it keeps this
   * program from ending before.
   */
  readonly result: Promise<Usage>
}

/**
 * Puts a process that runs already under limits, with all that it starts from now on: into a cgroup of its own, which goes when it ends. The
 * children that it has already, and the memory that it holds, stay where they are counted.
 *
 * @param target - a child, or the number of any process
 * @throws {SyscallError} `ESRCH` when it has ended
 * @throws {LibcontainerError} `NotDelegated` for an ordinary user who was given no cgroup
 */
export async function limit(
  target: number | { readonly pid?: number | undefined },
  limits: Limits,
  options: ProvideOptions = {},
): Promise<Limited> {
  const pid = typeof target === 'number' ? target : target.pid
  if (pid === undefined || !Number.isSafeInteger(pid) || pid <= 0) {
    throw new ConfigInvalid('childOrPid', target, 'must be the number of a process, or a child that was started')
  }
  const pidfd = openPidfd(pid)
  try {
    const cgroup = await provide(limits, options)
    try {
      await cgroup.add(pid)
      // Still the one that was meant, and not one that has got its number since.
      signalPidfd(pidfd, 0)
    } catch (error) {
      // A failure of it would hide this one, which tells more.
      await cgroup.destroy().catch(() => undefined)
      throw error
    }
    const end = follow(pidfd, cgroup)
    // Whoever does not ask is not told.
    end.catch(() => undefined)
    let result: Promise<Usage> | undefined
    return {
      cgroup,
      get result() {
        result ??= holding(end)
        return result
      },
    }
  } catch (error) {
    pidfd.close()
    throw error
  }
}

/** Its exit status is its parent's to take: only that it has ended is looked at. */
async function follow(pidfd: OwnedFd, cgroup: Cgroup): Promise<Usage> {
  try {
    await poll(pidfd.fd, POLLIN, { weak: true })
  } finally {
    pidfd.close()
  }
  return await endOf(cgroup)
}
