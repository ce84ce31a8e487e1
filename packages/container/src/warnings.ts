import { checkMounts } from '@libcontainer/mount'
import type { ContainerConfig } from './config.js'
import { namespacesOf } from './namespace-requests.js'

/** What of a config works, but hardly as it was meant: a sentence each. Pure; the config has passed `validate`. */
export function configWarnings(config: ContainerConfig): string[] {
  return [...mountWarnings(config), ...userWarnings(config)]
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
