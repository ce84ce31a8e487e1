import {
  ConfigInvalid,
  checkProgram,
  isErrno,
  openLabelsStep,
  type Program,
  type ProgramOptions,
  SyscallError,
  startProgram,
} from '@libcontainer/sys'
import { findSelinuxfs } from './selinuxfs.js'
import { labelStep } from './steps.js'

export interface Labelling extends ProgramOptions {
  /** Its context. */
  readonly label: string
  /** Gives it to the program from its exec on (`exec`), or already to the process that executes it (`now`). Default: `exec`. */
  readonly when?: 'exec' | 'now' | undefined
}

/**
 * Starts a program under a label, as runcon(1) does. This process keeps its own.
 *
 * @returns when the program runs
 * @throws {ConfigInvalid} for what is no context, and where SELinux is off
 * @throws {SyscallError} `EACCES`, `EPERM` where the policy does not allow the change, `EINVAL` where it does not know the label
 */
export async function startLabelled(
  argv: readonly string[],
  { label, when = 'exec', ...options }: Labelling,
): Promise<Program> {
  checkProgram(argv, options)
  if (when !== 'exec' && when !== 'now') throw new ConfigInvalid('when', when, 'must be exec or now')
  if (label === '') throw new ConfigInvalid('label', label, 'must be a context')
  const step = labelStep(when === 'exec' ? 'exec' : 'current', label)
  const { reason } = await findSelinuxfs()
  if (reason !== undefined) throw new ConfigInvalid('label', label, `cannot be given: SELinux is off: ${reason}`)
  try {
    return await startProgram({ steps: [openLabelsStep, step] }, argv, options)
  } catch (error) {
    if (!isErrno(error, 'EACCES') || error.syscall !== 'execve') throw error
    const { errno, syscall, path } = error
    throw new SyscallError(errno, syscall, { path, hint: NO_ENTRY, cause: error })
  }
}

const NO_ENTRY =
  'where the file may be executed at all, the policy does not let this label be entered, or not by a file of that label: ausearch -m avc tells what is missing'
