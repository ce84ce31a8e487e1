import { probe as probeContainer } from '@libcontainer/container'
import type { Probe } from '@libcontainer/sys'

/** What this host offers this process of what the commands need: what a container needs. `nsinit doctor` looks at more. */
export async function probe(): Promise<Probe> {
  return await probeContainer()
}
