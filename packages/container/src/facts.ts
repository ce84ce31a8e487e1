import { getProcess, lastCap } from '@libcontainer/capabilities'
import { exists, initialFileLimit } from '@libcontainer/sys'

/** What plans have to know of this host, read once: it does not change while the machine runs. */
export interface HostFacts {
  readonly lastCap: number
  /** What this process can hand on: permitted and in its bounding set. */
  readonly available: bigint
  readonly kcore: boolean
  /** The soft limit of open files that this process was started with; `undefined` when its engine left it alone. */
  readonly initialFiles: bigint | undefined
}

let facts: Promise<HostFacts> | undefined

export function hostFacts(): Promise<HostFacts> {
  facts ??= readFacts()
  return facts
}

async function readFacts(): Promise<HostFacts> {
  const [cap, own, kcore, initialFiles] = await Promise.all([
    lastCap(),
    getProcess(),
    exists('/proc/kcore'),
    initialFileLimit(),
  ])
  return { lastCap: cap, available: own.permitted & own.bounding, kcore, initialFiles }
}
