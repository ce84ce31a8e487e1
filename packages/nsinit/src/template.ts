import { ENGINE_CAPABILITIES } from '@libcontainer/capabilities'
import { type ContainerConfig, DEFAULT_PATH, defaultMaskedPaths, defaultReadonlyPaths } from '@libcontainer/container'
import { DEFAULT_SIMPLE_DEVICES } from '@libcontainer/devices'
import { defaultMounts } from '@libcontainer/mount'
import { ids } from '@libcontainer/sys'
import type { ContainerJson } from './container-json.js'

/**
 * The config that flags change, as it was in 2015: what is not said there has the defaults of a container.
 *
 * @param rootfs - the root filesystem
 * @param name - of its cgroup, below `/nsinit`; only root may make one there
 */
export function template(rootfs: string, name: string): ContainerJson {
  return {
    config: {
      rootfs,
      hostname: 'nsinit',
      namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net'],
      capabilities: [...ENGINE_CAPABILITIES],
      mounts: defaultMounts.filter(({ type }) => type !== 'cgroup'),
      devices: [...DEFAULT_SIMPLE_DEVICES],
      ...(ids().euid === 0 ? { cgroups: { path: `/nsinit/${name}` } } : {}),
      maskedPaths: [...defaultMaskedPaths],
      readonlyPaths: [...defaultReadonlyPaths],
      parentDeathSignal: 'SIGKILL',
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    } satisfies ContainerConfig,
    process: {
      args: ['/bin/sh'],
      env: [`PATH=${DEFAULT_PATH}`, 'HOSTNAME=nsinit', 'TERM=xterm'],
      cwd: '/',
      user: 'root',
    },
  }
}
