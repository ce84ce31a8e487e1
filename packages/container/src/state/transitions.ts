import { ContainerError, type ErrorCode } from '../errors.js'
import type { Status } from './status.js'

/** A status as a transition knows it. `restored`: running, from a checkpoint. `loaded`: not looked at yet. */
export type TransitionStatus = Status | 'restored' | 'loaded'

/** What is creating, running or paused becomes `stopped` when its first process has ended, which is asked for beside this table. */
const allowed: Readonly<Record<TransitionStatus, readonly TransitionStatus[]>> = {
  creating: ['creating', 'created', 'running', 'stopped'],
  created: ['created', 'running', 'paused', 'stopped'],
  running: ['running', 'paused', 'stopped'],
  paused: ['paused', 'running', 'stopped'],
  stopped: ['stopped', 'running', 'restored'],
  restored: ['restored', 'running', 'stopped'],
  loaded: ['creating', 'created', 'running', 'paused', 'stopped', 'restored', 'loaded'],
}

/** From where to where, and what else is to be said of it. */
export interface Transition {
  readonly from: TransitionStatus
  readonly to: TransitionStatus
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/** What is refused since the container is in no state for it. */
export class TransitionError extends ContainerError {
  readonly from: TransitionStatus
  readonly to: TransitionStatus

  constructor(code: ErrorCode, message: string, { from, to, ...options }: Transition) {
    super(code, message, options)
    this.from = from
    this.to = to
  }
}

export interface TransitionOptions {
  /** Whether the first process lives: of a `creating`, `running` or `paused` one it does, unless it ended this very moment. Default: true. */
  readonly alive?: boolean | undefined
}

/** Whether a container may go from one status to another. A further start of a stopped one is no transition: it begins anew. */
export function mayBecome(
  from: TransitionStatus,
  to: TransitionStatus,
  { alive = true }: TransitionOptions = {},
): boolean {
  if (to === 'stopped' && alive && (from === 'creating' || from === 'running' || from === 'paused')) return false
  return allowed[from].includes(to)
}

/** @throws {TransitionError} where a container may not go from one status to another */
export function checkTransition(
  id: string,
  from: TransitionStatus,
  to: TransitionStatus,
  options: TransitionOptions = {},
): void {
  if (mayBecome(from, to, options)) return
  const message = `container '${id}' is ${from}, and cannot become ${to}`
  throw new TransitionError(codeOf(from, to), message, { from, to, hint: hintOf(from, to) })
}

function codeOf(from: TransitionStatus, to: TransitionStatus): ErrorCode {
  if (from === 'stopped') return 'ContainerNotRunning'
  return from === 'paused' && to === 'stopped' ? 'ContainerPaused' : 'ContainerNotStopped'
}

function hintOf(from: TransitionStatus, to: TransitionStatus): string | undefined {
  if (to !== 'stopped') return undefined
  if (from === 'creating') return 'wait for its creator, or use force'
  return from === 'paused' ? 'resume it first, or use force' : 'end its first process, or use force'
}
