import type { Probe } from '@libcontainer/sys'

/** What this host offers this process of what the commands need: what a container needs. `lcrun doctor` looks at more. */
export async function probe(): Promise<Probe> {
  const { probe } = await import('@libcontainer/container')
  return await probe()
}
