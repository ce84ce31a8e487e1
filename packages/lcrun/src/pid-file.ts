import { O_CREAT, O_EXCL, O_WRONLY, removeFile, rename, writeText } from '@libcontainer/sys'

/** Writes a process's number, without a newline, as engines read it: aside, then renamed, so that nobody reads half of it. */
export async function writePidFile(path: string, pid: number): Promise<void> {
  const slash = path.lastIndexOf('/') + 1
  const aside = `${path.slice(0, slash)}.${path.slice(slash)}`
  await writeText(aside, String(pid), { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644 })
  try {
    await rename(aside, path)
  } catch (error) {
    await removeFile(aside)
    throw error
  }
}
