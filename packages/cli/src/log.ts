import { encodeUtf8, type LogFormat, Logger, type LogLevel, type OwnedFd, writeFd } from '@libcontainer/sys'

/** Where the messages of a command line go. */
export interface LogRequest {
  /** The name that messages on standard error begin with. */
  readonly program: string
  /** Tells what is done, too. */
  readonly debug: boolean
  /** A path, appended to, or a descriptor. Default: standard error, as text for people. */
  readonly to?: string | OwnedFd | undefined
  /** Of what goes to a file; said without one, of what goes to standard error. */
  readonly format?: LogFormat | undefined
  /** The least level that is written. Default: `info`, with `debug` that. */
  readonly level?: LogLevel | undefined
}

let logger: Logger | undefined
let toStandardError = true
let program = ''
let debugs = false
let level: LogLevel = 'info'

/** Says where {@link warn}, {@link inform} and {@link debug} write, for the whole of this program. */
export async function openLog(request: LogRequest): Promise<void> {
  program = request.program
  level = request.level ?? (request.debug ? 'debug' : 'info')
  debugs = level === 'debug'
  const { to, format } = request
  toStandardError = to === undefined
  if (to === undefined && format === undefined) return
  logger = await Logger.open({
    level,
    ...(format === undefined ? {} : { format }),
    ...(to === undefined ? {} : { to }),
  })
}

/** Whether messages go elsewhere than to standard error. */
export const hasLogFile = (): boolean => logger !== undefined && !toStandardError

/** Whether standard error is for the lines of a log alone. */
export const logsToStandardError = (): boolean => logger !== undefined && toStandardError

/** Tells of something odd that works. */
export function warn(message: string): void {
  if (level === 'error') return
  if (logger !== undefined) logger.warn(message)
  else say(`warning: ${message}`)
}

/** Tells of something that was asked for, and has happened. */
export function inform(message: string): void {
  if (level === 'error' || level === 'warn') return
  if (logger !== undefined) logger.info(message)
  else say(message)
}

/** Whether {@link debug} writes anything. */
export const isDebugging = (): boolean => debugs

/** Tells what is done, for whoever looks for a fault. */
export function debug(message: string): void {
  if (!debugs) return
  if (logger !== undefined) logger.debug(message)
  else say(`debug: ${message}`)
}

/** Writes an error into the log alone: standard error is told elsewhere. */
export function logError(message: string): void {
  logger?.error(message)
}

let said: Promise<void> = Promise.resolve()

function say(text: string): void {
  // Nobody reads standard error: then nobody is told.
  said = said.then(() => writeFd(2, encodeUtf8(`${program}: ${text}\n`))).catch(() => undefined)
}

/** Waits until all is written. */
export async function flushLog(): Promise<void> {
  await said
  await logger?.flush()
}
