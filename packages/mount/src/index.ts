export { type BindDescriptorOptions, bindDescriptor, confirmSource } from './bind-descriptor.js'
export type { CgroupHierarchy, CgroupMounts } from './cgroup-mounts.js'
export { type ClassicMount, fromClassicMount } from './classic.js'
export type { MountCommand } from './commands.js'
export { features } from './features.js'
export { type ContainerFile, checkFile, type FileMount, fileStep, mountOfPath } from './files.js'
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
export type { MountIdMap, MountIdRange, RelativeIdRange } from './id-map.js'
export {
  type MaskOptions,
  maskedPathSteps,
  type OpenedMounts,
  openedMounts,
  readonlyPathSteps,
  reopenNullStep,
} from './masks.js'
export { type CheckedMount, checkMount, checkMounts, cleanPath, type Mount } from './mount.js'
export { atOrBelow, firstAt, type MountFilter, ofType, parentsOf } from './mount-filters.js'
export { type MountInfo, parseMountInfo, readMountInfo, seenAt, streamMountInfo } from './mount-info.js'
export { type MountAttributes, mountSetattr } from './mount-setattr.js'
export {
  type AroundMount,
  bindsDev,
  defaultMounts,
  lateReadonlySteps,
  type MountStepsOptions,
  mountSteps,
} from './mount-steps.js'
export { moveMount, type OpenTreeOptions, openTree } from './open-tree.js'
export {
  type AttributeChange,
  knownMountOptions,
  type ParsedOptions,
  parseIdMapOption,
  parseMountOptions,
} from './options.js'
export { type MountPresets, mountPresets } from './presets.js'
export { probe } from './probe.js'
export { checkPropagation, type Propagation } from './propagation.js'
export {
  type OverlayOptions,
  overlay,
  type RuntimeFiles,
  remountProcSteps,
  remountSysSteps,
  runtimeFiles,
} from './recipes.js'
export { coverRootStep, type MappedRootOptions, mappedRootSteps } from './root-ids.js'
export { checkRootOverlay, type RootOverlay, type RootOverlayStepOptions, rootOverlayStep } from './root-overlay.js'
export { checkRootTmpfs, type RootTmpfsStepOptions, rootTmpfsStep } from './root-tmpfs.js'
export {
  chrootStep,
  moveRootSteps,
  openRootfsStep,
  type PivotOptions,
  pivotSteps,
  prepareRootSteps,
  propagationStep,
  readonlyRootStep,
  rootPropagationSteps,
  unmountStep,
} from './rootfs.js'
export { type OpenSourceOptions, openSource, type SourceStepsOptions, sourceSteps } from './sources.js'
export { type ListMountsOptions, listMounts, type MountStatus, statMounts } from './statmount.js'
