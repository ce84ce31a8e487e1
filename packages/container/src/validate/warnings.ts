import { checkMounts } from '@libcontainer/mount'
import type { ContainerConfig } from '../config/config.js'
import { namespacesOf, ownsMounts } from '../config/namespace-requests.js'

/** What of a config works, but hardly as it was meant: a sentence each. Pure; the config has passed `validate`. */
export function configWarnings(config: ContainerConfig): string[] {
  return [...mountWarnings(config), ...userWarnings(config), ...rootWarnings(config)]
}

function mountWarnings({ mounts = [] }: ContainerConfig): string[] {
  const warnings: string[] = []
  checkMounts(mounts, 'mounts', warning => void warnings.push(warning))
  return warnings
}

function userWarnings(config: ContainerConfig): string[] {
  const { uidMappings = [], gidMappings = [] } = config
  const joined = namespacesOf(config).find(({ kind, path }) => kind === 'user' && path !== undefined)
  if (joined === undefined || uidMappings.length + gidMappings.length === 0) return []
  return [`uidMappings, gidMappings: are those of the user namespace ${joined.path} already: leave them out`]
}

/** The capability by which a root that was only changed is left again. */
const LEAVES = /^(CAP_)?(SYS_CHROOT|ALL)$/i

function rootWarnings(config: ContainerConfig): string[] {
  const { capabilities } = config
  if (capabilities === undefined || ownsMounts({ namespaces: namespacesOf(config) })) return []
  const names = Object.values(capabilities ?? {}).flat()
  if (capabilities !== null && !names.some(name => typeof name === 'string' && LEAVES.test(name))) return []
  return [
    'capabilities: with CAP_SYS_CHROOT a process leaves a root that no mount namespace has: add mnt to namespaces',
  ]
}
