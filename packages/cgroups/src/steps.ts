import type { ApplyOptions, Step } from '@libcontainer/sys'
import { type CgroupHost, hierarchyOf } from './host.js'
import type { Limits } from './limits.js'
import { native } from './native.js'
import { fileIn, listOf, type Place } from './place.js'
import type { Planned } from './plan.js'
import { unifiedControllers } from './unified.js'

/** The slot in which the step for a place leaves how many directories it made. */
export const madeSlot = (place: Place): string => `made ${place.hierarchy.mountpoint}`

export interface MakeOptions {
  /** Whether the cgroup may be there already. Default: `false` */
  readonly existing?: boolean | undefined
}

/** The steps that make a cgroup's directories, one for each hierarchy; the first that exists already ends the plan. */
export function makeSteps(
  host: CgroupHost,
  places: readonly Place[],
  limits: Limits,
  options: MakeOptions = {},
): Step[] {
  const { existing = false } = options
  return places.map(place => {
    const { hierarchy, directory, path } = place
    const prefix = hierarchy.noPrefix ? '' : 'cpuset.'
    const inherited =
      hierarchy.version === 1 && hierarchy.controllers.includes('cpuset') ? `${prefix}cpus ${prefix}mems` : ''
    return {
      op: 'makeCgroup',
      args: [hierarchy.mountpoint, path, enabled(host, place, limits), inherited, existing ? 0 : 1],
      about: `make the cgroup ${directory}`,
      path: directory,
      hints: makeHints,
      into: madeSlot(place),
    }
  })
}

/**
 * Which controllers the parents hand on. On a pure v2 host all of them; on a hybrid one only what a limit asks for, since a cgroup
 * that hands on controllers may have no processes of its own.
 */
function enabled(host: CgroupHost, { hierarchy }: Place, { unified, hugetlb }: Limits): string {
  if (hierarchy.version === 1) return ''
  const wanted = unified === undefined ? [] : unifiedControllers(unified)
  if (hugetlb !== undefined) wanted.push('hugetlb')
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
  return planned.map(act => ('program' in act ? programStep(act) : writeStep(act)))
}

function writeStep({ controller, place, file, value, skip }: Exclude<Planned, { program: unknown }>): Step {
  const lines = value.split('\n').length
  return {
    op: 'writeCgroup',
    args: [place.hierarchy.mountpoint, fileIn(place, file), value],
    about: lines === 1 ? `write '${value}' to ${file}` : `write ${lines} lines to ${file}`,
    path: `${place.directory}/${file}`,
    hints: writeHints(controller, place),
    onError: skip && Object.fromEntries(skip.map(errno => [errno, 'skip' as const])),
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

const extraHints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  memory: { EBUSY: 'more than that is in use and cannot be reclaimed' },
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

/** The step by which a process is moved by another: all hierarchies back to back. */
export const joinSteps = (pid: number, places: readonly Place[]): Step[] => [joinStep(pid, places, () => PROCS)]

const PROCS = 'cgroup.procs'

function joinStep(pid: number, places: readonly Place[], file: (place: Place) => string): Step {
  const [first] = places
  return {
    op: 'joinCgroups',
    args: [pid, listOf(places, file)],
    about: `move ${pid === 0 ? 'this process' : `process ${pid}`} into the cgroup ${first?.directory ?? ''}${places.length > 1 ? ` and ${places.length - 1} more` : ''}`,
    hints: {
      EBUSY: 'a cgroup v2 that hands controllers on to children takes no processes: use a child of it',
      EOPNOTSUPP: 'the cgroup is threaded or "domain invalid": see its cgroup.type',
      ENOSPC: 'the cpuset has no processors or no memory nodes',
      ESRCH: 'the process has ended',
      EACCES: delegated,
      EPERM: delegated,
    },
  }
}

/** Whether a hierarchy has a controller, for callers that choose a file. */
export const placeOf = (host: CgroupHost, places: readonly Place[], controller: string): Place | undefined => {
  const hierarchy = hierarchyOf(host, controller)
  return hierarchy && places.find(place => place.hierarchy === hierarchy)
}
