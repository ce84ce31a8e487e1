export { type Requirement, requires } from './requires.js'
export { busyboxRootfs, copyOfBusyboxRootfs } from './rootfs.js'
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js'
