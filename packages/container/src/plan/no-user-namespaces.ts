import { writeSysctl } from '@libcontainer/init'
import { compile, filterSteps, nativeArch, noUserNamespaces } from '@libcontainer/seccomp'
import { ConfigInvalid, type Step } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { userNamespaceOf } from '../config/namespace-requests.js'

/* Containers whose programs make no user namespaces. See seldom.ts. */

/** The step that does it for all of the container's own user namespace, or the filter that does where it has none. */
export interface NoUserNamespaces {
  readonly sysctl: readonly Step[]
  readonly filters: readonly Step[]
}

const KEY = 'user.max_user_namespaces'

/** What is wrong with asking for it. Pure. */
export function userNamespaceProblems(config: ContainerConfig): ConfigInvalid[] {
  const { disableUserNamespaces, capabilities, sysctl } = config
  const refused = (problem: string): ConfigInvalid[] => [
    new ConfigInvalid('disableUserNamespaces', disableUserNamespaces, problem),
  ]
  if (disableUserNamespaces === undefined) return []
  if (typeof disableUserNamespaces !== 'boolean') return refused('must be true or false')
  if (!disableUserNamespaces || !makesUser(config)) return []
  if (sysctl !== undefined && Object.keys(sysctl).some(key => key.replaceAll('/', '.') === KEY))
    return refused(`sets ${KEY}, which sysctl says too: leave one of them out`)
  return mayRaise(capabilities) ? refused(`cannot hold for ${WHO}: leave that out of capabilities`) : []
}

const WHO = 'programs with CAP_SYS_RESOURCE, which may raise it again'

function mayRaise(capabilities: ContainerConfig['capabilities']): boolean {
  if (capabilities === undefined || capabilities === null) return capabilities === null
  const names = 'length' in capabilities ? capabilities : Object.values(capabilities).flat()
  return names.some(name => /^(CAP_)?SYS_RESOURCE$/i.test(name))
}

function makesUser(config: Pick<ContainerConfig, 'namespaces'>): boolean {
  const user = userNamespaceOf(config)
  return user !== undefined && user.path === undefined
}

/**
 * Pure.
 *
 * @param capabilities - of the process, where it asks for its own
 * @throws {ConfigInvalid} for a process that could undo it for all of the container
 */
export function noUserNamespacesOf(
  config: Pick<ContainerConfig, 'namespaces'>,
  capabilities: ContainerConfig['capabilities'],
): NoUserNamespaces {
  // It counts for all that are made in it and below: user_namespaces(7). Nobody has CAP_SYS_RESOURCE over it who could raise it.
  if (makesUser(config)) {
    if (mayRaise(capabilities))
      throw new ConfigInvalid(
        'process.capabilities',
        capabilities,
        `must not have CAP_SYS_RESOURCE in a container with disableUserNamespaces, which cannot hold for ${WHO}`,
      )
    return { sysctl: [writeSysctl(KEY, '0')], filters: [] }
  }
  const arch = nativeArch()
  return { sysctl: [], filters: filterSteps(compile(noUserNamespaces(arch), { arch })) }
}
