import { jsonPointer } from '../json/pointer.js'
import { detail, type TextWriter } from './detail.js'
import { errnoName, errnoText } from './errno.js'
import { errorNumber } from './error-codes.js'

/** The base of every error that this project throws itself. `code` is the field to branch on. */
export class LibcontainerError extends Error {
  override readonly name: string = 'LibcontainerError'
  /** A stable word: an errno's name, or one of libcontainer's (`ConfigInvalid`, `IdInUse`, …). */
  readonly code: string
  /** What the reader can do about it; the command lines print it below the message. */
  readonly hint: string | undefined
  readonly #time = Date.now()

  constructor(code: string, message: string, { hint, cause }: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
  }

  /** libcontainer's number of the code, 0 to 8; `undefined` for codes that are younger than 2015. */
  get number(): number | undefined {
    return errorNumber(this.code)
  }

  /** When it was raised. */
  get time(): Date {
    return new Date(this.#time)
  }

  /** All that there is to know of it, over several lines: see {@link detail}. @param writer - gets the text, too: `process.stderr` */
  detail(writer?: TextWriter): string {
    return detail(this, writer)
  }
}

export interface SyscallDetail {
  path?: string | undefined
  /** What was being done: the step of a plan, such as `step 14: mount proc on /proc`. */
  step?: string | undefined
  hint?: string | undefined
  /** What the op itself says about the failure, such as the component of a path. */
  detail?: string | undefined
  cause?: unknown
}

/** A system call that the kernel refused, with the fields of Node's own system errors. */
export class SyscallError extends LibcontainerError {
  override readonly name = 'SyscallError'
  /** The number as Node and libuv carry it: negative. */
  readonly errno: number
  readonly syscall: string
  readonly path: string | undefined
  readonly step: string | undefined

  /** @param errno - the errno, of either sign */
  constructor(errno: number, syscall: string, { path, step, hint, detail, cause }: SyscallDetail = {}) {
    const code = errnoName(errno)
    let text = `${code}: ${errnoText(errno)}, ${syscall}`
    if (path !== undefined) text += ` '${path}'`
    if (detail) text += ` (${detail})`
    super(code, step === undefined ? text : `${step}: ${text}`, { hint, cause })
    this.errno = -Math.abs(errno)
    this.syscall = syscall
    this.path = path
    this.step = step
  }

  /** Of `SystemError`, which a refused system call is. */
  override get number(): number {
    return 8
  }
}

/** A request that cannot be carried out as it stands, found before anything was touched. */
export class ConfigInvalid extends LibcontainerError {
  override readonly name = 'ConfigInvalid'
  /** Where in the request: a path such as `mounts[2].options[0]`. */
  readonly field: string
  readonly value: unknown

  /** @param problem - what is wrong and what would be right, without the field and the value */
  constructor(
    field: string,
    value: unknown,
    problem: string,
    { hint, cause }: { hint?: string; cause?: unknown } = {},
  ) {
    super('ConfigInvalid', `${field}: ${problem} (got ${shown(value)})`, { hint, cause })
    this.field = field
    this.value = value
  }

  /** {@link field} as a JSON pointer: `/mounts/2/options/0`. */
  get pointer(): string {
    return jsonPointer(this.field)
  }
}

/** A value as an error shows it: JSON where that works, never more than 80 characters. */
export function shown(value: unknown): string {
  let text: string
  if (typeof value === 'bigint') text = String(value)
  else {
    try {
      text = JSON.stringify(value) ?? String(value)
    } catch {
      text = Object.prototype.toString.call(value)
    }
  }
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

/** The result of an op, or its failure thrown: `checked(native.sync.dup(fd), 'dup')`. */
export function checked(result: number, syscall: string, path?: string, detail?: SyscallDetail): number {
  if (result < 0) throw new SyscallError(result, syscall, { path, ...detail })
  return result
}
