import type { ConfigInvalid, Step } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { ProcessSpec } from '../config/process-spec.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { mappedRootProblems } from './mapped-root.js'
import { type NoUserNamespaces, noUserNamespacesOf, userNamespaceProblems } from './no-user-namespaces.js'
import { ownFilesProblems } from './own-files.js'
import { procFileProblems, procFileSteps } from './proc-files.js'

/* What few containers ask for: loaded where one does. */

export { MappedRoot } from './mapped-root.js'
export { ownFilesOf } from './own-files.js'

/** What is wrong with it. Pure. */
export const seldomProblems = (config: ContainerConfig): ConfigInvalid[] => [
  ...mappedRootProblems(config),
  ...ownFilesProblems(config),
  ...userNamespaceProblems(config),
  ...procFileProblems(config),
]

/** What of the attributes of a process is seldom. */
export interface SeldomAttributes extends Partial<NoUserNamespaces> {
  /** The steps that write files of its own in /proc. */
  readonly procFiles?: readonly Step[] | undefined
}

/** Pure. @throws {ConfigInvalid} for what a process asks for against its container */
export const seldomAttributes = (
  {
    disableUserNamespaces,
    procFiles,
    ...config
  }: Pick<ResolvedConfig, 'disableUserNamespaces' | 'procFiles' | 'namespaces'>,
  { capabilities }: Pick<ProcessSpec, 'capabilities'>,
): SeldomAttributes => ({
  ...(disableUserNamespaces ? noUserNamespacesOf(config, capabilities) : {}),
  ...(procFiles === undefined ? {} : { procFiles: procFileSteps(procFiles) }),
})
