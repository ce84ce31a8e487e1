import {
  ConfigInvalid,
  checkProgram,
  openLabelsStep,
  type Program,
  type ProgramOptions,
  startProgram,
} from '@libcontainer/sys'
import { status } from './status.js'
import { changeProfileStep, profileOnExecStep } from './steps.js'

export interface Confinement extends ProgramOptions {
  /** Its name; with `&` before it, it is stacked on that of this process. */
  readonly profile: string
  /** Confines the program from its exec on (`exec`), or already the process that executes it, whose profile then judges that exec. Default: `exec`. */
  readonly when?: 'exec' | 'now' | undefined
}

/**
 * Starts a program under a profile. This process keeps its own.
 *
 * @returns when the program runs
 * @throws {ConfigInvalid} for what is no profile's name, and where AppArmor is off
 * @throws {SyscallError} `ENOENT` for a profile that is not loaded, before the program is executed
 */
export async function startConfined(
  argv: readonly string[],
  { profile, when = 'exec', ...options }: Confinement,
): Promise<Program> {
  checkProgram(argv, options)
  if (when !== 'exec' && when !== 'now') throw new ConfigInvalid('when', when, 'must be exec or now')
  const step = when === 'exec' ? profileOnExecStep(profile) : changeProfileStep(profile)
  const { enabled, reason } = await status()
  if (!enabled) throw new ConfigInvalid('profile', profile, `cannot confine anything: ${reason}`)
  return await startProgram({ steps: [openLabelsStep, step] }, argv, options)
}
