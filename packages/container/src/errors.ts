import { LibcontainerError, type SyscallError } from '@libcontainer/sys'

/** libcontainer's codes, in the order of their numbers of 2015. */
export const errorCodes = [
  'IdInUse',
  'InvalidIdFormat',
  'ContainerNotExists',
  'ContainerPaused',
  'ContainerNotStopped',
  'ContainerNotRunning',
  'ProcessNotExecuted',
  'ConfigInvalid',
  'SystemError',
] as const

export type ErrorCode = (typeof errorCodes)[number] | 'NotPaused' | 'CgroupNotExist' | 'AlreadyStarted'

/** What a container refuses, or what its kernel refused it (`SystemError`, whose `cause` says what). */
export class ContainerError extends LibcontainerError {
  override readonly name = 'ContainerError'
  declare readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(code, message, options)
  }
}

/** All of a container is removed, and `poststop` hooks have failed: to a command line a warning, since OCI has all go on as if they had not. */
export class PoststopError extends ContainerError {}

/** Wraps what the kernel refused; what has a code of libcontainer's already keeps it, and so does what says that there is no binding to ask it with. */
export function systemError(doing: string, cause: unknown): Error {
  if (!(cause instanceof LibcontainerError)) return cause instanceof Error ? cause : new Error(String(cause))
  if (cause instanceof ContainerError || cause.code === 'ConfigInvalid' || cause.code.startsWith('ERR_')) return cause
  const error = new ContainerError('SystemError', `${doing}: ${cause.message}`, { cause, hint: cause.hint })
  return isSyscall(cause) ? Object.assign(error, pick(cause)) : error
}

const isSyscall = (error: LibcontainerError): error is SyscallError => error.name === 'SyscallError'

/** A `SystemError` answers for its cause: the fields that people branch on stand on it too. */
const pick = ({ errno, syscall, path, step }: SyscallError): object => ({ errno, syscall, path, step })
