import { ConfigInvalid, kernelString, type Waiting } from '@libcontainer/sys'
import { aborted } from '../abort.js'
import { ContainerError } from '../errors.js'
import type { OciState } from '../state/oci-state.js'
import { type Command, runCommand } from './command.js'

/**
 * Programs that are run beside a container's life, in their order, with its state as JSON on their standard input.
 *
 * At each point they run one after another; the first that fails ends what is being done, and the container with it. Alone `poststop` runs
 * them all, and tells of every failure. A time-out is in milliseconds, {@link Command.timeoutMs}, and not in OCI's seconds.
 */
export interface Hooks {
  /** On the host, when namespaces, limits and mounts are there and before the root is changed; status `creating`. */
  readonly prestart?: readonly Command[] | undefined
  /** At the same moment, after those of `prestart`, which is OCI's older name for it. */
  readonly createRuntime?: readonly Command[] | undefined
  /** Then, in the container's namespaces: paths are the host's still, as its mounts show them; status `creating`, its pid in the container. */
  readonly createContainer?: readonly Command[] | undefined
  /** In the container, when it is started, by its user, just before the program; status `created`. Default of `env`: the program's own. */
  readonly startContainer?: readonly Command[] | undefined
  /** On the host, when the program runs. */
  readonly poststart?: readonly Command[] | undefined
  /** On the host, when the container is removed. */
  readonly poststop?: readonly Command[] | undefined
}

/** Files of the host to which hooks append what they write, each made where it is missing: it is in no error then. */
export interface HookOutput {
  readonly stdout?: string | undefined
  readonly stderr?: string | undefined
}

export type HookPoint = keyof Hooks

/** A hook of this program's own: it lives as long as the object that it was given to, and is in no state. */
export type HookFunction = (state: OciState) => void | Promise<void>

export type Hook = Command | HookFunction

/** In the order of a container's life. */
export const hookPoints: readonly HookPoint[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
]

/** @throws {ConfigInvalid} */
export function checkHooks(hooks: unknown): void {
  if (hooks === undefined) return
  if (typeof hooks !== 'object' || hooks === null || Array.isArray(hooks))
    throw new ConfigInvalid('hooks', hooks, `must be an object of ${hookPoints.join(', ')}`)
  for (const [point, list] of Object.entries(hooks)) {
    if (!hookPoints.includes(point as HookPoint))
      throw new ConfigInvalid(`hooks.${point}`, list, `must be one of ${hookPoints.join(', ')}`)
    if (list === undefined) continue
    if (!Array.isArray(list)) throw new ConfigInvalid(`hooks.${point}`, list, 'must be a list')
    for (const [i, command] of list.entries()) checkCommand(command, `hooks.${point}[${i}]`)
  }
}

/** @throws {ConfigInvalid} */
export function checkHookOutput(output: unknown): void {
  if (output === undefined) return
  if (typeof output !== 'object' || output === null || Array.isArray(output))
    throw new ConfigInvalid('hookOutput', output, 'must be { stdout, stderr }')
  for (const [name, path] of Object.entries(output)) {
    const field = `hookOutput.${name}`
    if (name !== 'stdout' && name !== 'stderr') throw new ConfigInvalid(field, path, 'must be stdout or stderr')
    if (path !== undefined && !kernelString(path, field).startsWith('/'))
      throw new ConfigInvalid(field, path, 'must be the absolute path of a file')
  }
}

/** @throws {ConfigInvalid} for a path that is not absolute, among others */
export function checkCommand(command: unknown, field: string): asserts command is Command {
  if (typeof command !== 'object' || command === null)
    throw new ConfigInvalid(field, command, 'must be { path, args, env, timeoutMs }')
  const { path, args, env, timeoutMs, ...others } = command as Partial<Record<keyof Command, unknown>>
  for (const [name, value] of Object.entries(others))
    throw new ConfigInvalid(`${field}.${name}`, value, 'must be one of path, args, env, timeoutMs')
  if (!kernelString(path as string, `${field}.path`).startsWith('/'))
    throw new ConfigInvalid(`${field}.path`, path, 'must be absolute: no shell and no PATH looks it up')
  for (const [name, list] of Object.entries({ args, env })) {
    if (list === undefined) continue
    if (!Array.isArray(list)) throw new ConfigInvalid(`${field}.${name}`, list, 'must be a list')
    for (const [i, each] of list.entries()) kernelString(each, `${field}.${name}[${i}]`)
  }
  if (Array.isArray(args) && args.length === 0)
    throw new ConfigInvalid(`${field}.args`, args, 'must begin with argv[0]')
  if (Array.isArray(env)) {
    for (const [i, entry] of env.entries())
      if (entry.indexOf('=') < 1) throw new ConfigInvalid(`${field}.env[${i}]`, entry, 'must be NAME=value')
  }
  if (timeoutMs !== undefined && (typeof timeoutMs !== 'number' || !(timeoutMs > 0)))
    throw new ConfigInvalid(`${field}.timeoutMs`, timeoutMs, 'must be milliseconds, more than 0')
}

export interface HookRun extends Waiting {
  readonly output?: HookOutput | undefined
}

/**
 * Runs hooks of the host one after another, up to the first that fails.
 *
 * @param run.signal - kills the one that runs, and a function is not waited for any more
 * @throws {ContainerError} naming the hook
 */
export async function runHooks(
  point: HookPoint,
  hooks: readonly Hook[],
  state: OciState,
  run: HookRun = {},
): Promise<void> {
  for (const [i, hook] of hooks.entries()) await runHook(`${point}[${i}]`, hook, state, run)
}

/** Runs all hooks, whatever fails. @throws {ContainerError} for the first failure, with all of them in its cause's `errors` */
export async function runAllHooks(
  point: HookPoint,
  hooks: readonly Hook[],
  state: OciState,
  run: HookRun = {},
): Promise<void> {
  const errors: Error[] = []
  for (const [i, hook] of hooks.entries()) {
    try {
      await runHook(`${point}[${i}]`, hook, state, run)
    } catch (error) {
      errors.push(error as Error)
    }
  }
  if (errors.length === 0) return
  if (errors.length === 1) throw errors[0]
  const cause = new AggregateError(errors, errors.map(({ message }) => message).join('; '))
  throw new ContainerError('SystemError', cause.message, { cause })
}

async function runHook(name: string, hook: Hook, state: OciState, { output: files, signal }: HookRun): Promise<void> {
  try {
    signal?.throwIfAborted()
    if (typeof hook === 'function') return await unlessAborted(signal, async () => await hook(state))
    // In the bundle, as engines are used to.
    const place = { ...files, signal, cwd: state.bundle || undefined }
    const { code, signal: killer, output, timedOut } = await runCommand(hook, JSON.stringify(state), place)
    if (code === 0) return
    const how = timedOut
      ? `took longer than ${hook.timeoutMs} ms and was killed`
      : killer === undefined
        ? `ended with exit code ${code}`
        : `was ended by signal ${killer}`
    throw new ContainerError('SystemError', `${hook.path} ${how}${output === '' ? '' : `: ${output.trimEnd()}`}`)
  } catch (cause) {
    const { message, hint } = cause as Error & { hint?: string }
    throw new ContainerError('SystemError', `hook ${name} failed: ${message}`, { cause, hint })
  }
}

async function unlessAborted(signal: AbortSignal | undefined, act: () => Promise<void>): Promise<void> {
  if (signal === undefined) return await act()
  const { promise, done } = aborted(signal)
  try {
    await Promise.race([act(), promise])
  } finally {
    done()
  }
}
