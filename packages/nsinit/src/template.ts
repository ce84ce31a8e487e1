import { ENGINE_CAPABILITIES } from '@libcontainer/capabilities'
import type { ContainerConfig } from '@libcontainer/container'
import type { ProcessDefaults } from './container-json.js'

/** A config to begin with: what it does not say has the defaults of a container. */
export function template(rootfs: string): ContainerConfig & { process: ProcessDefaults } {
  return {
    rootfs,
    hostname: 'nsinit',
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net'],
    capabilities: [...ENGINE_CAPABILITIES],
    parentDeathSignal: 'SIGKILL',
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    process: {
      args: ['/bin/sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      user: 'root',
    },
  }
}
