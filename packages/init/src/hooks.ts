import { type Arg, LibcontainerError, nulTerminated, type Step, SyscallError } from '@libcontainer/sys'
import type { FailedHook } from './records.js'
import { reportsListener } from './steps.js'

/** A program that init runs beside itself in the container, and waits for. */
export interface HookStep {
  /** For its error: `createContainer[0]`. */
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** The slot of further `KEY=value`s, each ended by NUL. */
  readonly moreEnv?: Arg | undefined
  /** Its standard input: text around the pid of init, which init alone knows. Default: none, the null device. */
  readonly state?: readonly [string, string] | undefined
  /** Milliseconds; then it is killed. */
  readonly timeoutMs?: number | undefined
  /** Slots of descriptors for its output. Default: a pipe, whose text is in the error. */
  readonly stdout?: Arg | undefined
  readonly stderr?: Arg | undefined
}

/** As long as poll(2) can wait at once, in milliseconds: 24 days. */
const LONGEST = 0x7fffffff

/** Runs a program to its end, in the namespaces and as the user that init has by then; it fails when the program does. */
export const runHook = ({ name, path, args, env, moreEnv, state, timeoutMs, stdout, stderr }: HookStep): Step => ({
  op: 'runHook',
  args: [
    name,
    nulTerminated([path, ...args]),
    nulTerminated(env),
    moreEnv ?? new Uint8Array(0),
    state === undefined ? new Uint8Array(0) : nulTerminated(state),
    Math.min(Math.ceil(timeoutMs ?? 0), LONGEST),
    stdout ?? -1,
    stderr ?? -1,
  ],
  about: `run the hook ${name}: ${path}`,
})

/**
 * Has the hooks that follow filtered as the program will be.
 *
 * @param load - the step that loads the program's filter
 */
export const filterHooks = (load: Step): Step => ({
  op: 'filterHooks',
  args: [reportsListener(load) ? 1 : 0, ...load.args],
  about: 'have the hooks filtered as the program',
})

/** How a hook failed, in words. */
export function hookError({ name, program, how, value, output }: FailedHook): LibcontainerError {
  const failed = `hook ${name} failed`
  if (how === 'not executed') return new SyscallError(value, output, { path: program, step: failed })
  const end = {
    exited: `ended with exit code ${value}`,
    killed: `was ended by signal ${value}`,
    late: `took longer than ${value} ms and was killed`,
  }[how]
  return new LibcontainerError(
    'HookFailed',
    `${failed}: ${program} ${end}${output === '' ? '' : `: ${output.trimEnd()}`}`,
  )
}
