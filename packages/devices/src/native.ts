import { type Arg, binding, type Step } from '@libcontainer/sys'

/**
 * The ops of native/ops.c. `directory` is a name in `root` that must be no link, or `''`; `path` is resolved below it.
 * They are for steps, in `init` or in a batch.
 */
export interface DeviceOps {
  /** mode with the type's bits, dev, uid, gid, strict */
  makeDevice: StepArgs<
    [directory: string, path: string, mode: number, dev: bigint, uid: number, gid: number, strict: number]
  >
  /** source, mode with the type's bits, dev, strict */
  bindDevice: StepArgs<[directory: string, path: string, source: string, mode: number, dev: bigint, strict: number]>
  /** tree, mode with the type's bits, dev, strict */
  attachDevice: StepArgs<[directory: string, path: string, tree: Arg, mode: number, dev: bigint, strict: number]>
  /** mode with the type's bits (of a regular file: the empty one that a node was bound on), dev */
  removeDevice: StepArgs<[directory: string, path: string, mode: number, dev: bigint]>
  /** target, replace */
  makeSymlink: StepArgs<[directory: string, path: string, target: string, replace: number]>
}

type StepArgs<Rest extends Arg[]> = (root: Arg, ...rest: Rest) => number

export const native = binding<DeviceOps>('devices', import.meta.url)

/** A step whose arguments are those of its op. */
export function step<Name extends keyof DeviceOps>(
  op: Name,
  args: Parameters<DeviceOps[Name]>,
  rest: Omit<Step, 'op' | 'args'>,
): Step {
  return { op, args, ...rest }
}
