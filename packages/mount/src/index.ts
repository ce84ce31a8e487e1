export type { CgroupHierarchy, CgroupMounts } from './cgroup-mounts.js'
export { type ClassicMount, fromClassicMount } from './classic.js'
export { features } from './features.js'
export {
  type BindMountOptions,
  bindMount,
  type CreateMountOptions,
  createMount,
  mount,
  mounted,
  type UnmountOptions,
  unmount,
} from './host.js'
export {
  type MaskOptions,
  maskedPathSteps,
  type OpenedMounts,
  openedMounts,
  readonlyPathSteps,
  reopenNullStep,
} from './masks.js'
export { type CheckedMount, checkMount, cleanPath, type Mount } from './mount.js'
export {
  atOrBelow,
  firstAt,
  type MountFilter,
  type MountInfo,
  ofType,
  parentsOf,
  parseMountInfo,
  readMountInfo,
  seenAt,
} from './mount-info.js'
export { type MountAttributes, mountSetattr } from './mount-setattr.js'
export { bindsDev, defaultMounts, lateReadonlySteps, type MountStepsOptions, mountSteps } from './mount-steps.js'
export { moveMount, type OpenTreeOptions, openTree } from './open-tree.js'
export { type AttributeChange, knownMountOptions, type ParsedOptions, parseMountOptions } from './options.js'
export { probe } from './probe.js'
export { checkPropagation, type Propagation } from './propagation.js'
export {
  pivotSteps,
  prepareRootSteps,
  propagationStep,
  readonlyRootStep,
  rootPropagationSteps,
  unmountStep,
} from './rootfs.js'
