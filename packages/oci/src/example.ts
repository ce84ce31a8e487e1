import { OCI_VERSION } from '@libcontainer/container'
import type { Spec, SpecMount } from './spec.js'

const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']

export interface ExampleOptions {
  /** Whether the host has cgroup v2 alone: a cgroup namespace is of use there. Default: false. */
  readonly cgroup2?: boolean | undefined
}

/** The `config.json` to begin with: a shell on a terminal, by root with three capabilities, in a read-only root filesystem. */
export function exampleSpec({ cgroup2 = false }: ExampleOptions = {}): Spec {
  const kinds = ['pid', 'network', 'ipc', 'uts', 'mount', ...(cgroup2 ? ['cgroup'] : [])]
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'lcrun',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      tmpfs('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      tmpfs('/dev/shm', 'shm', ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k']),
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
      },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: kinds.map(type => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  }
}

const tmpfs = (destination: string, source: string, options: readonly string[]): SpecMount => ({
  destination,
  type: 'tmpfs',
  source,
  options,
})

/** Whose container it becomes: the ids of the caller, which `root` of the container is outside. */
export interface RootlessIds {
  readonly uid: number
  readonly gid: number
}

/**
 * A `config.json` for somebody without privileges: in a user namespace that has one user, on the host's network and /sys, without
 * limits. What needs a second id goes: `uid=` and `gid=` of mounts.
 */
export function toRootless(spec: Spec, { uid, gid }: RootlessIds): Spec {
  const { resources: _, ...linux } = spec.linux ?? {}
  const kept = (linux.namespaces ?? []).filter(({ type }) => type !== 'network' && type !== 'user')
  return {
    ...spec,
    mounts: (spec.mounts ?? []).map(rootlessMount),
    linux: {
      ...linux,
      uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
      namespaces: [...kept, { type: 'user' }],
    },
  }
}

function rootlessMount(mount: SpecMount): SpecMount {
  // A sysfs belongs to a network namespace, which is the host's here: only its owner may mount one.
  if (mount.type === 'sysfs')
    return {
      destination: mount.destination,
      type: 'none',
      source: '/sys',
      options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
    }
  if (mount.options === undefined) return mount
  return { ...mount, options: mount.options.filter(option => !/^[ug]id=/.test(option)) }
}
