import { type Arg, ConfigInvalid, labelFileStep, nulTerminated, type Step, slot } from '@libcontainer/sys'
import { filesystemWords, namedChange, newAttributes, packAttributes } from './attributes.js'
import { bindWords } from './bind-words.js'
import { type CgroupMounts, cgroupSteps } from './cgroup-mounts.js'
import { mountDetail } from './flag-names.js'
import { HOW, MOUNT_ATTR, MS } from './flags.js'
import { labelledData } from './labels.js'
import type { OpenedMounts } from './masks.js'
import { type CheckedMount, checkMounts, type Mount, mayCoverProc } from './mount.js'
import type { AttributeChange } from './options.js'
import { packPropagation } from './propagation.js'

export interface MountStepsOptions {
  /** The container's root directory. Default: the slot `root`, which {@link prepareRootSteps} fills. */
  root?: Arg | undefined
  /** The mounts are made in a user namespace of the container's own, where the kernel refuses some that have a stand-in. Default: `false`. */
  userns?: boolean | undefined
  /** The container has a pid namespace of its own: the host's /proc is then no stand-in for one that the kernel refuses. Default: `true`. */
  pidns?: boolean | undefined
  /**
   * The kernel may have locked flags of a bind's source, as it does where this process or the container is in a user namespace: those that nobody named
   * are kept then. Default: `true`.
   */
  locked?: boolean | undefined
  /** What mounts of type `cgroup` show. */
  cgroups?: CgroupMounts | undefined
  /**
   * Others look on already, as in a container that runs: each mount has its attributes from the first moment that it is seen. Nothing is filled later, and no
   * {@link lateReadonlySteps} are due. Before Linux 5.12 what cannot be made so is refused (`ENOSYS`). Default: `false`.
   */
  live?: boolean | undefined
  /** Detached trees for binds whose source init could not open itself, by the mount's place in the list; a bind whose ids are mapped needs one: see {@link sourceSteps}. */
  trees?: ReadonlyMap<number, Arg> | undefined
  /** SELinux's label of what the new file systems hold; those that are the kernel's own keep theirs. Default: none. */
  label?: string | undefined
  /** Leaves these open, each in its slot. Default: none. */
  opened?: OpenedMounts | undefined
  /** Steps of the caller's before and after those of a mount, by its place in the list. */
  around?: ((place: number) => AroundMount) | undefined
  /** What `mounts` is called in errors. Default: `mounts`. */
  field?: string | undefined
  /** Told of what is odd but has a meaning. */
  warn?: ((message: string) => void) | undefined
}

export interface AroundMount {
  readonly before?: readonly Step[] | undefined
  readonly after?: readonly Step[] | undefined
  /** The slot in which the root of the mount stays open, unless {@link MountStepsOptions.opened} has one. Default: none. */
  readonly into?: string | undefined
}

/** Their superblock is one that others use too: a read-only one is not theirs to ask for. */
const sharedTypes = new Set(['sysfs', 'cgroup2', 'mqueue', 'proc', 'devpts'])

/**
 * The steps that make a container's mounts, in order; each destination is resolved beneath the root when its turn comes.
 * Before the root is pivoted to, since binds take their sources from the host.
 *
 * Follow with {@link lateReadonlySteps} once the mounts have been filled.
 *
 * @throws {ConfigInvalid} naming the mount and its field
 */
export function mountSteps(mounts: readonly Mount[], options: MountStepsOptions = {}): Step[] {
  const { field = 'mounts', warn, around } = options
  return checkMounts(mounts, field, warn).flatMap((mount, i) => {
    if (around === undefined) return stepsOf(mount, options, i)
    const { before = [], after = [], into } = around(i)
    return [...before, ...stepsOf(mount, options, i, into), ...after]
  })
}

function stepsOf(checked: CheckedMount, options: MountStepsOptions, i: number, asked?: string): Step[] {
  const { root = slot('root') } = options
  const into = options.opened?.get(checked.destination)?.slot ?? asked
  if (checked.kind === 'bind') return [keptOpen(bindStep(checked, root, options.trees?.get(i), options), into)]
  if (checked.kind === 'remount') return [remountStep(checked, root)]
  if (checked.kind === 'filesystem') return filesystemSteps(checked, root, options, into)
  if (options.cgroups !== undefined) return cgroupSteps(checked, root, options.cgroups, options.label)
  throw new ConfigInvalid(`${checked.field}.type`, 'cgroup', 'needs the cgroups of the container')
}

/** Where the ops that can leave what they mount open have their flags. */
const FLAGS_AT: Readonly<Record<string, number>> = { mountFilesystem: 6, bindMount: 4 }

/** The same step, the root of whose mount stays open in a slot. */
function keptOpen(step: Step, into: string | undefined): Step {
  if (into === undefined) return step
  const args = step.args.map((arg, i) => (i === FLAGS_AT[step.op] ? Number(arg) | HOW.KEEP : arg))
  const instead = Object.entries(step.onError ?? {}).map(([errno, other]) => [
    errno,
    other === 'skip' ? other : keptOpen(other, into),
  ])
  return { ...step, args, into, ...(instead.length > 0 ? { onError: Object.fromEntries(instead) } : {}) }
}

/** tmpfs, and whatever is on /dev, is written to during set-up, and made read-only at the end. */
function isLate({ kind, type, destination }: CheckedMount): boolean {
  return (kind === 'filesystem' && type === 'tmpfs') || (kind !== 'remount' && destination === '/dev')
}

/** The steps that make those mounts read-only that were asked to be so and had to be filled first: tmpfs, and /dev. */
export function lateReadonlySteps(
  mounts: readonly Mount[],
  { root = slot('root'), field = 'mounts' }: MountStepsOptions = {},
): Step[] {
  const paths = checkMounts(mounts, field)
    .filter(mount => isLate(mount) && mount.options.flags & MS.RDONLY)
    .map(mount => mount.destination)
  return [...new Set(paths)].map(path => ({
    op: 'setMountAttributes',
    args: [root, path, packAttributes({ set: MOUNT_ATTR.RDONLY, clear: 0 }), 0],
    about: `make ${path} read-only`,
    path,
  }))
}

/** A queue of messages takes its label as any file does: not by an option. */
function filesystemSteps(mount: CheckedMount, root: Arg, options: MountStepsOptions, into: string | undefined): Step[] {
  const { label, userns = false } = options
  const step = filesystemStep(mount, root, options)
  if (!label || mount.type !== 'mqueue') return [keptOpen(step, into)]
  const path = mount.destination
  return [
    keptOpen(step, 'queues'),
    // The queues of a user namespace belong to an id that it may not have: they keep the label of the policy then.
    labelFileStep(slot('queues'), label, {
      about: `label ${path} ${label}`,
      path,
      ...(userns ? { onError: { EPERM: 'skip' } } : {}),
    }),
    { op: 'closeFd', args: [slot('queues')], about: `close ${path}` },
  ]
}

function filesystemStep(mount: CheckedMount, root: Arg, given: MountStepsOptions): Step {
  const { userns = false, pidns = true, live = false, label } = given
  const { type, destination, source, options } = mount
  const late = isLate(mount) ? MOUNT_ATTR.RDONLY : 0
  const flags = late ? options.flags & ~MS.RDONLY : options.flags
  const words = sharedTypes.has(type) ? [] : filesystemWords(flags, 0)
  const real = type === 'proc' || type === 'sysfs'
  const copyMode = type === 'tmpfs' && !options.data.some(option => option.startsWith('mode='))
  const how =
    (real ? HOW.TARGET_REAL : 0) |
    (mayCoverProc(destination) ? HOW.TARGET_PROC : 0) |
    (copyMode ? HOW.COPY_MODE : 0) |
    (options.extensions.has('tmpcopyup') ? HOW.COPY_UP : 0) |
    (options.extensions.has('tmp-overlay') ? HOW.SCRATCH : 0)
  const fallback = userns && (type === 'sysfs' || (type === 'proc' && !pidns))
  return {
    op: 'mountFilesystem',
    args: [
      root,
      destination,
      type,
      source || type,
      nulTerminated([...words, ...labelledData(type, options.data, label), ...(how & HOW.SCRATCH ? SCRATCH : [])]),
      newAttributes(options) & ~(live ? 0 : late),
      how,
      packPropagation(options.propagation),
    ],
    about: `mount ${type} on ${destination}`,
    detail: mountDetail(mount),
    path: destination,
    hints: {
      ...targetHints,
      ...filesystemHints(type, userns),
      ...(how & HOW.COPY_UP ? { ENOSYS: 'a read-only mount that is to be filled first needs Linux 5.12' } : {}),
    },
    ...(fallback ? { onError: { EPERM: hostStep(mount, root, how) } } : {}),
  }
}

/** In the memory that the op makes: its working directory then. */
const SCRATCH = ['upperdir=upper', 'workdir=work']

/** The host's own, for a user namespace that owns no network namespace (sysfs) or pid namespace (proc). */
function hostStep({ type, destination, options }: CheckedMount, root: Arg, how: number): Step {
  const source = type === 'proc' ? '/proc' : '/sys'
  // On every mount that comes along too: below /sys lie the host's cgroups.
  const change = packAttributes({ set: newAttributes(options), clear: 0 })
  const flags = how | HOW.RECURSIVE | (type === 'proc' ? HOW.SOURCE_PROC : 0)
  return {
    op: 'bindMount',
    args: [root, -1, source, destination, flags, 0, change, packPropagation(options.propagation)],
    about: `bind the host's ${source} on ${destination}`,
    path: destination,
    hints: targetHints,
  }
}

function bindStep(
  mount: CheckedMount,
  root: Arg,
  tree: Arg | undefined,
  { live = false, locked = true }: MountStepsOptions,
): Step {
  const { source, destination, options } = mount
  if (mount.idMap !== undefined && tree === undefined)
    throw new ConfigInvalid(
      `${mount.field}.options`,
      'idmap',
      'needs the source as a tree whose ids are mapped: see sourceSteps',
    )
  if (mount.inode !== undefined && tree === undefined)
    throw new ConfigInvalid(
      `${mount.field}.inode`,
      mount.inode,
      'needs the source as a tree that was looked at: see openSource',
    )
  const late = !live && isLate(mount) ? MOUNT_ATTR.RDONLY : 0
  const words = bindWords(options)
  const how =
    words.how |
    (mayCoverProc(destination) ? HOW.TARGET_PROC : 0) |
    (live ? HOW.AT_ONCE : 0) |
    (destination === '/proc' ? HOW.SOURCE_PROC | HOW.TARGET_REAL : 0)
  const step = (change: AttributeChange, packed: bigint): Step => ({
    op: 'bindMount',
    args: [
      root,
      tree ?? -1,
      source,
      destination,
      how,
      late === 0 ? packed : packAttributes(without(change, late)),
      words.recursive,
      words.propagation,
    ],
    about: `bind ${source} on ${destination}`,
    detail: mountDetail(mount),
    path: destination,
    hints: live ? liveBindHints : bindHints,
  })
  const exact = step(words.exact, words.packedExact)
  // In a user namespace the source's flags may be locked. Those that nobody named are kept then; a named one stays an error.
  return words.same || !locked ? exact : { ...exact, onError: { EPERM: step(words.named, words.packedNamed) } }
}

function without({ set, clear }: AttributeChange, bits: number): AttributeChange {
  return { set: set & ~bits, clear }
}

function remountStep(mount: CheckedMount, root: Arg): Step {
  const { destination, options } = mount
  const detail = mountDetail(mount)
  const change = packAttributes(namedChange(options))
  const about = `remount ${destination}`
  if (options.flags & MS.BIND) {
    return { op: 'setMountAttributes', args: [root, destination, change, 0], about, detail, path: destination }
  }
  const words = nulTerminated([...filesystemWords(options.flags, options.cleared), ...options.data])
  return { op: 'remountFilesystem', args: [root, destination, words, change], about, detail, path: destination }
}

const targetHints = {
  EROFS: 'the mount point is missing and cannot be made on a read-only file system: make it in the image',
  ELOOP: 'links to the mount point lead in a circle, or through a magic link of /proc',
  ENOTDIR: 'a file can only be mounted on a file, and a directory on a directory',
  ESTALE: 'something moved the mount point while it was mounted on',
}

const bindHints = {
  ...targetHints,
  EEXIST: 'copy-symlink: something else is there already; remove it from the image',
  ENOENT: 'the source of a bind must exist',
  EPERM: 'the flags of the source are locked by the user namespace that owns it: do not clear or change them',
  ENOSYS: 'recursive mount attributes need Linux 5.12',
  EINVAL: 'an unbindable mount cannot be bound, nor, in a user namespace, one with mounts below it unless by rbind',
}

const liveBindHints = {
  ...bindHints,
  ENOSYS: 'flags of a mount in a running container need Linux 5.12: before it would be seen without them at first',
}

/** In a user namespace one may mount what shows a namespace that it owns, and of /proc and /sys no more than is seen already. */
const ownedHints: Readonly<Record<string, string>> = {
  proc: 'something covers parts of the /proc that we see: a container around this one has to show all of it (--security-opt systempaths=unconfined)',
  mqueue: "needs a namespace of kind 'ipc' besides, or a config without this mount",
}

function filesystemHints(type: string, userns: boolean): Record<string, string> {
  return {
    ...(type === 'devpts' ? { EINVAL: 'in a user namespace, gid= must name a group that it maps' } : {}),
    ENODEV: `the kernel has no file system '${type}', or its module is not loaded`,
    EPERM:
      (userns ? ownedHints[type] : undefined) ??
      `${type} cannot be mounted here: it needs CAP_SYS_ADMIN over the namespace that it shows`,
  }
}

function frozenMounts(mounts: Mount[]): readonly Mount[] {
  for (const mount of mounts) Object.freeze(mount.options)
  return Object.freeze(mounts.map(mount => Object.freeze(mount)))
}

/** The container's default mounts, as libcontainer has always had them, with cgroups added. */
export const defaultMounts: readonly Mount[] = frozenMounts([
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
])

/** Whether /dev itself is a bind: then it is somebody else's, and nothing is to be made in it. */
export function bindsDev(mounts: readonly Mount[]): boolean {
  return checkMounts(mounts).some(({ destination, kind }) => destination === '/dev' && kind === 'bind')
}
