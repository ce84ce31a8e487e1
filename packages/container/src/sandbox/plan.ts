import { type ContainerFile, cleanPath, defaultMounts, type Mount } from '@libcontainer/mount'
import type { ContainerConfig } from '../config/config.js'
import { withMappedIds } from '../config/mapped-ids.js'
import type { SandboxFacts } from './facts.js'
import { bindOf, checkSandbox, kindsOf, type SandboxBind, type SandboxOptions } from './options.js'

/**
 * The config of a sandbox: an empty root in memory, read-only when all is in it; binds of the host without devices and set-user-ID programs; /proc, and a
 * /dev of its own; no capability, none to be gained, no further user namespaces, the default filter of system calls; and an end when this process ends. Pure.
 *
 * @throws {ConfigInvalid} for options that cannot be
 */
export function planSandbox(options: SandboxOptions, facts: SandboxFacts): ContainerConfig {
  checkSandbox(options)
  const { tmpfs = [], files = [], hostname = 'sandbox', limits, config } = options
  const kinds = kindsOf(options)
  const maps = kinds.includes('user')
    ? {
        uidMappings: [{ containerId: 0, hostId: facts.uid, size: 1 }],
        gidMappings: [{ containerId: 0, hostId: facts.gid, size: 1 }],
      }
    : {}
  const mounts = inOrder([
    ...(kinds.includes('user') ? OWN.map(mount => withMappedIds(mount, maps)) : OWN),
    ...bindsOf(options, facts),
    ...tmpfs.map(memory),
    ...(options.mounts ?? []),
  ])
  const covered = (path: string): boolean =>
    mounts.some(({ destination }) => isWithin(path, cleanPath(destination))) ||
    files.some(file => cleanPath(file.path) === path)
  return {
    rootfs: facts.rootfs,
    rootTmpfs: ['size=16m'],
    readonlyRootfs: true,
    namespaces: kinds,
    ...maps,
    ...(kinds.includes('uts') ? { hostname } : {}),
    mounts,
    files: [...linksOf(mounts, files, facts), ...users(tmpfs[0] ?? '/').filter(({ path }) => !covered(path)), ...files],
    ...(limits === undefined ? {} : { cgroups: limits }),
    capabilities: [],
    noNewPrivileges: true,
    disableUserNamespaces: true,
    parentDeathSignal: 'SIGKILL',
    ...config,
  }
}

/** Of what every container has, what programs cannot do without. */
const OWN = defaultMounts.filter(({ destination }) => ['/proc', '/dev', '/dev/pts', '/dev/shm'].includes(destination))

function bindsOf({ ro = [], rw = [], share = [] }: SandboxOptions, facts: SandboxFacts): Mount[] {
  const read = ro.map((bind, i) => bindMount(bind, `ro[${i}]`, facts, ['ro'], ['rro']))
  const written = rw.map((bind, i) => bindMount(bind, `rw[${i}]`, facts, [], []))
  const names = share.includes('net')
    ? facts.networkFiles
        .filter(path => ![...read, ...written].some(({ destination }) => isWithin(path, destination)))
        .map(path => bindMount(path, path, facts, ['ro'], ['rro']))
    : []
  return [...read, ...written, ...names]
}

/** With all that is mounted below it, where something is: to be strict with that, too, takes Linux 5.12. */
function bindMount(
  bind: SandboxBind,
  field: string,
  { mountPoints }: SandboxFacts,
  plain: readonly string[],
  recursive: readonly string[],
): Mount {
  const { source, destination } = bindOf(bind, field)
  const options = mountPoints.some(point => point !== source && isWithin(point, source))
    ? ['rbind', 'rnosuid', 'rnodev', ...recursive]
    : ['bind', 'nosuid', 'nodev', ...plain]
  return { destination, type: 'bind', source, options }
}

const memory = (path: string): Mount => ({
  destination: cleanPath(path),
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'nodev', 'mode=1777'],
})

/** What is above goes first, whatever was said first: else it would cover what is below. */
const inOrder = (mounts: readonly Mount[]): Mount[] =>
  mounts
    .map(mount => [cleanPath(mount.destination).split('/').length, mount] as const)
    .sort(([a], [b]) => a - b)
    .map(([, mount]) => mount)

/** Links of the host's top whose end is in the sandbox, at its own path. */
function linksOf(mounts: readonly Mount[], files: readonly ContainerFile[], { links }: SandboxFacts): ContainerFile[] {
  const binds = mounts.filter(({ type, source, destination }) => type === 'bind' && source === destination)
  const taken = new Set(
    [...mounts.map(({ destination }) => destination), ...files.map(({ path }) => path)].map(cleanPath),
  )
  return links
    .filter(([path, target]) => {
      const end = cleanPath(target.startsWith('/') ? target : `/${target}`)
      return !taken.has(path) && binds.some(({ destination }) => isWithin(end, destination))
    })
    .map(([path, target]) => ({ path, target }))
}

/** By which programs find out who they are. @param home - a directory that may be written to, if there is one */
const users = (home: string): ContainerFile[] => [
  {
    path: '/etc/passwd',
    content: `root:x:0:0:root:${cleanPath(home)}:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n`,
  },
  { path: '/etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
]

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)
