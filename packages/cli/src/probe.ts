import type { Probe } from '@libcontainer/sys'

/** What this host offers this process of what a command line in the foreground needs: terminals. */
export async function probe(): Promise<Probe> {
  const { probe } = await import('@libcontainer/console')
  return await probe()
}
