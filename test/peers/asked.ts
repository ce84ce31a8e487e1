import { type ContainerConfig, defaultMaskedPaths, defaultReadonlyPaths } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { busyboxRootfs } from '../support/index.js'

/** A container in neither library's words. */
export interface Asked {
  readonly hostname?: string
  readonly memory?: number
  readonly pids?: number
  readonly sysctl?: Readonly<Record<string, string>>
  readonly readonlyRootfs?: boolean
}

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
const files = 1024
const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm', 'HOME=/root']
const namespaces = { mnt: 'mount', pid: 'pid', ipc: 'ipc', uts: 'uts', net: 'network' }

export function inOurs(
  id: string,
  { hostname = 'peer', memory, pids, sysctl, readonlyRootfs }: Asked,
): ContainerConfig {
  return {
    rootfs: busyboxRootfs(),
    readonlyRootfs,
    hostname,
    sysctl,
    namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net'],
    mounts: defaultMounts,
    capabilities,
    seccomp: null,
    noNewPrivileges: true,
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: files, hard: files }],
    cgroups: { path: `/${id}`, memory: { max: memory }, pids: { max: pids } },
  }
}

/** OCI's config.json, which Go's libcontainer converts. */
export function inOci(id: string, { hostname = 'peer', memory, pids, sysctl, readonlyRootfs }: Asked): object {
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      env: environment,
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: files, hard: files }],
      noNewPrivileges: true,
    },
    root: { path: busyboxRootfs(), readonly: readonlyRootfs ?? false },
    hostname,
    mounts: defaultMounts,
    linux: {
      sysctl,
      cgroupsPath: `/${id}`,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: memory },
        pids: { limit: pids },
      },
      namespaces: Object.values(namespaces).map(type => ({ type })),
      maskedPaths: defaultMaskedPaths,
      readonlyPaths: defaultReadonlyPaths,
    },
  }
}
inOci.environment = environment
