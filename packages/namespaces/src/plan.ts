import { type Arg, type Step, slot } from '@libcontainer/sys'
import { flagsOf, kindsOf, type NamespaceKind } from './kinds.js'
import type { NamespaceSet } from './set.js'
import {
  becomeRootStep,
  joinNamespacesStep,
  joinOrder,
  openNamespaceStep,
  setProcessNamespacesStep,
  timeOffsetsStep,
  unshareStep,
} from './steps.js'
import { hasTimeOffsets } from './time-offsets.js'
import { type NamespacesConfig, validateNamespaces } from './validate.js'

/** What the order depends on and only the kernel knows. */
export interface NamespaceFacts {
  /** All cgroups are joined by the clone itself (pure cgroup2, CLONE_INTO_CGROUP): it may carry NEWCGROUP. Default: `false`. */
  readonly bornInCgroup?: boolean | undefined
  /** An exec enters the time namespace that was unshared (newer kernels): no second clone for it. Default: `false`. */
  readonly execEntersTime?: boolean | undefined
  /** Of the new ones those that somebody else makes, by descriptors that init gets. Default: none. */
  readonly there?: ReadonlyMap<NamespaceKind, Arg> | undefined
}

/**
 * How a container gets its namespaces: by the first clone, by steps of init in four phases, and by a second clone.
 *
 * In order: clone; `enter`; where `needsMaps` the parent writes the id maps; `become`; `create`; the parent joins the cgroups; `late`;
 * where `offsetsByParent` the parent writes the clocks; where `needsSecondClone` init clones again (CLONE_PARENT), and the rest is the child's.
 */
export interface NamespacePlan {
  /** The `CLONE_NEW…` flags of the first clone. */
  readonly cloneFlags: number
  /** The first clone makes a user namespace: its child must make its capabilities ambient, or exec takes them (see capabilities(7)). */
  readonly clonesUser: boolean
  /** Joins, and a user namespace that could not be made before them. */
  readonly enter: readonly Step[]
  /** Joins those that somebody else makes: at any time when they are there, and before anything that looks at them. */
  readonly there: readonly Step[]
  /** There is a new user namespace after `enter`: init waits until the parent has written its maps. */
  readonly needsMaps: boolean
  /** Root of the user namespace. */
  readonly become: readonly Step[]
  /** What only root of it may make. */
  readonly create: readonly Step[]
  /** What waits until all cgroups are joined, and what comes last. */
  readonly late: readonly Step[]
  /** The clocks lie in files of the host's root, which init of a user namespace may not write: the parent does, after `late`. */
  readonly offsetsByParent: boolean
  /** Init has to clone once more: a process enters a pid namespace, and on some kernels a time namespace, only when it is born. */
  readonly needsSecondClone: boolean
  /** The kinds that `late` makes. */
  readonly unshareLater: readonly NamespaceKind[]
}

/** Plans the namespaces of a container. Pure; throws `ConfigInvalid` for what {@link validateNamespaces} refuses. */
export function planNamespaces(config: NamespacesConfig, facts: NamespaceFacts = {}): NamespacePlan {
  const set = validateNamespaces(config)
  const { there = new Map<NamespaceKind, Arg>() } = facts
  const made = kindsOf(set.cloneFlags()).filter(kind => !there.has(kind))
  const joined = joinOrder.filter(kind => set.isJoined(kind))
  const makesUser = set.isPrivate('user')
  const joinsUser = set.isJoined('user')

  const needsSecondClone =
    set.isJoined('pid') ||
    (set.isPrivate('pid') && joinsUser) ||
    (set.isPrivate('time') && !facts.execEntersTime) ||
    (makesUser && joined.length > 0 && set.isPrivate('pid'))

  // In a user namespace of its own nobody may join what belongs to another, and what is made before one is joined is not owned by it.
  const byClone = !(joinsUser || (makesUser && joined.length > 0))
  const late = made.filter(kind => waits(kind, { byClone, needsSecondClone, ...facts }))
  const first = made.filter(kind => !late.includes(kind))
  const cloned = byClone ? first : []
  const byInit = byClone ? [] : first.filter(kind => kind !== 'user')

  const offsets = hasTimeOffsets(config.timeOffsets) ? config.timeOffsets : undefined
  const user = makesUser || joinsUser

  return {
    cloneFlags: flagsOf(cloned),
    clonesUser: cloned.includes('user'),
    enter: [
      ...joins(set, joinsUser ? ['user', ...joined] : joined),
      ...(makesUser && !byClone ? [unshareStep(['user'])] : []),
    ],
    there: there.size > 0 ? [joinNamespacesStep(there)] : [],
    needsMaps: makesUser,
    become: user ? [becomeRootStep()] : [],
    create: byInit.length > 0 ? [unshareStep(byInit)] : [],
    late: [...late.map(kind => unshareStep([kind])), ...(offsets && !user ? [timeOffsetsStep(offsets)] : [])],
    offsetsByParent: offsets !== undefined && user,
    needsSecondClone,
    unshareLater: late,
  }
}

interface Circumstances extends NamespaceFacts {
  readonly byClone: boolean
  readonly needsSecondClone: boolean
}

/** Whether a new namespace of this kind is made only in `late`. */
function waits(kind: NamespaceKind, { byClone, needsSecondClone, bornInCgroup }: Circumstances): boolean {
  switch (kind) {
    // Its offsets would be frozen by a clone.
    case 'time':
      return true
    // Its root is the cgroup of the moment.
    case 'cgroup':
      return !(byClone && bornInCgroup)
    // Its first process must be the child of the second clone, which it could not make itself: CLONE_PARENT is EINVAL for pid 1.
    case 'pid':
      return needsSecondClone
    default:
      return false
  }
}

const slotOf = (kind: NamespaceKind): string => `namespace.${kind}`

/** All are opened before any is joined: afterwards their paths may mean something else, or nothing. */
function joins(set: NamespaceSet, kinds: readonly NamespaceKind[]): Step[] {
  if (kinds.length === 0) return []
  const paths = new Map(kinds.map(kind => [kind, set.pathOf(kind)!]))
  const opens = kinds.map(kind => openNamespaceStep(kind, paths.get(kind)!, slotOf(kind)))
  return [...opens, joinNamespacesStep(new Map(kinds.map(kind => [kind, slot(slotOf(kind))])), paths)]
}

/** How a process joins those of another. */
export interface ProcessJoinPlan {
  /** One setns for all, then root of the user namespace if that was among them. */
  readonly steps: readonly Step[]
  /** Among them is the pid namespace, into which one is only born. */
  readonly needsSecondClone: boolean
}

/**
 * Plans joining namespaces of a process by its pidfd: for running a further program in a container.
 *
 * @param kinds - those that differ from ours, as `joinTarget` finds them: the kernel refuses to join the user namespace that one is in
 */
export function planProcessJoin(pidfd: Arg, kinds: readonly NamespaceKind[]): ProcessJoinPlan {
  if (kinds.length === 0) return { steps: [], needsSecondClone: false }
  const steps = [setProcessNamespacesStep(pidfd, kinds)]
  if (kinds.includes('user')) steps.push(becomeRootStep())
  return { steps, needsSecondClone: kinds.includes('pid') }
}
