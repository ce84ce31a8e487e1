import type { ApplyOptions, Step } from '@libcontainer/sys'
import type { CgroupHost } from './host/host.js'
import { fileIn, listOf, type Place } from './host/place.js'
import type { Limits } from './limits/limits.js'
import { limitedControllers, type Planned, type PlannedWrite } from './limits/plan.js'
import { unifiedControllers } from './limits/unified.js'
import { native } from './native.js'

/** The slot in which the step for a place leaves how many directories it made. */
export const madeSlot = (place: Place): string => `made ${place.hierarchy.mountpoint}`

export interface MakeOptions {
  /** Whether the cgroup may be there already. Default: `false` */
  readonly existing?: boolean | undefined
}

interface Handing {
  /** Whether the parents hand their controllers on. Default: `true` */
  readonly handsOn?: boolean
}

/** The steps that make a cgroup's directories, one for each hierarchy; the first that exists already ends the plan. */
export function makeSteps(
  host: CgroupHost,
  places: readonly Place[],
  limits: Limits,
  options: MakeOptions & Handing = {},
): Step[] {
  const { existing = false, handsOn = true } = options
  return places.map(place => {
    const { hierarchy, directory, path } = place
    const controllers = handsOn ? enabled(host, place, limits) : ''
    const prefix = hierarchy.noPrefix ? '' : 'cpuset.'
    const inherited =
      hierarchy.version === 1 && hierarchy.controllers.includes('cpuset') ? `${prefix}cpus ${prefix}mems` : ''
    return {
      op: 'makeCgroup',
      args: [hierarchy.mountpoint, path, controllers, inherited, flagsOf(place, limits, existing)],
      about: `make the cgroup ${directory}`,
      path: directory,
      hints: makeHints,
      into: madeSlot(place),
    }
  })
}

const MUST_BE_NEW = 1
const HAS_TYPE = 2
const NEEDS_DOMAIN = 4

/** Controllers that count for processes, not for threads: a threaded cgroup has none of them. */
const domainControllers: readonly string[] = ['memory', 'io', 'hugetlb', 'rdma', 'misc']

function flagsOf({ hierarchy }: Place, limits: Limits, existing: boolean): number {
  const isNew = existing ? 0 : MUST_BE_NEW
  if (hierarchy.version === 1) return isNew
  const wanted = wantedControllers(limits)
  const needsDomain = domainControllers.some(name => hierarchy.controllers.includes(name) && wanted.includes(name))
  return isNew | HAS_TYPE | (needsDomain ? NEEDS_DOMAIN : 0)
}

function wantedControllers(limits: Limits): string[] {
  const { unified } = limits
  return [...limitedControllers(limits), ...(unified === undefined ? [] : unifiedControllers(unified))]
}

/**
 * Which controllers the parents hand on. On a pure v2 host all of them; on a hybrid one only what a limit asks for, since a cgroup
 * that hands on controllers may have no processes of its own.
 */
function enabled(host: CgroupHost, { hierarchy }: Place, limits: Limits): string {
  if (hierarchy.version === 1) return ''
  const wanted = wantedControllers(limits)
  const names = host.mode === 'v2' ? hierarchy.controllers : hierarchy.controllers.filter(name => wanted.includes(name))
  return names.map(name => `+${name}`).join(' ')
}

const delegated =
  "it needs root, or a cgroup that this user has been given: run below 'systemd-run --user --scope -p Delegate=yes'"

const makeHints = {
  EEXIST: 'Cgroup.open() takes it over, destroy() of what that answers removes it',
  EACCES: delegated,
  EPERM: delegated,
  EROFS: 'the cgroup file system is mounted read-only: mount it writable',
  EOPNOTSUPP:
    'the cgroup above is threaded (see its cgroup.type), and what is below takes no limits of memory, io, hugetlb, rdma and misc: make it elsewhere',
  EAGAIN: 'cgroup.max.depth or cgroup.max.descendants of a parent does not let any more cgroups be',
}

/** The step that goes on where no hierarchy has this cgroup; else `EEXIST`. */
export const absentStep = (places: readonly Place[]): Step => ({
  op: 'confirmNoCgroups',
  args: [listOf(places)],
  about: `see that there is no cgroup ${places[0]?.path ?? ''}`,
  path: places[0]?.directory,
})

/** The step that removes a cgroup with all below it; `EBUSY` where processes are in it. Gone already is fine. */
export const removeStep = (places: readonly Place[]): Step => ({
  op: 'removeCgroups',
  args: [listOf(places)],
  about: `remove the cgroup ${places[0]?.path ?? ''}`,
  path: places[0]?.directory,
  hints: { EBUSY: 'there are processes in it: kill() ends them, processes() lists them' },
})

/** Applies steps of this package and of sys' files in order: one call off the thread for all of them. */
export async function applyToCgroups(steps: readonly Step[], options?: ApplyOptions): Promise<void> {
  await native.apply(steps, options)
}

/** The steps that write planned limits. */
export function limitSteps(planned: readonly Planned[]): Step[] {
  return planned.flatMap(act => {
    if ('program' in act) return [programStep(act)]
    return act.confirm ? [writeStep(act), confirmStep(act)] : [writeStep(act)]
  })
}

/** Planned to be written where it must be, and otherwise in other words. */
function writeStep(act: PlannedWrite): Step {
  const { skip = [], otherwise } = act
  const onError: Record<string, Step | 'skip'> = Object.fromEntries(skip.map(errno => [errno, 'skip' as const]))
  if (otherwise !== undefined) onError.ENOENT = plainWrite({ ...act, ...otherwise })
  return { ...plainWrite(act), onError: Object.keys(onError).length === 0 ? undefined : onError }
}

function confirmStep({ place, file, value }: PlannedWrite): Step {
  return {
    op: 'confirmCgroup',
    args: [place.hierarchy.mountpoint, fileIn(place, file), value],
    about: `see that ${file} is '${value}'`,
    path: `${place.directory}/${file}`,
    hints: { EOPNOTSUPP: confirmHints[file] ?? 'this kernel takes the value and does not obey it' },
  }
}

const confirmHints: Readonly<Record<string, string>> = {
  'memory.kmem.limit_in_bytes':
    'since Linux 5.16 the memory of the kernel has no limit of its own: leave kernelMax out',
  'cpuset.cpus.partition': 'the parent must be a root of a partition itself, and no sibling may have these processors',
}

function plainWrite({ controller, place, file, value }: PlannedWrite): Step {
  const lines = value.split('\n').length
  return {
    op: 'writeCgroup',
    args: [place.hierarchy.mountpoint, fileIn(place, file), value],
    about: lines === 1 ? `write '${value}' to ${file}` : `write ${lines} lines to ${file}`,
    path: `${place.directory}/${file}`,
    hints: writeHints(controller, place),
  }
}

function programStep({ place, policy, program }: Extract<Planned, { program: unknown }>): Step {
  const count = policy.exceptions.length
  const verdict = policy.allowsByDefault ? 'allows all devices' : 'denies all devices'
  return {
    op: 'attachDeviceProgram',
    args: [place.hierarchy.mountpoint, place.path, program],
    about: `attach a device program that ${verdict}${count === 0 ? '' : ` but for ${count}`}`,
    path: place.directory,
    hints: {
      EPERM:
        'bpf(2) needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN: an ordinary user cannot limit devices on cgroup v2',
      EINVAL: 'the kernel needs CONFIG_CGROUP_BPF',
      ENOSYS: 'the kernel needs CONFIG_BPF_SYSCALL',
    },
  }
}

const hintCache = new Map<string, Readonly<Record<string, string>>>()

function writeHints(controller: string, { hierarchy }: Place): Readonly<Record<string, string>> {
  const key = `${hierarchy.version} ${controller}`
  const known = hintCache.get(key)
  if (known !== undefined) return known
  const hints: Record<string, string> = {
    ENOENT:
      hierarchy.version === 2
        ? `the parent does not hand on the ${controller} controller (echo +${controller} > cgroup.subtree_control there), or the kernel is too old for this file`
        : 'this kernel has no such file: it is too old, or was booted without the feature (swapaccount=1 for memsw)',
    EACCES: delegated,
    EPERM: controller === 'devices' ? 'the parent cgroup does not allow this device' : delegated,
    ...(extraHints[controller] ?? {}),
  }
  hintCache.set(key, hints)
  return hints
}

const disks = {
  ENODEV: 'there is no such block device, or it is a partition: limits are of whole disks (lsblk)',
  ENOENT:
    'no scheduler with weights is there (weights need BFQ: modprobe bfq; or CONFIG_BLK_CGROUP_IOCOST), or the parent does not hand the controller on',
  EOPNOTSUPP: 'the disk has another scheduler: echo bfq > /sys/block/NAME/queue/scheduler',
}

const extraHints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  io: disks,
  blkio: { ...disks, ENOENT: `${disks.ENOENT}; CFQ's leaf_weight went with Linux 5.0` },
  hugetlb: {
    ENOENT:
      'this machine has no huge pages of this size (ls /sys/kernel/mm/hugepages), or the parent does not hand on hugetlb',
  },
  rdma: { ENODEV: 'there is no such RDMA device: ls /sys/class/infiniband' },
  misc: { EINVAL: 'misc.capacity at the top lists the resources that this machine has' },
  net_prio: { ENODEV: 'there is no such network interface in this network namespace' },
  memory: {
    EOPNOTSUPP: confirmHints['memory.kmem.limit_in_bytes']!,
    EBUSY: 'more than that is in use and cannot be reclaimed',
  },
  cpu: {
    EINVAL:
      'a quota and a period lie between 1000 and 1000000 us, a burst is at most the quota, and no parent may be exceeded',
  },
  cpuset: {
    EINVAL: 'the parent cgroup or the machine lacks one of these processors or nodes',
    ERANGE: 'the kernel is built for fewer processors',
    EACCES: 'the parent cgroup lacks one of these processors or nodes',
    ENOSPC: 'processes or child cgroups still need what would be taken away',
    EBUSY: 'a child cgroup still uses what would be taken away',
  },
}

/**
 * The step by which a process moves itself into a cgroup's v1 hierarchies: for `init`, which is alone in its process.
 *
 * A thread that moves itself waits for nobody, while moving another process may wait some 10 ms for a grace period of RCU. The unified
 * hierarchy is entered at birth (`CLONE_INTO_CGROUP`), or here with `unified`.
 */
export function joinSelfSteps(places: readonly Place[], { unified = false }: { unified?: boolean } = {}): Step[] {
  const joined = places.filter(({ hierarchy }) => hierarchy.version === 1 || unified)
  return joined.length === 0
    ? []
    : [joinStep(0, joined, ({ hierarchy }) => (hierarchy.version === 1 ? 'tasks' : PROCS))]
}

/** The steps by which a process is moved by another: all hierarchies back to back, each by its name in an error. */
export const joinSteps = (pid: number, places: readonly Place[]): Step[] =>
  places.map(place => joinStep(pid, [place], () => PROCS))

/** The steps by which a single thread is moved. */
export const joinThreadSteps = (tid: number, places: readonly Place[]): Step[] =>
  places.map(place =>
    joinStep(tid, [place], ({ hierarchy }) => (hierarchy.version === 1 ? 'tasks' : 'cgroup.threads'), 'thread'),
  )

const PROCS = 'cgroup.procs'

function joinStep(pid: number, places: readonly Place[], file: (place: Place) => string, what = 'process'): Step {
  const [first] = places
  return {
    op: 'joinCgroups',
    args: [pid, listOf(places, file)],
    about: `move ${pid === 0 ? 'this process' : `${what} ${pid}`} into the cgroup ${first?.directory ?? ''}${places.length > 1 ? ` and ${places.length - 1} more` : ''}`,
    // Of several, the op itself says which.
    path: first === undefined || places.length > 1 ? undefined : `${first.directory}/${file(first)}`,
    hints: {
      EBUSY: 'a cgroup v2 that hands controllers on to children takes no processes: use a child of it',
      EOPNOTSUPP: 'the cgroup is threaded or "domain invalid": see its cgroup.type',
      ENOSPC: 'the cpuset has no processors or no memory nodes',
      ESRCH: `the ${what} has ended`,
      EACCES: delegated,
      EPERM: delegated,
    },
  }
}
