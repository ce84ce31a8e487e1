import { OCI_VERSION } from '@libcontainer/container'
import { engine } from '@libcontainer/sys'
import { version } from '#version'

/** What `--version` prints: the lines that engines know from other runtimes. Filters for system calls are made by this very program. */
export function versionText(): string {
  const own = version()
  return `lcrun version ${own}\nspec: ${OCI_VERSION}\nengine: ${engine}\nseccomp: @libcontainer/seccomp ${own}\n`
}
