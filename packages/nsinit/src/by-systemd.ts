import { isSystemdRunning } from '@libcontainer/cgroups/systemd'
import { warn } from '@libcontainer/cli'
import type { ContainerConfig } from '@libcontainer/container'
import { cleanPath } from '@libcontainer/sys'

/** For `--systemd`: what gives a config its unit. `undefined` where systemd does not run: that is told, and the cgroups are made without it. */
export async function bySystemd(): Promise<((config: ContainerConfig) => ContainerConfig) | undefined> {
  if (await isSystemdRunning()) return withUnit
  warn('--systemd: systemd does not run here, and the cgroups are made without it')
  return undefined
}

/** A config whose cgroup is the unit of its path, as in 2015: `/nsinit/demo` is `nsinit-demo.scope`. A unit's own name stays. */
function withUnit(config: ContainerConfig): ContainerConfig {
  const path = config.cgroups?.path
  if (path === undefined || path.includes(':')) return config
  const names = cleanPath(path).split('/').filter(Boolean)
  return { ...config, cgroups: { ...config.cgroups, path: `:${names.slice(0, -1).join('-')}:${names.at(-1)}` } }
}
