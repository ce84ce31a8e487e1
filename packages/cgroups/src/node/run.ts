import { isErrno, signalNumber, visibleJson, visibleLine } from '@libcontainer/sys'
import type { RunRequest } from './run-options.js'
import { type LimitedChild, type SpawnResult, spawn } from './spawn.js'
import { formatSize } from './words.js'

/** As timeout(1) and env(1) have them. */
const TIMED_OUT = 124
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127

/** `run`: a command with limits. The exit code is the command's. */
export async function run({
  leaf,
  command,
  limits,
  path,
  timeout,
  killSignal,
  optional,
  json,
  quiet,
}: RunRequest): Promise<number> {
  const [file, ...args] = command as [string, ...string[]]
  // Before the child: it may be told of, and this process be told something, before `spawn` has returned.
  const signals = catchSignals()
  let child: LimitedChild
  try {
    child = await spawn(file, args, {
      cgroup: limits,
      cgroupPath: path,
      leaf,
      optional,
      timeout,
      ...(killSignal !== undefined && { killSignal: signalNumber(killSignal, '--kill-signal') }),
      stdio: 'inherit',
    })
  } catch (error) {
    signals.release()
    if (!isErrno(error, 'ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'ELOOP') || error.syscall !== 'execve') throw error
    tell(`${visibleLine(file)}: ${error.message}`)
    return error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE
  }
  if (child.unlimited !== undefined) tell(`it runs without limits: ${child.unlimited.message}`)
  signals.forward(child)
  try {
    const result = await child.result
    if (json) process.stderr.write(`${visibleJson(JSON.stringify(result))}\n`)
    else if (!quiet) for (const line of notesOf(result, limits.memory?.max, timeout)) tell(line)
    return exitCodeOf(result)
  } finally {
    signals.release()
  }
}

/** What people would like to know of how it ended. Pure. */
export function notesOf(
  { oom, oomKills, timedOut, peakMemory, refusedForks }: SpawnResult,
  max: number | bigint | 'max' | undefined,
  timeout: number | undefined,
): string[] {
  const used = peakMemory === undefined ? '' : `, at most ${formatSize(peakMemory)} was used`
  const limit = max === undefined || max === 'max' ? '' : ` of ${formatSize(Number(max))}`
  const killed = oomKills === 1 ? 'a process' : `${oomKills} processes`
  return [
    ...(oom ? [`out of memory: the kernel has killed ${killed} at the limit${limit}${used}`] : []),
    ...((refusedForks ?? 0) > 0 ? [`too many processes: ${refusedForks} times one could not be made`] : []),
    ...(timedOut ? [`it was ended after ${timeout} ms`] : []),
  ]
}

/** As a shell would have it. Pure. */
export function exitCodeOf({ code, signal, timedOut }: SpawnResult): number {
  if (timedOut) return TIMED_OUT
  return signal === null ? (code ?? 255) : 128 + signalNumber(signal)
}

const tell = (line: string): void => void process.stderr.write(`cgroups: ${line}\n`)

interface CaughtSignals {
  /** From now on they are the child's, and those that came before. */
  forward(child: LimitedChild): void
  release(): void
}

/** What this process is told, the command is told. What a terminal sends goes to both already. */
function catchSignals(): CaughtSignals {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const early: NodeJS.Signals[] = []
  let to: LimitedChild | undefined
  const listeners = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const).map(name => {
    const ofTerminal = name === 'SIGINT' || name === 'SIGQUIT'
    const listener = (): void => {
      if (to === undefined) early.push(name)
      else if (!(ofTerminal && hasTerminal)) to.kill(name)
    }
    process.on(name, listener)
    return [name, listener] as const
  })
  return {
    forward(child) {
      to = child
      for (const name of early) child.kill(name)
    },
    release() {
      for (const [name, listener] of listeners) process.off(name, listener)
    },
  }
}
