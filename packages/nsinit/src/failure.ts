import { encodeUtf8, isErrno, LibcontainerError, SyscallError, writeFd } from '@libcontainer/sys'

/** As a shell tells of a program that SIGPIPE has ended. */
const NO_READER = 141

/** Tells an error on standard error, what can be done about it below, and answers the exit code. */
export async function report(error: unknown, { debug }: { debug: boolean }): Promise<number> {
  // The reader of our output has had enough: that is no failure to tell of.
  if (isErrno(error, 'EPIPE') && error.syscall === 'write') return NO_READER
  const lines = [`nsinit: ${messageOf(error)}`]
  if (error instanceof LibcontainerError && error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  if (debug) lines.push(...stacks(error))
  try {
    await writeFd(2, encodeUtf8(`${lines.join('\n')}\n`))
  } catch (refused) {
    if (!(refused instanceof SyscallError)) return 1
  }
  return 1
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Of the error and its causes; the engines differ in whether the stack begins with the message. */
function stacks(error: unknown): string[] {
  const lines: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    lines.push(`${at === error ? 'at' : 'because of'} ${at.name}: ${at.message}`)
    lines.push(...(at.stack ?? '').split('\n').filter(line => /^\s+at /.test(line)))
  }
  return lines
}
