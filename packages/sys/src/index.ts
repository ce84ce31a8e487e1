export {
  type Availability,
  type Available,
  type Check,
  describeFeatures,
  type Features,
  landlockVersion,
  type Probe,
  type ProbedCall,
  probeCall,
  probeCapability,
  probeEach,
  type Unavailable,
  unavailable,
} from './abilities.js'
export { tryAgain } from './again.js'
export { type SplitAnnotations, splitAnnotations } from './annotations.js'
export { type ApplyOptions, type Binding, binding, stepError } from './binding.js'
export { type Defined, defined } from './defined.js'
export { detail, type TextWriter } from './detail.js'
export { type Drivers, parseDrivers } from './drivers.js'
export { errnoName, errnoNumber, errnoText } from './errno.js'
export { errorNumber, errorText } from './error-codes.js'
export { ConfigInvalid, checked, LibcontainerError, type SyscallDetail, SyscallError, shown } from './errors.js'
export * from './extended-attributes.js'
export { OwnedFd } from './fd.js'
export { features } from './features.js'
export { type FileHead, readHeads } from './file-heads.js'
export * from './file-steps.js'
export * from './files.js'
export type { Host } from './host.js'
export * from './in-root.js'
export { filesystems, type Inode, inspectInode, verifyInode } from './inode.js'
export { parseJson, stringifyJson } from './json.js'
export { findJsonFault, type JsonFault, type JsonRules } from './json-fault.js'
export { fieldName, jsonPointer } from './json-pointer.js'
export { type KernelVersion, kernelAtLeast, parseKernelVersion } from './kernel-version.js'
export { labelFileStep, openLabelsStep, writeLabelStep } from './label-steps.js'
export { type LaterOptions, later } from './later.js'
export * from './lock.js'
export {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFields,
  type LogFormat,
  Logger,
  type LogLevel,
  type LogOptions,
} from './log.js'
export { notYet } from './not-yet.js'
export { cleanPath, isInRoot, namesOfPath, resolveRootfs, secureJoin, stripRoot } from './paths.js'
export * from './pin.js'
export { type EncodedPlan, type EncodeOptions, encodePlan } from './plan.js'
export { probe } from './probe.js'
export * from './process.js'
export { Procfs } from './procfs.js'
export { checkProgram, Program, type ProgramOptions, type ProgramOutput } from './program.js'
export { readable, readNow } from './read-now.js'
export { readProc } from './read-proc.js'
export { remembered } from './remembered.js'
export { type ProgramResult, runProgram } from './run-program.js'
export { args, becomeProgram, calledAs, engine, environment, exit, findAsset, loadAsset, onSignals } from './runtime.js'
export { searchPaths } from './search-paths.js'
export * from './self.js'
export { MAX_FD_NAME, receiveFd, sendFd } from './send-fd.js'
export { shortHash } from './short-hash.js'
export { signalName, signalNumber } from './signals.js'
export * from './socket.js'
export { atSocketPath } from './socket-path.js'
export { memoryFile, overlayProgramFd, programFd, type Spawned, type SpawnRequest, spawn } from './spawn.js'
export { captureStack, type Frame, parseStack } from './stack.js'
export {
  applyInChild,
  askStep,
  cloneAgainStep,
  type Preparation,
  type StartOp,
  type StartProgram,
  startProgram,
} from './start-program.js'
export { statusField } from './status-field.js'
export {
  checkStdio,
  descriptor,
  isDescriptor,
  type PreparedStdio,
  prepareStdio,
  type Stdio,
  type StdioRequest,
} from './stdio.js'
export { type Arg, type Slot, type Step, slot } from './step.js'
export { decodeUtf8, encodeUtf8, kernelPath, kernelString, nulTerminated, type Path, shownPath } from './utf8.js'
export { visibleLine, visibleText } from './visible.js'
export {
  holding,
  isErrno,
  onAbort,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  type PollOptions,
  poll,
  sleep,
  type Waiting,
} from './wait.js'
