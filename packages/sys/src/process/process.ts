import { raisesFileLimit, timer } from '#host'
import { ConfigInvalid, checked } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { readText } from '../files/files.js'
import { native } from '../native.js'
import { isErrno, POLLIN, type PollOptions, poll } from './wait.js'

/** How a process ended. */
export interface ExitStatus {
  /** The exit code; `undefined` when a signal ended it, or when nobody can know (see {@link waitExit}). */
  readonly code: number | undefined
  /** The number of the signal that ended it. */
  readonly signal: number | undefined
}

/** 128 + the signal's number, as a shell reports; 255 when the code is unknown. */
export function exitCode({ code, signal }: ExitStatus): number {
  return signal !== undefined ? 128 + signal : (code ?? 255)
}

/** The exit code of a status word of wait(2), by the same rule. */
export function exitStatus(status: number): number {
  const signal = status & 0x7f
  return exitCode(signal === 0 ? { code: (status >> 8) & 0xff, signal: undefined } : { code: undefined, signal })
}

const CLD_EXITED = 1
const SIGKILL = 9
const ESRCH = -3
const ECHILD = -10
const EAGAIN = -11

/** In milliseconds: how often a child is asked for that has ended, and that somebody who traces it has not let go yet. */
const TRACED = 20

/**
 * Waits for a process to end, and reaps it if it is this process's child: one that is traced when its tracer has seen its end, which the pidfd
 * tells before.
 *
 * For another's child the status comes from the kernel where it keeps it (PIDFD_GET_INFO, Linux 6.15); else both fields are `undefined`.
 */
export async function waitExit(pidfd: OwnedFd, waiting: PollOptions = {}): Promise<ExitStatus> {
  const result = new Int32Array(2)
  let reaped = EAGAIN
  for (;;) {
    await poll(pidfd.fd, POLLIN, waiting)
    reaped = native.sync.waitPidfd(pidfd.fd, new Uint8Array(result.buffer))
    if (reaped !== EAGAIN) break
    await new Promise<void>(resolve => timer(TRACED, resolve, waiting.weak))
  }
  if (reaped >= 0) {
    return result[0] === CLD_EXITED ? { code: result[1], signal: undefined } : { code: undefined, signal: result[1] }
  }
  if (reaped !== ECHILD) checked(reaped, 'waitid')
  const status = native.sync.pidfdExitCode(pidfd.fd)
  if (status < 0) return { code: undefined, signal: undefined }
  const signal = status & 0x7f
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: undefined } : { code: undefined, signal }
}

/** A descriptor for a running process. @throws {SyscallError} `ESRCH` when there is none with this number */
export function openPidfd(pid: number): OwnedFd {
  return new OwnedFd(checked(native.sync.pidfdOpen(pid), 'pidfd_open', String(pid)))
}

/** Sends a signal by number to the process that `pidfd` means, never to one that got its number later. */
export function signalPidfd(pidfd: OwnedFd, signal: number): void {
  checked(native.sync.pidfdSendSignal(pidfd.fd, signal), 'pidfd_send_signal')
}

/** Kills the process that `pidfd` means; that it has ended already, or that nobody holds it any more, is fine. */
export function killPidfd(pidfd: OwnedFd): void {
  if (pidfd.closed) return
  const result = native.sync.pidfdSendSignal(pidfd.fd, SIGKILL)
  if (result !== ESRCH) checked(result, 'pidfd_send_signal')
}

export interface AddressRange {
  /** The first address. */
  readonly start: number
  /** The first that is behind it. */
  readonly end: number
}

/**
 * Makes ordinary pages of the huge ones of `size` bytes in a part of another process's memory, which must be of one mapping. One that is shared with
 * another process, or held by a device, stays.
 *
 * @throws {SyscallError} `ESRCH` of a process that has ended; `EINVAL` of a mapping that is locked; `EPERM`; `ENOSYS` before Linux 5.10
 */
export async function splitHugePages(pidfd: OwnedFd, { start, end }: AddressRange, size: number): Promise<void> {
  checked(await native.async.splitHugePages(pidfd.fd, start, end, size), 'process_madvise')
}

/** A line of /proc/<pid>/stat, as far as lifecycles need it. */
export interface ProcessStat {
  readonly pid: number
  /** The name, up to 15 bytes; it may hold spaces and parentheses. */
  readonly comm: string
  /** One letter: `R`, `S`, `D`, `Z` (zombie), `X` (dead), … */
  readonly state: string
  readonly parent: number
  /** In clock ticks since boot: with the pid it names a process for good. */
  readonly startTime: bigint
}

/** Reads a line of /proc/PID/stat, whose name may hold anything. @throws {ConfigInvalid} for what is no such line */
export function parseProcessStat(text: string): ProcessStat {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const pid = text.slice(0, Math.max(0, open))
  const [state = '', parent = '', ...fields] = text.slice(close + 2).split(' ')
  const startTime = fields[17] ?? ''
  if (![pid.trimEnd(), parent, startTime].every(isNumber) || state.length !== 1 || close < open)
    throw new ConfigInvalid('stat', text, 'must be a line of /proc/PID/stat')
  return {
    pid: Number(pid),
    comm: text.slice(open + 1, close),
    state,
    parent: Number(parent),
    startTime: BigInt(startTime),
  }
}

const isNumber = (text: string): boolean => /^\d{1,20}$/.test(text)

/** What /proc says of a process, or `undefined` when it is gone. */
export async function processStat(pid: number): Promise<ProcessStat | undefined> {
  try {
    return parseProcessStat(await readText(`/proc/${pid}/stat`))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

/** When a process was started, in clock ticks since boot: as text, since it is a name and no number to count with. `undefined` when it is gone. */
export async function getProcessStartTime(pid: number): Promise<string | undefined> {
  return (await processStat(pid))?.startTime.toString()
}

/** This process's ids. */
export function ids(): { uid: number; euid: number; gid: number; egid: number; pid: number } {
  const result = new BigInt64Array(5)
  checked(native.sync.ids(new Uint8Array(result.buffer)), 'getuid')
  const [uid, euid, gid, egid, pid] = Array.from(result, Number) as [number, number, number, number, number]
  return { uid, euid, gid, egid, pid }
}

/** CLOCK_MONOTONIC, in nanoseconds. */
export function monotonicNs(): number {
  return checked(native.sync.clock(1), 'clock_gettime')
}

/**
 * prlimit(2) on another process. Values are unsigned 64-bit; without `hard` that stays, and `soft` is at most it.
 *
 * @throws {SyscallError} `EPERM` for raising the hard limit without CAP_SYS_RESOURCE
 */
export function setResourceLimitOf(
  pid: number,
  resource: number,
  { name, soft, hard }: { name: string; soft: bigint; hard?: bigint | undefined },
): void {
  const limit = new BigUint64Array(2)
  const bytes = new Uint8Array(limit.buffer)
  const nothing = new Uint8Array(0)
  if (hard === undefined) checked(native.sync.prlimit(pid, resource, nothing, bytes), 'prlimit64', name)
  const most = hard ?? limit[1]!
  limit[0] = soft < most ? soft : most
  limit[1] = most
  checked(native.sync.prlimit(pid, resource, bytes, nothing), 'prlimit64', name, {
    hint: `raising the hard limit of ${name} needs CAP_SYS_RESOURCE`,
  })
}

/** The soft RLIMIT_NOFILE of a process, from its /proc/<pid>/limits. */
export function parseFileLimit(text: string): { soft: bigint; hard: bigint } | undefined {
  const match = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(text)
  if (match === null) return undefined
  const [soft, hard] = match
    .slice(1)
    .map(value => (value === 'unlimited' ? 0xffff_ffff_ffff_ffffn : BigInt(value))) as [bigint, bigint]
  return { soft, hard }
}

/**
 * The soft limit of open files that this process was started with, where its engine has raised it (Node.js does); `undefined` where
 * it stands. Taken from the parent process, from which it came: 1024, the kernel's own default, when that cannot be read.
 */
export async function initialFileLimit(): Promise<bigint | undefined> {
  if (!raisesFileLimit) return undefined
  const stat = await processStat(ids().pid)
  try {
    const limit = parseFileLimit(await readText(`/proc/${stat?.parent}/limits`))
    return limit?.soft ?? 1024n
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return 1024n
    throw error
  }
}
