import { runHook } from '@libcontainer/init'
import { type Mount, type MountCommand, type MountStepsOptions, mountSteps } from '@libcontainer/mount'
import { type Step, slot } from '@libcontainer/sys'
import { outsidePlaces, outsideSteps, SOURCE_SLOT } from './outside-sources.js'

/** The mounts of a container, what is run around each, and the places of those whose source the parent takes. Pure. */
export function planMounts(
  mounts: readonly Mount[],
  options: MountStepsOptions,
  unreachable: ReadonlySet<number> | undefined,
): { readonly steps: readonly Step[]; readonly outside: readonly number[] } {
  const outside = outsidePlaces(mounts, unreachable)
  const plain = outside.length === 0 && !mounts.some(mount => mount.premountCommands || mount.postmountCommands)
  const steps = mountSteps(mounts, {
    ...options,
    trees: new Map(outside.map(place => [place, slot(SOURCE_SLOT)])),
    around: plain ? undefined : place => around(mounts[place]!, place, outside.includes(place)),
  })
  return { steps, outside }
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

/** Whether a mount could tell that the networks are not there yet: by a command of its own, or by a file system that may be elsewhere. Pure. */
export const needsNetworks = (mounts: readonly Mount[]): boolean =>
  mounts.some(({ type = '', options = [], premountCommands, postmountCommands }) => {
    const local = LOCAL.has(type) || ['bind', 'rbind', 'remount'].some(word => options.includes(word))
    return !local || (premountCommands ?? postmountCommands) !== undefined
  })

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
