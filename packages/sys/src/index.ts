export { tryAgain } from './again.js'
export { type SplitAnnotations, splitAnnotations } from './annotations.js'
export { type ApplyOptions, type Binding, binding, stepError } from './binding.js'
export { type Defined, defined } from './defined.js'
export { detail, type TextWriter } from './errors/detail.js'
export { errnoName, errnoNumber, errnoText } from './errors/errno.js'
export { errorNumber, errorText } from './errors/error-codes.js'
export { ConfigInvalid, checked, LibcontainerError, type SyscallDetail, SyscallError, shown } from './errors/errors.js'
export { captureStack, type Frame, parseStack } from './errors/stack.js'
export { visibleJson, visibleLine, visibleText } from './errors/visible.js'
export { features } from './features.js'
export { descriptorFlags } from './files/descriptor-flags.js'
export * from './files/extended-attributes.js'
export { OwnedFd } from './files/fd.js'
export * from './files/files.js'
export { type FileHead, readHeads } from './files/heads.js'
export * from './files/in-root.js'
export { filesystems, type Inode, inspectInode, verifyInode } from './files/inode.js'
export * from './files/lock.js'
export * from './files/notices.js'
export { cleanPath, isInRoot, namesOfPath, resolveRootfs, secureJoin, stripRoot } from './files/paths.js'
export * from './files/pin.js'
export { readable, readNow } from './files/read-now.js'
export { searchPaths } from './files/search-paths.js'
export * from './files/steps.js'
export type { Host } from './host.js'
export { findJsonFault, type JsonFault, type JsonRules } from './json/fault.js'
export { parseJson, stringifyJson } from './json/json.js'
export { fieldName, jsonPointer } from './json/pointer.js'
export { type LaterOptions, later } from './later.js'
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
export { probe } from './probe.js'
export { auditFields } from './proc/audit-fields.js'
export { type Drivers, parseDrivers } from './proc/drivers.js'
export { type KernelVersion, kernelAtLeast, parseKernelVersion } from './proc/kernel-version.js'
export { Procfs } from './proc/procfs.js'
export { readProc } from './proc/read-proc.js'
export { statusField } from './proc/status-field.js'
export { unescapedField } from './proc/unescaped.js'
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
} from './process/abilities.js'
export { labelFileStep, openLabelsStep, writeLabelStep } from './process/label-steps.js'
export * from './process/process.js'
export { checkProgram, Program, type ProgramOptions, type ProgramOutput } from './process/program.js'
export { type ProgramResult, runProgram } from './process/run.js'
export * from './process/self.js'
export { signalName, signalNumber } from './process/signals.js'
export { memoryFile, overlayProgramFd, programFd, type Spawned, type SpawnRequest, spawn } from './process/spawn.js'
export {
  applyInChild,
  askStep,
  cloneAgainStep,
  type Preparation,
  type StartOp,
  type StartProgram,
  startProgram,
} from './process/start.js'
export {
  checkStdio,
  descriptor,
  isDescriptor,
  type PreparedStdio,
  prepareStdio,
  type Stdio,
  type StdioRequest,
} from './process/stdio.js'
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
} from './process/wait.js'
export { remembered } from './remembered.js'
export { args, becomeProgram, calledAs, engine, environment, exit, findAsset, loadAsset, onSignals } from './runtime.js'
export { shortHash } from './short-hash.js'
export { atSocketPath } from './socket/path.js'
export { MAX_FD_NAME, receiveFd, sendFd } from './socket/send-fd.js'
export * from './socket/socket.js'
export { type EncodedPlan, type EncodeOptions, encodePlan } from './step/plan.js'
export { type Arg, type Slot, type Step, slot } from './step/step.js'
export { decodeUtf8, encodeUtf8, kernelPath, kernelString, nulTerminated, type Path, shownPath } from './utf8.js'
