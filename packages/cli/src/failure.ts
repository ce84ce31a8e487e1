import { detail, encodeUtf8, isErrno, LibcontainerError, SyscallError, visibleText, writeFd } from '@libcontainer/sys'
import { logError, logsToStandardError } from './log.js'

/** As a shell tells of a program that SIGPIPE has ended. */
const NO_READER = 141

export interface ReportOptions {
  /** The name that the message begins with. */
  readonly program: string
  /** Tells where the error arose, too. */
  readonly debug: boolean
  /** What the log says of it. Default: the message. */
  readonly logged?: (error: unknown) => string
}

/** Tells an error on standard error, what can be done about it below, and in the log; answers the exit code. */
export async function report(error: unknown, { program, debug, logged = messageOf }: ReportOptions): Promise<number> {
  // The reader of our output has had enough: that is no failure to tell of.
  if (isErrno(error, 'EPIPE') && error.syscall === 'write') return NO_READER
  logError(logged(error))
  if (logsToStandardError()) return 1
  const lines = [`${program}: ${messageOf(error)}`]
  if (error instanceof LibcontainerError && error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  if (debug) lines.push(detail(error).trimEnd())
  try {
    await writeFd(2, encodeUtf8(`${visibleText(lines.join('\n'))}\n`))
  } catch (refused) {
    // Not even this can be told without the binding of sys: that is for whoever called.
    if (!(refused instanceof SyscallError)) throw error
  }
  return 1
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
