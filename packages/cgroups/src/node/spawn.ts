import * as childProcess from 'node:child_process'
import { ConfigInvalid, LibcontainerError, SyscallError, signalName } from '@libcontainer/sys'
import { Cgroup } from '../cgroup.js'
import { LimitUnsupported } from '../errors.js'
import { type ProvideOptions, provide } from '../host/provide.js'
import type { Limits } from '../limits/limits.js'
import { openEntrance } from '../processes/start.js'
import { endOf, type Usage, usageOf } from '../stats/usage.js'
import { startInside } from './inside.js'

export interface InsideOptions {
  /** Limits for a cgroup of its own, which goes with the child and ends all that it has started; or a cgroup that is there, and stays. */
  readonly cgroup: Limits | Cgroup
  /** Where a cgroup of its own is to be. Default: below or beside that of this process, for an ordinary user in what was delegated */
  readonly cgroupPath?: string | undefined
  /** Makes room for its cgroup by moving what is in that of this process, where that is all that this user was given: see `provide`. Default: `false` */
  readonly leaf?: boolean | undefined
  /** Starts it without limits where this host cannot set them, and says why in {@link LimitedChild.unlimited}. Default: `false` */
  readonly optional?: boolean | undefined
  /** When it is told to end, in milliseconds from its start: by `killSignal`, and a second later by force, with all that it has started. */
  readonly timeout?: number | undefined
}

export type SpawnOptions = childProcess.SpawnOptions & InsideOptions
export type ForkOptions = childProcess.ForkOptions & InsideOptions

/** How a child ended, and what it has used with all that it had started. */
export interface SpawnResult extends Partial<Usage> {
  /** As for child_process: one of the two is `null`. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether `timeout` has ended it. */
  readonly timedOut: boolean
  /** From its start to its end, in milliseconds. */
  readonly wallMs: number
  readonly oom: boolean
}

export interface Inside {
  /** Where it is: `set()` changes its limits, `stats()` tells what it uses. `undefined` when it is {@link unlimited}. */
  readonly cgroup: Cgroup | undefined
  /** Why it has no limits, with `optional`. */
  readonly unlimited: Error | undefined
  /** When it has ended, and a cgroup of its own was removed. */
  readonly result: Promise<SpawnResult>
}

export type LimitedChild<Child extends childProcess.ChildProcess = childProcess.ChildProcess> = Child & Inside

/**
 * `child_process.spawn` with limits: the child is in its cgroup before its first instruction. All other options, streams and events are
 * child_process' own; but what keeps it from being started rejects this promise, and is no `error` event.
 *
 * @throws {SyscallError} `ENOENT`, `EACCES`, … for a program that cannot be started, `EAGAIN` when `pids.max` of v2 lets nobody in (v1 lets in, and
 *   refuses only what is forked there)
 * @throws {LimitUnsupported} for a limit that this host has no controller for
 * @throws {LibcontainerError} `NotDelegated` for an ordinary user who was given no cgroup
 */
export async function spawn<const Options extends SpawnOptions>(
  file: string,
  args: readonly string[],
  options: Options,
): Promise<LimitedChild<SpawnedBy<Options>>> {
  return await inside(options, rest => childProcess.spawn(file, args, rest) as SpawnedBy<Options>)
}

/** Streams are there unless `stdio` says otherwise. */
type SpawnedBy<Options> = Options extends { stdio: unknown }
  ? childProcess.ChildProcess
  : childProcess.ChildProcessWithoutNullStreams

/** `child_process.fork` with limits: a module that is run by another Node.js, with a channel for messages. Else as {@link spawn}. */
export async function fork(module: string | URL, args: readonly string[], options: ForkOptions): Promise<LimitedChild> {
  return await inside(options, rest => childProcess.fork(module, args, rest))
}

/** How long a child has from `killSignal` to its end. */
const GRACE_MS = 1_000

async function inside<Child extends childProcess.ChildProcess>(
  { cgroup: where, cgroupPath: path, leaf, optional = false, timeout, ...rest }: SpawnOptions | ForkOptions,
  start: (options: object) => Child,
): Promise<LimitedChild<Child>> {
  if (timeout !== undefined && !(Number.isSafeInteger(timeout) && timeout >= 0 && timeout < 2 ** 31)) {
    throw new ConfigInvalid('timeout', timeout, 'must be a whole number of milliseconds, of 24 days at most')
  }
  if (typeof where !== 'object' || where === null) {
    throw new ConfigInvalid('cgroup', where, 'must be limits, or a cgroup')
  }
  // Node.js would start it first, and tell of it before anybody can listen.
  rest.signal?.throwIfAborted()
  const own = !(where instanceof Cgroup)
  const group = own ? await provided(where, { path, leaf }, optional) : where
  if (group instanceof Error) return unlimited(start(rest), group, { timeout, killSignal: rest.killSignal })
  const begun = performance.now()
  try {
    // Also by one above it: the child would stand before it runs its program, and we, who wait for that, with it.
    const { freezer } = await group.stats(['freezer'])
    if (freezer?.selfFreezing || freezer?.parentFreezing) {
      throw new LibcontainerError('Frozen', `the cgroup ${group.path} is frozen: nothing can be started in it`, {
        hint: freezer.selfFreezing ? 'thaw() lets its processes run again' : 'thaw the cgroup above it',
      })
    }
    const entrance = openEntrance(group)
    let started: ReturnType<typeof startInside<Child>>
    try {
      started = startInside(entrance, () => start(rest))
    } finally {
      entrance.close()
    }
    const [child, { ended }] = started
    const end = (): void => void (own ? group.kill().catch(() => undefined) : child.kill('SIGKILL'))
    const clock = bound(child, timeout, rest.killSignal, end)
    const result = ended.then(async ({ code, signal }): Promise<SpawnResult> => {
      clock.stop()
      const wallMs = performance.now() - begun
      const usage = await (own ? endOf(group) : usageOf(group))
      const name = signal === undefined ? null : (signalName(signal) as NodeJS.Signals)
      return { code: code ?? null, signal: name, timedOut: clock.timedOut(), wallMs, ...usage }
    })
    return withRecord(child, { cgroup: group, unlimited: undefined, result })
  } catch (error) {
    // A failure of it would hide this one, which tells more.
    if (own) await group.destroy().catch(() => undefined)
    throw error
  }
}

/** Errors of the caller's are thrown all the same: only what this host cannot do is answered. */
async function provided(limits: Limits, options: ProvideOptions, optional: boolean): Promise<Cgroup | Error> {
  try {
    return await provide(limits, options)
  } catch (error) {
    const isHosts =
      error instanceof LimitUnsupported ||
      error instanceof SyscallError ||
      (error instanceof LibcontainerError && error.code === 'NotDelegated')
    if (optional && isHosts) return error as Error
    throw error
  }
}

interface Clock {
  timedOut(): boolean
  stop(): void
}

/** Tells a child to end in time, and ends it when it does not. */
function bound(
  child: childProcess.ChildProcess,
  timeout: number | undefined,
  killSignal: NodeJS.Signals | number | undefined,
  end: () => void,
): Clock {
  let timedOut = false
  let timer: NodeJS.Timeout | undefined
  if (timeout !== undefined && timeout > 0) {
    timer = setTimeout(() => {
      timedOut = true
      child.kill(killSignal)
      timer = setTimeout(end, GRACE_MS)
    }, timeout)
  }
  return { timedOut: () => timedOut, stop: () => clearTimeout(timer) }
}

function unlimited<Child extends childProcess.ChildProcess>(
  child: Child,
  why: Error,
  { timeout, killSignal }: Pick<childProcess.SpawnOptions, 'timeout' | 'killSignal'>,
): LimitedChild<Child> {
  const begun = performance.now()
  const clock = bound(child, timeout, killSignal, () => void child.kill('SIGKILL'))
  const result = new Promise<SpawnResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clock.stop()
      resolve({ code, signal, timedOut: clock.timedOut(), wallMs: performance.now() - begun, oom: false })
    })
  })
  return withRecord(child, { cgroup: undefined, unlimited: why, result })
}

function withRecord<Child extends childProcess.ChildProcess>(child: Child, record: Inside): LimitedChild<Child> {
  // Whoever does not ask is not told.
  record.result.catch(() => undefined)
  return Object.assign(child, record)
}
