import { type BootstrapOptions, type Bootstrapped, bootstrap, type Child, type InitProgram } from '@libcontainer/init'
import type { IdMaps } from '@libcontainer/namespaces'
import {
  descriptor,
  type ExitStatus,
  ids,
  isErrno,
  type OwnedFd,
  openPidfd,
  type PreparedStdio,
  type Step,
  SyscallError,
  setResourceLimitOf,
  writeText,
} from '@libcontainer/sys'
import type { ContainerCgroup, Drivers } from '../cgroups/drivers.js'
import type { ResourceLimit } from '../config/config.js'
import type { ProcessSpec } from '../config/process-spec.js'
import { limitNumbers } from '../plan/process.js'
import { Process } from '../process.js'
import { ProcessSockets } from './sockets.js'
import { isHostTerminal, stdioOf } from './stdio.js'
import { answerUser } from './user-answer.js'

/** A plan, and where the process is born. */
export interface Attempt {
  readonly steps: readonly Step[]
  /** The cgroup whose unified directory it is cloned into; `undefined`: the plan moves it. */
  readonly birthplace: ContainerCgroup | undefined
}

/** What is the same for a container's first process and for every further one, around the plan. */
export interface LaunchOptions
  extends Attempt,
    Pick<BootstrapOptions, 'cloneFlags' | 'keepCapabilities' | 'handed' | 'listener' | 'ahead' | 'rendezvous'> {
  readonly spec: ProcessSpec
  /** The first process of its container. */
  readonly first: boolean
  readonly slots: readonly string[]
  readonly cgroup: ContainerCgroup | undefined
  /** Where the clone is refused: another attempt, and `undefined` for none. */
  readonly instead?: (error: SyscallError) => Promise<Attempt | undefined>
  /** Told of the steps. */
  readonly log: Drivers['log']
  /** In place of package init's. */
  readonly program: InitProgram | undefined
  /** How many processes the OOM killer has ended in it so far. */
  readonly oomBefore: Promise<number>
  readonly parentDeathSignal: boolean
  readonly oomScoreAdj: number | undefined
  /** Puts it into its groups of resctrl. */
  readonly joinClass?: ((pid: number) => Promise<void>) | undefined
  /** Limits that the parent has to set, since init is root of a user namespace alone. */
  readonly limits: { readonly rlimits: readonly ResourceLimit[]; readonly initialFiles: bigint | undefined } | undefined
  /** Of its user namespace, as far as they are known: who runs must be in them. */
  readonly maps?: IdMaps | undefined
  /** This process may not administer the system: what it cannot do to another for that reason alone is left undone. */
  readonly unprivileged: boolean
  /** Answers the plan's ask for the hooks of the host, when the process is ready but for its root. */
  readonly runHooks?: (child: Child) => Promise<void>
  /** Called as soon as the process has its number; waited for before it goes on to the program. */
  readonly ready?: (child: { readonly pid: number; readonly stdio: readonly number[] }) => Promise<void>
}

export interface Launched {
  readonly process: Process
  readonly outcome: Bootstrapped['outcome']
}

/** Prepares streams and descriptors, runs the plan, and answers with the process. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { spec } = options
  const sockets = await ProcessSockets.connect(spec)
  try {
    return await launchWith(sockets, options, stdioOf(spec))
  } finally {
    sockets.close()
  }
}

async function launchWith(sockets: ProcessSockets, options: LaunchOptions, stdio: PreparedStdio): Promise<Launched> {
  const { spec, cgroup, oomBefore } = options
  const handed: Record<string, number> = { ...options.handed }
  if (isHostTerminal(spec.terminal)) handed.terminal = spec.terminal.slave.fd
  const logged = options.log !== undefined && (spec.logLevel ?? 4) >= DEBUG
  const extraFds = (spec.extraFds ?? []).map(descriptor)
  let parent: OwnedFd | undefined
  let terminal: OwnedFd | undefined
  let readying: Promise<undefined> | undefined
  const getReady = async (child: Promise<Child>): Promise<undefined> => {
    const { pid, pidfd } = await child
    sockets.sendPidfd(pidfd, options.first)
    await Promise.all([prepareFromOutside(pid, options), options.ready?.({ pid, stdio: stdio.theirs }), oomBefore])
  }
  try {
    if (options.parentDeathSignal) {
      parent = openPidfd(ids().pid)
      handed.parent = parent.fd
    }
    const start = async ({ steps, birthplace }: Attempt): Promise<Bootstrapped> => {
      const unified = await birthplace?.openUnified()
      return await bootstrap({
        steps,
        slots: options.slots,
        cloneFlags: options.cloneFlags ?? 0,
        keepCapabilities: options.keepCapabilities ?? false,
        cgroup: unified,
        program: options.program,
        stdio: stdio.theirs,
        extraFds,
        handed,
        signal: spec.signal,
        timed: spec.timed || logged,
        failAt: spec.failAt,
        listener: options.listener,
        ahead: {
          ...options.ahead,
          ready: child => {
            readying = getReady(child)
            return readying
          },
        },
        rendezvous: {
          user: ({ files }) => answerUser(spec, files, options.maps),
          terminal: async ({ fds: [master] }) => {
            terminal = master
            if (master !== undefined && (await sockets.takeTerminal(master))) terminal = undefined
            return undefined
          },
          hooks: async child => {
            await readying
            await options.runHooks?.(child)
            return undefined
          },
          ...options.rendezvous,
        },
      }).finally(() => unified?.close())
    }
    const child = await start(options).catch(async (error: unknown) => {
      const cloned = !(error instanceof SyscallError) || error.syscall !== 'clone3'
      const other = cloned ? undefined : await options.instead?.(error)
      if (other === undefined) throw error
      return await start(other)
    })
    stdio.closeTheirs()
    if (logged) logSteps(options.log, child)
    const process = new Process({
      ...child,
      timings: spec.timed ? child.timings : [],
      stdio: stdio.ours,
      terminal,
      signal: spec.signal,
      oom: async (status: ExitStatus) =>
        status.signal === 9 && cgroup !== undefined && (await cgroup.oomKillCount()) > (await oomBefore),
    })
    return { process, outcome: child.outcome }
  } catch (error) {
    stdio.close()
    terminal?.close()
    // Whoever takes back what was done finds all that was begun.
    await readying?.catch(() => {})
    throw error
  } finally {
    parent?.close()
  }
}

/** The level of what is told for who looks for a fault, of logrus's. */
export const DEBUG = 5

/** All at once, when the program runs: init has no time for it before. */
function logSteps(log: Drivers['log'], { pid, timings }: Bootstrapped): void {
  for (const [i, { about, startNs, endNs }] of timings.entries())
    log?.(DEBUG, `process ${pid}, step ${i}: ${about}: ${Math.round((endNs - startNs) / 1000)} µs`)
}

/** What only a process outside may do to it, or may do without init's own rights. */
async function prepareFromOutside(pid: number, options: LaunchOptions): Promise<void> {
  const { oomScoreAdj, limits, unprivileged, joinClass } = options
  await adjustOomScore(pid, oomScoreAdj, unprivileged)
  await joinClass?.(pid)
  if (limits === undefined) return
  for (const { number, name, soft, hard } of limitNumbers(limits.rlimits, limits.initialFiles)) {
    setResourceLimitOf(pid, number, { name, soft, hard })
  }
}

/** @param lenient - leaves the score alone where this process may not change it: an ordinary user can make nothing less likely to be killed */
export async function adjustOomScore(pid: number, score: number | undefined, lenient: boolean): Promise<void> {
  if (score === undefined) return
  try {
    await writeText(`/proc/${pid}/oom_score_adj`, String(score), { flags: 1 })
  } catch (error) {
    if (!lenient || !isErrno(error, 'EACCES', 'EPERM')) throw error
  }
}
