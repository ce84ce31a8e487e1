export { type ApplyOptions, type Binding, binding, stepError } from './binding.js'
export { errnoName, errnoNumber, errnoText } from './errno.js'
export { ConfigInvalid, checked, LibcontainerError, type SyscallDetail, SyscallError, shown } from './errors.js'
export { OwnedFd } from './fd.js'
export * from './file-steps.js'
export * from './files.js'
export type { Host } from './host.js'
export { parseJson, stringifyJson } from './json.js'
export * from './lock.js'
export { type EncodedPlan, type EncodeOptions, encodePlan } from './plan.js'
export * from './process.js'
export { type ProgramResult, runProgram } from './run-program.js'
export { args, becomeProgram, engine, environment, exit, loadAsset, onSignals } from './runtime.js'
export { signalName, signalNumber } from './signals.js'
export * from './socket.js'
export { memoryFile, programFd, type Spawned, type SpawnRequest, spawn } from './spawn.js'
export { type Arg, type Slot, type Step, slot } from './step.js'
export { decodeUtf8, encodeUtf8, kernelString, nulTerminated } from './utf8.js'
export {
  holding,
  isErrno,
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
