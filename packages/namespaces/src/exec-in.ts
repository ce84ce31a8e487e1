import { ConfigInvalid, exitCode, getProcessStartTime, SyscallError } from '@libcontainer/sys'
import { enter } from './enter.js'
import { getNamespaceFlags, kindsOf } from './kinds.js'
import type { ProgramOptions } from './program.js'

/** What {@link execIn} takes of a container's config of 2014. */
export interface ExecInConfig {
  /** `{ NEWNET: true, … }`. */
  readonly namespaces: Readonly<Record<string, boolean>>
  /** `NAME=value`, each: the whole environment. Default: that of this process. */
  readonly environment?: readonly string[] | undefined
}

/** What {@link execIn} takes of a container's state of 2014. */
export interface ExecInState {
  readonly init_pid: number
  /** In clock ticks since boot, as /proc tells it: with it the process is not taken for one that got its number. */
  readonly init_start_time?: string | undefined
}

/**
 * libcontainer's ExecIn of 2014: runs a program in the namespaces of a container's first process, and waits for its end. The namespaces alone: what else a
 * container's program is given (cgroups, capabilities, a root directory that is no mount) is for `Container.exec` of `@libcontainer/container`.
 *
 * @returns the exit code; 128 and the number for a signal
 * @throws {SyscallError} `ESRCH` when the process has ended, or another has its number
 */
export async function execIn(
  config: ExecInConfig,
  state: ExecInState,
  args: readonly string[],
  options: Omit<ProgramOptions, 'env'> = {},
): Promise<number> {
  const { namespaces, environment } = config
  if (namespaces === null || typeof namespaces !== 'object')
    throw new ConfigInvalid('namespaces', namespaces, 'must be { NEWNET: true, … }')
  const { init_pid: pid, init_start_time: startTime } = state
  if (startTime !== undefined && (await getProcessStartTime(pid)) !== startTime)
    throw new SyscallError(3, 'setns', { path: `/proc/${pid}`, hint: 'the first process of the container has ended' })
  const env = environment && Object.fromEntries(environment.map(pairOf))
  const program = await enter({ pid, kinds: kindsOf(getNamespaceFlags(namespaces)) }, args, { ...options, env })
  return exitCode(await program.wait())
}

function pairOf(variable: string, i: number): [name: string, value: string] {
  const at = variable.indexOf('=')
  if (at < 1) throw new ConfigInvalid(`environment[${i}]`, variable, 'must be NAME=value')
  return [variable.slice(0, at), variable.slice(at + 1)]
}
