import { LibcontainerError } from '@libcontainer/sys'
import type { LogLine } from './log.js'
import type { CriuVersion } from './version.js'

/** The first CRIU whose RPC tells its version. */
export const OLDEST = '3.0'

/** The program is older than {@link OLDEST}, or than an option that was asked for. */
export class CriuTooOld extends LibcontainerError {
  override readonly name = 'CriuTooOld'
  /** What is there. */
  readonly version: string
  /** What it takes. */
  readonly needed: string

  constructor(path: string, version: string, needed: string, forWhat?: string) {
    super(
      'CriuTooOld',
      `${path} is CRIU ${version}, and ${forWhat === undefined ? 'this' : forWhat} takes ${needed} or later`,
      { hint: `install CRIU ${needed} or later` },
    )
    this.version = version
    this.needed = needed
  }
}

/** CRIU, or the kernel below it, lacks what was asked for. */
export class CriuMissingFeatures extends LibcontainerError {
  override readonly name = 'CriuMissingFeatures'
  /** The names of what is missing. */
  readonly missing: readonly string[]

  constructor(missing: readonly string[], version: CriuVersion) {
    super('CriuMissingFeatures', `CRIU ${version.text} on this kernel lacks ${missing.join(', ')}`, {
      hint: 'criu check --all says what of the kernel is missing',
    })
    this.missing = missing
  }
}

export interface FailureDetail {
  /** The lines of CRIU's log that say why. */
  readonly lines: readonly LogLine[]
  /** What CRIU was at. */
  readonly phase: string | undefined
  /** The file of the log. */
  readonly log: string | undefined
  readonly errno: number | undefined
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/** CRIU did not do what it was asked to; the message is its own cause, and `hint` what helps. */
export class CriuFailed extends LibcontainerError {
  override readonly name = 'CriuFailed'
  /** The lines of CRIU's log that say why, in their order. */
  readonly lines: readonly LogLine[]
  /** What CRIU was at: one of the phases of its log. */
  readonly phase: string | undefined
  /** The path of the whole log; `undefined` where none was written. */
  readonly log: string | undefined
  /** CRIU's own number for the failure, an errno, where it has one. */
  readonly errno: number | undefined

  constructor(message: string, { lines, phase, log, errno, hint, cause }: FailureDetail) {
    super('CriuFailed', message, { hint, cause })
    this.lines = lines
    this.phase = phase
    this.log = log
    this.errno = errno
  }
}
