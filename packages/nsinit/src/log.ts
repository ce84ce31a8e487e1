import {
  encodeUtf8,
  environment,
  Logger,
  O_APPEND,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  openFile,
  writeFd,
} from '@libcontainer/sys'
import { isOn, type Parsed } from './command-line.js'

let file: Logger | undefined
let debugs = false

/**
 * Where messages go beside errors: the file of `--log-file`, made anew, or of the environment's `log`, as in 2014, to whose end is written;
 * else standard error.
 */
export async function openLog(parsed: Pick<Parsed, 'flags'>): Promise<void> {
  debugs = isOn(parsed, 'debug')
  const anew = parsed.flags.get('log-file')
  const path = anew || environment.log
  if (!path) return
  const fd = await openFile(path, O_WRONLY | O_CREAT | (anew ? O_TRUNC : O_APPEND), anew ? 0o644 : 0o755)
  file = await Logger.open({ to: fd, level: debugs ? 'debug' : 'info' })
}

export const hasLogFile = (): boolean => file !== undefined

/** Something is odd, but works. */
export function warn(message: string): void {
  if (file !== undefined) file.warn(message)
  else say(`warning: ${message}`)
}

/** Something that is asked for has happened. */
export function inform(message: string): void {
  if (file !== undefined) file.info(message)
  else say(message)
}

/** What is done, for whoever looks for a fault: only with `--debug`. */
export function debug(message: string): void {
  if (!debugs) return
  if (file !== undefined) file.debug(message)
  else say(`debug: ${message}`)
}

/** Into the log file alone: standard error is told elsewhere. */
export function logError(message: string): void {
  file?.error(message)
}

let said: Promise<void> = Promise.resolve()

function say(text: string): void {
  // Nobody reads standard error: then nobody is told.
  said = said.then(() => writeFd(2, encodeUtf8(`nsinit: ${text}\n`))).catch(() => undefined)
}

/** Waits until all is written. */
export async function flushLog(): Promise<void> {
  await said
  await file?.flush()
}
