import { closeFd, runHook } from '@libcontainer/init'
import {
  type AroundMount,
  cleanPath,
  type Mount,
  type MountCommand,
  type MountStepsOptions,
  mountSteps,
} from '@libcontainer/mount'
import { type Slot, type Step, slot } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { outsidePlaces, outsideSteps, SOURCE_SLOT } from './outside-sources.js'

/** The steps of what a container has of its own beside its mounts. */
export interface OwnFiles {
  /** What shows its root by other ids, before anything lies over it. */
  readonly mapped: readonly Step[]
  /** Of its root, before all mounts. */
  readonly root: readonly Step[]
  /** On the mount at this place of the list, -1 for the root. */
  readonly at: (place: number, root: Slot) => readonly Step[]
}

/** What is done before the mount at a place of the list. */
export interface Before {
  readonly place: number
  readonly steps: readonly Step[]
}

/** Holds the root of a mount while files are put on it. */
const FILES = slot('files')

/** Whether a config has something of seldom.ts. */
export const asksSeldom = (config: Partial<ContainerConfig>): boolean =>
  (config.rootIdMap ?? config.rootTmpfs ?? config.files ?? config.disableUserNamespaces ?? config.procFiles) !==
  undefined

/** The mounts of a container, what is run around each, its own files on them, and the places of those whose source the parent takes. Pure. */
export function planMounts(
  mounts: readonly Mount[],
  options: MountStepsOptions,
  unreachable: ReadonlySet<number> | undefined,
  own?: OwnFiles,
  first?: Before,
): { readonly steps: readonly Step[]; readonly outside: readonly number[] } {
  const outside = outsidePlaces(mounts, unreachable)
  const plain =
    own === undefined &&
    first === undefined &&
    outside.length === 0 &&
    !mounts.some(mount => mount.premountCommands || mount.postmountCommands)
  const steps = mountSteps(mounts, {
    ...options,
    trees: new Map(outside.map(place => [place, slot(SOURCE_SLOT)])),
    around: plain
      ? undefined
      : place => {
          const { before: its, after } = around(mounts[place]!, place, outside.includes(place))
          const before = place === first?.place ? [...first.steps, ...its] : its
          return own === undefined
            ? { before, after }
            : { before, ...withFiles(own, mounts[place]!, place, options, after) }
        },
  })
  return { steps: own === undefined ? steps : [...own.root, ...own.at(-1, slot('root')), ...steps], outside }
}

/** By a descriptor of the mount: what its path leads to by then, or a link in it, could be a mount of the host's. */
function withFiles(
  own: OwnFiles,
  { destination }: Mount,
  place: number,
  { opened }: MountStepsOptions,
  after: readonly Step[],
): AroundMount {
  const held = opened?.get(cleanPath(destination))
  const files = own.at(place, held ?? FILES)
  if (files.length === 0) return { after }
  if (held !== undefined) return { after: [...after, ...files] }
  return { after: [...after, ...files, closeFd(FILES, destination)], into: FILES.slot }
}

/** Types that take nothing from a network, and show what there is of it when they are read. */
const LOCAL = new Set([
  'proc',
  'sysfs',
  'tmpfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
  'overlay',
  'bpf',
  'hugetlbfs',
])

const BINDS = new Set(['bind', 'rbind', 'remount'])

/** Whether a mount could tell that the networks are not there yet: by a command of its own, or by a file system that may be elsewhere. Pure. */
export const needsNetworks = (mounts: readonly Mount[]): boolean =>
  mounts.some(({ type = '', options = [], premountCommands, postmountCommands }) => {
    const local = LOCAL.has(type) || options.some(word => BINDS.has(word))
    return !local || (premountCommands ?? postmountCommands) !== undefined
  })

/** Types that neither take anything from a network nor show the one of whoever mounts them, as sysfs does. */
const APART = new Set(['proc', 'tmpfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2', 'hugetlbfs'])

/** The first mount that whoever makes it should be in the container's network namespace for: -1 for none. A bind may be of a file of the process itself. Pure. */
export const firstOfNetwork = (mounts: readonly Mount[]): number =>
  mounts.findIndex(({ type = '', options = [] }) => !APART.has(type) || options.some(word => BINDS.has(word)))

function around(mount: Mount, place: number, isOutside: boolean): { before: Step[]; after: Step[] } {
  const source = isOutside ? outsideSteps(mount, place) : { before: [], after: [] }
  return {
    before: [...commandSteps(mount, 'premountCommands', place), ...source.before],
    after: [...source.after, ...commandSteps(mount, 'postmountCommands', place)],
  }
}

function commandSteps(mount: Mount, when: 'premountCommands' | 'postmountCommands', place: number): Step[] {
  return (mount[when] ?? []).flatMap(({ path, args = [path], env = [], dir = '/' }: MountCommand, i) => [
    {
      op: 'changeDirectory',
      args: [dir],
      about: `change to the directory ${dir}`,
      path: dir,
      hints: { ENOENT: 'the working directory of a command must be there, on the host' },
    },
    runHook({ name: `mounts[${place}].${when}[${i}]`, path, args, env }),
  ])
}
