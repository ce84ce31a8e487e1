import { exists, isErrno, O_WRONLY, writeText } from '@libcontainer/sys'

/** Lets go what CRIU had stopped by a freezer when it was killed: the others go on by themselves when nobody traces them any more. */
export async function thaw(directory: string | undefined): Promise<void> {
  if (directory === undefined) return
  const [file, word] = (await exists(`${directory}/cgroup.freeze`))
    ? ['cgroup.freeze', '0']
    : ['freezer.state', 'THAWED']
  try {
    await writeText(`${directory}/${file}`, word, { flags: O_WRONLY })
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
  }
}
