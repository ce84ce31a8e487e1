import { type CapabilityName, ENGINE_CAPABILITIES } from '@libcontainer/capabilities'
import type { ContainerConfig } from '@libcontainer/container'
import { nsinitProfile, type SecurityLevel } from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'

const without = (...names: CapabilityName[]): CapabilityName[] =>
  ENGINE_CAPABILITIES.filter(name => !names.includes(name))

/** What the programs of each level keep. */
const capabilities: Readonly<Record<SecurityLevel, readonly CapabilityName[]>> = {
  high: ['CAP_NET_BIND_SERVICE', 'CAP_KILL', 'CAP_AUDIT_WRITE'],
  medium: without('CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SYS_CHROOT'),
  low: without('CAP_MKNOD', 'CAP_NET_RAW'),
}

/** A config with the capabilities, system calls and open files of one of nsinit's levels; all else of it survives. */
export function secure(config: ContainerConfig, level: string): ContainerConfig {
  if (!Object.hasOwn(capabilities, level))
    throw new ConfigInvalid('--security', level, `must be one of ${Object.keys(capabilities).join(', ')}`)
  const isFiles = (type: string | number): boolean => type === 'RLIMIT_NOFILE' || type === RLIMIT_NOFILE
  return {
    ...config,
    capabilities: [...capabilities[level as SecurityLevel]],
    seccomp: nsinitProfile(level as SecurityLevel),
    rlimits: [
      ...(config.rlimits ?? []).filter(({ type }) => !isFiles(type)),
      { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 },
    ],
  }
}

const RLIMIT_NOFILE = 7
