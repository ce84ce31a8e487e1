import { type Arg, type Step, slot } from '@libcontainer/sys'
import { AT_EMPTY_PATH, AT_RECURSIVE, OPEN_TREE_CLONE } from './flags.js'
import type { MountIdMap } from './id-map.js'
import { mapIdsStep } from './sources.js'

export interface MappedRootOptions {
  /** A descriptor of the root, in the mount namespace that the steps are applied in. Default: the slot `root`. */
  readonly root?: Arg | undefined
  /** A descriptor of the user namespace whose maps the ids are mapped by. */
  readonly userns: Arg
  /** Of the root, for errors. */
  readonly path: string
}

/**
 * The steps that take a root which `prepareRootSteps` has made as a detached tree, its ids mapped, into the slot `tree`: by somebody who may, in the
 * container's mount namespace. {@link coverRootStep} makes it the root.
 *
 * @see mount_setattr(2), ID-mapped mounts
 */
export function mappedRootSteps(
  { recursive }: MountIdMap,
  { root = slot('root'), userns, path }: MappedRootOptions,
): Step[] {
  const take: Step = {
    op: 'openTree',
    args: [root, '', OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH],
    about: `take ${path}`,
    path,
    into: 'tree',
  }
  return [take, mapIdsStep(slot('tree'), userns, { recursive, path })]
}

/** Covers the root that `prepareRootSteps` has made by a detached tree, right after it: the slot is then that tree. The tree's own descriptor stays open. */
export function coverRootStep(tree: Arg, { root = slot('root') }: { readonly root?: Arg | undefined } = {}): Step {
  return { op: 'coverRoot', args: [root, tree], about: 'show the root by ids that are mapped', path: '/' }
}
