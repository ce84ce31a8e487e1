import {
  encodeUtf8,
  LOG_LEVELS,
  type LogFormat,
  Logger,
  type LogLevel,
  type OwnedFd,
  visibleText,
  writeFd,
} from '@libcontainer/sys'
import type { LogService } from './log-service.js'

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
  /** Logs of the system, besides. */
  readonly services?: readonly { readonly service: LogService; readonly name: string }[]
  /** The least level that is written. Default: `info`, with `debug` that. */
  readonly level?: LogLevel | undefined
}

let logger: Logger | undefined
/** Where messages go in place of standard error, if anywhere. */
let sinks: ((level: LogLevel, message: string) => void)[] = []
let toStandardError = true
let program = ''
let least: LogLevel = 'info'

/** Says where {@link warn}, {@link inform} and {@link debug} write, for the whole of this program. */
export async function openLog(request: LogRequest): Promise<void> {
  const { to, format, services = [] } = request
  program = request.program
  least = request.level ?? (request.debug ? 'debug' : 'info')
  toStandardError = to === undefined && services.length === 0
  sinks = []
  if (to !== undefined || format !== undefined) {
    logger = await openLogger({ level: least, format, to })
    sinks.push((level, message) => logger?.[level](message))
  }
  if (services.length === 0) return
  const { openLogService } = await import('./log-service.js')
  for (const { service, name } of services) sinks.push(await openLogService(service, name))
}

const openLogger = ({ level, format, to }: Pick<LogRequest, 'format' | 'to'> & { level: LogLevel }): Promise<Logger> =>
  Logger.open({ level, ...(format === undefined ? {} : { format }), ...(to === undefined ? {} : { to }) })

/** Whether standard error is for the lines of a log alone. */
export const logsToStandardError = (): boolean => toStandardError && sinks.length > 0

/** Tells of something odd that works. */
export function warn(message: string): void {
  if (!tell('warn', message)) say(`warning: ${message}`)
}

/** Tells of something that was asked for, and has happened. */
export function inform(message: string): void {
  if (!tell('info', message)) say(message)
}

/** Whether {@link debug} writes anything. */
export const isDebugging = (): boolean => least === 'debug'

/** Tells what is done, for whoever looks for a fault. */
export function debug(message: string): void {
  if (!tell('debug', message)) say(`debug: ${message}`)
}

/** Writes an error into the log alone: standard error is told elsewhere. */
export function logError(message: string): void {
  tell('error', message)
}

/** False for what is to go to standard error. */
function tell(level: LogLevel, message: string): boolean {
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return true
  for (const sink of sinks) sink(level, message)
  return sinks.length > 0
}

let said: Promise<void> = Promise.resolve()

function say(text: string): void {
  // Nobody reads standard error: then nobody is told.
  said = said.then(() => writeFd(2, encodeUtf8(`${program}: ${visibleText(text)}\n`))).catch(() => undefined)
}

/** Waits until all is written. */
export async function flushLog(): Promise<void> {
  await said
  await logger?.flush()
}
