import { exists } from '@libcontainer/sys'

/** Beside the state: names the place where CRIU finds what it mounts, while there is one. */
export const SCRATCH_FILE = 'criu-root'

/** Takes away what a restore that was killed has left; none is fine. */
export async function releaseScratch(directory: string): Promise<void> {
  if (await exists(`${directory}/${SCRATCH_FILE}`)) await (await import('./scratch.js')).closeScratch(directory)
}
