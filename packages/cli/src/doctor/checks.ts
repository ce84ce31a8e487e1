import { probe as probeAppArmor } from '@libcontainer/apparmor'
import { probe as probeCgroups } from '@libcontainer/cgroups'
import { probe as probeConsole } from '@libcontainer/console'
import { isUnprivileged } from '@libcontainer/container'
import { probe as probeDevices } from '@libcontainer/devices'
import { probe as probeInit } from '@libcontainer/init'
import { probe as probeMount } from '@libcontainer/mount'
import { findMapHelpers, probe as probeNamespaces } from '@libcontainer/namespaces'
import { probe as probeSeccomp } from '@libcontainer/seccomp'
import { probe as probeSelinux } from '@libcontainer/selinux'
import { type Availability, probe as probeSys, unavailable } from '@libcontainer/sys'
import { probe as probeUser } from '@libcontainer/user'
import { limitsRemedy } from '../shell/limits.js'
import { kernelOptions } from './kernel-options.js'
import { readQuietly } from './read-quietly.js'
import { trial } from './trial.js'

/** One thing that was looked for, and what came of it. */
export type Finding = {
  /** What it belongs to: `namespaces`. */
  readonly subject: string
  readonly name: string
  /** No container runs without it. */
  readonly needed: boolean
  /** What will not work without it. */
  readonly loses: string | undefined
} & Availability

/** What is lost without a thing; one that is not here is told of only where it is there. */
const losses: Readonly<Record<string, string>> = {
  'containers.run': 'containers',
  'kernel.kernel': 'everything',
  'kernel.sealedPrograms': 'containers: init is run from memory that nobody can write to',
  'kernel.openat2': 'nothing: paths are resolved step by step instead',
  'kernel.pidfd_getfd': 'taking descriptors from a container',
  'kernel.landlock': 'rules of Landlock',
  'namespaces.user': 'containers of an ordinary user, and maps of ids',
  'namespaces.time': 'clocks of its own in a container',
  'namespaces.cgroup': 'hiding the host’s cgroups',
  'namespaces.net': 'a network of its own',
  'namespaces.pid': 'process ids of its own',
  'namespaces.mnt': 'a root filesystem of its own',
  'namespaces.ipc': 'message queues of its own',
  'namespaces.uts': 'a hostname of its own',
  'users.subuid': 'more than one user in an ordinary user’s containers',
  'users.subgid': 'more than one group in an ordinary user’s containers',
  'users.programs': 'using the ids of /etc/subuid and /etc/subgid',
  'cgroups.memory': 'limits of memory',
  'cgroups.pids': 'limits of processes',
  'cgroups.cpu': 'shares and quotas of processors',
  'cgroups.cpuset': 'choosing processors and memory nodes',
  'cgroups.io': 'limits of disks',
  'cgroups.hugetlb': 'limits of huge pages',
  'cgroups.devices': 'rules about devices',
  'cgroups.freezer': 'pause and unpause',
  'cgroups.delegation': 'any limit, for an ordinary user',
  'mounts.mount_setattr': 'read-only binds of whole trees, and idmapped mounts',
  'mounts.overlay': 'overlays',
  'security modules.apparmor': 'profiles of AppArmor',
  'security modules.apparmor_parser': 'loading profiles of AppArmor',
  'security modules.selinux': 'labels of SELinux',
  'security modules.selinux contexts': 'labels of SELinux by default, each with categories of its own',
  'seccomp.filters': 'seccomp profiles, the default one too',
}

const needed = new Set(['containers.run', 'kernel.kernel', 'kernel.sealedPrograms'])

/** Looks for everything, and tries what can be tried. @param command - how it was asked for, to be run again */
export async function examine(command: string, stateRoot: string): Promise<Finding[]> {
  const [run, unprivileged, sys, cgroups, mounts, devices] = await Promise.all([
    trial(stateRoot),
    isUnprivileged(),
    probeSys(),
    probeCgroups(),
    probeMount(),
    probeDevices(),
  ])
  const ordinary = unprivileged && run.available
  const { delegation, rdma: _, ...controllers } = cgroups
  return [
    ...findings('containers', { run }),
    ...findings('kernel', ordinary ? inUserNamespace(sys) : sys),
    ...findings('kernel options', await kernelOptions()),
    ...findings('namespaces', await probeNamespaces()),
    ...(unprivileged ? findings('users', await lentIds()) : []),
    ...findings('cgroups', unprivileged ? await withRemedy(command, { ...controllers, delegation }) : controllers),
    // An ordinary user mounts in a user namespace, and binds devices there.
    ...findings('mounts', without(ordinary ? inUserNamespace(mounts) : mounts, 'mounts')),
    ...findings('devices', unprivileged ? without(devices, 'mknod') : devices),
    ...findings('seccomp', { filters: (await probeSeccomp()).filters }),
    // Whether this command is run at a terminal says nothing of the host.
    ...findings('terminals', without(await probeConsole(), 'terminal')),
    ...findings('init', await probeInit()),
    ...findings('security modules', await securityModules()),
  ]
}

type Answers = Readonly<Record<string, Availability>>

/** What was refused for want of privilege alone is there for who has it, and in a user namespace, where a container has just run, everybody has. */
function inUserNamespace(probe: Answers): Answers {
  const inside: Availability = { available: true, detail: 'in a user namespace' }
  return Object.fromEntries(
    Object.entries(probe).map(([name, found]) => [
      name,
      !found.available && found.reason.startsWith('EPERM') ? inside : found,
    ]),
  )
}

/** What an ordinary user does not get of cgroups comes by one line for all of it. */
async function withRemedy(command: string, probe: Answers): Promise<Answers> {
  const hint = await limitsRemedy(command)
  return Object.fromEntries(
    Object.entries(probe).map(([name, found]) => [
      name,
      found.available || found.hint === undefined ? found : unavailable(found.reason, hint),
    ]),
  )
}

/** Root needs none of these. */
async function lentIds(): Promise<Answers> {
  const { user, subuid, subgid } = await probeUser()
  const name = user.available ? user.detail : undefined
  const lend = (found: Availability): Availability => {
    if (found.available) return found
    if (name === undefined) return unavailable('this user has no entry in /etc/passwd, and no name to lend ids to')
    const range = '100000-165535'
    return unavailable(found.reason, `sudo usermod --add-subuids ${range} --add-subgids ${range} ${name}`)
  }
  return { subuid: lend(subuid), subgid: lend(subgid), programs: await mapPrograms() }
}

function findings(subject: string, probe: Answers): Finding[] {
  return Object.entries(probe).map(([name, found]) => {
    const key = `${subject}.${name}`
    return { subject, name, needed: needed.has(key), loses: losses[key], ...found }
  })
}

function without(probe: Answers, left: string): Answers {
  return Object.fromEntries(Object.entries(probe).filter(([name]) => name !== left))
}

async function mapPrograms(): Promise<Availability> {
  const found = await findMapHelpers()
  if (found !== undefined) return { available: true, detail: `${found.newuidmap}, ${found.newgidmap}` }
  return unavailable('newuidmap and newgidmap are not installed', 'sudo apt-get install uidmap')
}

/** Those that the kernel has switched on, and whether what has a package here can be used. */
async function securityModules(): Promise<Answers> {
  const text = await readQuietly('/sys/kernel/security/lsm')
  const on = text?.trim().split(',') ?? []
  const [{ apparmor, parser }, { selinux, contexts }] = await Promise.all([probeAppArmor(), probeSelinux()])
  return {
    ...Object.fromEntries(on.map(name => [name, { available: true }])),
    apparmor,
    ...(apparmor.available ? { apparmor_parser: parser } : {}),
    selinux,
    ...(selinux.available ? { 'selinux contexts': contexts } : {}),
  }
}
