import { OCI_VERSION } from '@libcontainer/container'
import { engine } from '@libcontainer/sys'
import { commit, version } from '#version'

/**
 * What `--version` prints: the lines that engines know from other runtimes. Filters for system calls are made by this very program.
 *
 * @param made - the commit that it was made of, where that is known
 */
export function versionText(made = commit()): string {
  const own = version()
  return [
    `lcrun version ${own}`,
    ...(made === undefined ? [] : [`commit: ${made}`]),
    `spec: ${OCI_VERSION}`,
    `engine: ${engine}`,
    `seccomp: @libcontainer/seccomp ${own}`,
    '',
  ].join('\n')
}
