import { ContainerError, type ErrorCode } from './errors.js'
import type { Status } from './status.js'

/** A status as a transition knows it. `restored`: running, from a checkpoint. `loaded`: not looked at yet. */
export type TransitionStatus = Status | 'restored' | 'loaded'

const allowed: Readonly<Record<TransitionStatus, readonly TransitionStatus[]>> = {
  creating: ['creating', 'created', 'running', 'stopped'],
  created: ['created', 'running', 'paused', 'stopped'],
  // `stopped` when its first process has ended, which is asked for beside this table.
  running: ['running', 'paused', 'stopped'],
  paused: ['paused', 'running', 'stopped'],
  stopped: ['stopped', 'running', 'restored'],
  restored: ['restored', 'running', 'stopped'],
  loaded: ['creating', 'created', 'running', 'paused', 'stopped', 'restored', 'loaded'],
}

/** What is refused since the container is in no state for it. */
export class TransitionError extends ContainerError {
  readonly from: TransitionStatus
  readonly to: TransitionStatus

  constructor(
    code: ErrorCode,
    message: string,
    { from, to, cause }: { from: TransitionStatus; to: TransitionStatus; cause?: unknown },
  ) {
    super(code, message, { cause })
    this.from = from
    this.to = to
  }
}

export interface TransitionOptions {
  /** Whether the first process lives: of a `running` or `paused` one it does, unless it ended this very moment. Default: true. */
  readonly alive?: boolean | undefined
}

/** Whether a container may go from one status to another. A further start of a stopped one is no transition: it begins anew. */
export function mayBecome(
  from: TransitionStatus,
  to: TransitionStatus,
  { alive = true }: TransitionOptions = {},
): boolean {
  if (to === 'stopped' && alive && (from === 'running' || from === 'paused')) return false
  return allowed[from].includes(to)
}

/** @throws {TransitionError} where a container may not go from one status to another */
export function checkTransition(
  id: string,
  from: TransitionStatus,
  to: TransitionStatus,
  options: TransitionOptions = {},
): void {
  if (!mayBecome(from, to, options)) throw transitionError(id, from, to)
}

/** Why a container cannot be brought from one status to another. */
export function transitionError(
  id: string,
  from: TransitionStatus,
  to: TransitionStatus,
  cause?: unknown,
): TransitionError {
  return new TransitionError(codeOf(from, to), `container '${id}' is ${from}, and cannot become ${to}`, {
    from,
    to,
    cause,
  })
}

function codeOf(from: TransitionStatus, to: TransitionStatus): ErrorCode {
  if (from === 'stopped') return 'ContainerNotRunning'
  if (from === 'paused') return to === 'created' || to === 'creating' ? 'ContainerNotStopped' : 'ContainerPaused'
  // What runs can be let go on only by who stopped it.
  if (to === 'running') return 'NotPaused'
  return 'ContainerNotStopped'
}
