import { getProcess, lastCap } from '@libcontainer/capabilities'
import { inUserNamespace } from '@libcontainer/namespaces'
import { exists, initialFileLimit, remembered } from '@libcontainer/sys'

/** What plans have to know of this host, read once: it does not change while the machine runs. */
export interface HostFacts {
  readonly lastCap: number
  /** What this process can hand on: permitted and in its bounding set. */
  readonly available: bigint
  readonly kcore: boolean
  /** This process may not administer the system: its containers need a user namespace. */
  readonly unprivileged: boolean
  /** It lives in a user namespace itself: the files of a process that is not dumpable are somebody else's to it, whatever it may do there. */
  readonly mapped: boolean
  /** It may write to the host's cgroups only where somebody has handed them over: an ordinary user, or root of a user namespace. */
  readonly lentCgroups: boolean
  /** The soft limit of open files that this process was started with; `undefined` when its engine left it alone. */
  readonly initialFiles: bigint | undefined
}

export const hostFacts = remembered(readFacts)

async function readFacts(): Promise<HostFacts> {
  const [cap, own, kcore, initialFiles, mapped] = await Promise.all([
    lastCap(),
    getProcess(),
    exists('/proc/kcore'),
    initialFileLimit(),
    inUserNamespace(),
  ])
  const unprivileged = (own.effective & CAP_SYS_ADMIN) === 0n
  return {
    lastCap: cap,
    available: own.permitted & own.bounding,
    kcore,
    initialFiles,
    unprivileged,
    mapped,
    lentCgroups: unprivileged || mapped,
  }
}

const CAP_SYS_ADMIN = 1n << 21n
