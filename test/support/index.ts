export { OrdinaryUser, type OrdinaryUserOptions, type RunOptions } from './ordinary-user.js'
export { ownUnifiedCgroup, type Requirement, requires, type TestNeeds, together } from './requires.js'
export { busyboxRootfs, copyOfBusyboxRootfs } from './rootfs.js'
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js'
