import type { Mount } from '@libcontainer/mount'

/* What binds ask of SELinux: that their sources get the label of the container's mounts. What is done about it is loaded where one asks. */

const asks = (mount: Mount): boolean => mount.relabel !== undefined

/**
 * Gives the sources of binds the label that they ask for, one after another. What is labelled stays so, also when the container is not made then.
 *
 * @param signal - ends it between two files
 * @throws {RelabelError} with what was done before
 */
export async function relabelSources(
  mounts: readonly Mount[],
  label: string | undefined,
  signal?: AbortSignal | undefined,
): Promise<void> {
  if (!label || !mounts.some(asks)) return
  const { relabel } = await import('../plan/confinement-steps.js')
  for (const mount of mounts.filter(asks))
    await relabel(mount.source!, label, { shared: mount.relabel === 'z', signal })
}
