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
