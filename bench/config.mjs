// One container, told in everybody's words: the same namespaces, mounts, devices, limits, capabilities and filter.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultMaskedPaths, defaultReadonlyPaths } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { defaultProfile } from '@libcontainer/seccomp'
import { top } from '../scripts/quietly.mjs'

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
const hostname = 'bench'
const MiB = 1024 * 1024
const limits = { memory: 64 * MiB, pids: 32, cpuQuotaUs: 100_000, cpuPeriodUs: 100_000, files: 1024 }

export const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm']

/** For `@libcontainer/container`. */
export function ours({ rootfs, cgroup, seccomp, volumes = [] }) {
  return {
    rootfs,
    hostname,
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net'],
    mounts: volumes.length === 0 ? defaultMounts : [...defaultMounts, ...volumes],
    maskedPaths: defaultMaskedPaths,
    readonlyPaths: defaultReadonlyPaths,
    capabilities,
    noNewPrivileges: true,
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: limits.files, hard: limits.files }],
    cgroups: {
      path: cgroup,
      memory: { max: limits.memory },
      pids: { max: limits.pids },
      cpu: { quotaUs: limits.cpuQuotaUs, periodUs: limits.cpuPeriodUs },
    },
    // The default profile is what is used where nothing is said.
    ...(seccomp === 'none' ? { seccomp: null } : {}),
  }
}

/** So many mounts, as an engine makes them of volumes: directories of the host below a tmpfs, each read-only. */
export const volumesOf = (source, count) => [
  { destination: '/mnt', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755', 'size=1m'] },
  ...Array.from({ length: count - 1 }, (_, i) => ({
    destination: `/mnt/volume-${i}`,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', 'ro', 'nosuid', 'nodev'],
  })),
]

/** OCI's config.json, for crun, runc and, through their conversion, Go's libcontainer. */
export function oci({ rootfs, cgroup, seccomp, args, volumes = [] }) {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: environment,
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: limits.files, hard: limits.files }],
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: false },
    hostname,
    mounts: [...defaultMounts, ...volumes],
    linux: {
      cgroupsPath: cgroup,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: limits.memory },
        pids: { limit: limits.pids },
        cpu: { quota: limits.cpuQuotaUs, period: limits.cpuPeriodUs },
      },
      namespaces: ['mount', 'pid', 'ipc', 'uts', 'network'].map(type => ({ type })),
      maskedPaths: defaultMaskedPaths,
      readonlyPaths: defaultReadonlyPaths,
      ...(seccomp === 'none' ? {} : { seccomp: seccomp === 'default' ? defaultProfile({ capabilities }) : seccomp }),
    },
  }
}

/** What docker hands to a runtime for a container that asks for nothing: of the bundle among the tests. */
export function dockerProfile() {
  return JSON.parse(readFileSync(join(top, 'test/bundles/docker.json'), 'utf8')).linux.seccomp
}
