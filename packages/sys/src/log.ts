import { ConfigInvalid } from './errors/errors.js'
import { visibleJson } from './errors/visible.js'
import type { OwnedFd } from './files/fd.js'
import { O_APPEND, O_CREAT, O_WRONLY, openFile, writeFd } from './files/files.js'
import { stringifyJson } from './json/json.js'
import { encodeUtf8 } from './utf8.js'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What goes with a message: the fields of its line. */
export type LogFields = Readonly<Record<string, unknown>>

export interface LogOptions {
  /** The least level that is written. Default: `info` */
  level?: LogLevel
  /** `text` is `time="…" level=info msg="…"`, `json` one object a line: the forms that container engines read. Default: `text` */
  format?: LogFormat
  /** The path of a file (made with 0644, appended to, synced), or a descriptor, which stays the caller's. Default: standard error */
  to?: string | OwnedFd
  /** Fields of every line. */
  fields?: LogFields
}

const STDERR = 2
/** The same on x86-64 and arm64. */
const O_SYNC = 0o4010000

/** Writes lines about what is done, in order. Nothing is waited for but by {@link Logger.close}; what cannot be written is told there. */
export class Logger {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly #fields: LogFields
  readonly #owned: OwnedFd | undefined
  readonly #fd: number
  #lines: string[] = []
  #writing: Promise<void> | undefined
  #failure: unknown

  private constructor(fd: number, owned: OwnedFd | undefined, { level, format, fields }: LogOptions) {
    this.level = level ?? 'info'
    this.format = format ?? 'text'
    this.#fields = fields ?? {}
    this.#fd = fd
    this.#owned = owned
  }

  /** @throws {ConfigInvalid} for an unknown level or format; {SyscallError} when the file cannot be opened */
  static async open(options: LogOptions = {}): Promise<Logger> {
    const { level = 'info', format = 'text', to } = options
    if (!LOG_LEVELS.includes(level)) throw new ConfigInvalid('level', level, `must be one of ${LOG_LEVELS.join(', ')}`)
    if (!LOG_FORMATS.includes(format)) throw new ConfigInvalid('format', format, 'must be text or json')
    if (typeof to !== 'string') return new Logger(to?.fd ?? STDERR, undefined, options)
    const file = await openFile(to, O_WRONLY | O_CREAT | O_APPEND | O_SYNC, 0o644)
    return new Logger(file.fd, file, options)
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields)
  }

  /** Takes over what a helper program wrote, a line each: objects of the JSON form keep their level and fields, other lines are errors. */
  merge(output: string): void {
    for (const line of output.split('\n')) {
      if (line.trim() === '') continue
      const entry = helperEntry(line)
      if (entry === undefined) this.#log('error', line)
      else this.#log(entry.level, entry.message, entry.fields)
    }
  }

  /** Waits until all is written. @throws what a write has met */
  async flush(): Promise<void> {
    await this.#writing
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  /** Writes what is left, then closes the file that was opened for it. */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      this.#owned?.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return
    this.#lines.push(formatLine(this.format, level, message, { ...this.#fields, ...fields }))
    this.#writing ??= this.#write()
  }

  /** One write for all lines that have come together meanwhile. */
  async #write(): Promise<void> {
    try {
      // All of one turn of the program go out together.
      await undefined
      while (this.#lines.length > 0) await writeFd(this.#fd, encodeUtf8(this.#lines.splice(0).join('')))
    } catch (failure) {
      this.#failure = failure
      this.#lines.length = 0
    } finally {
      this.#writing = undefined
    }
  }
}

function formatLine(format: LogFormat, level: LogLevel, message: string, fields: LogFields): string {
  // `warning` is the word that engines know.
  const word = level === 'warn' ? 'warning' : level
  const time = new Date().toISOString()
  const own = new Set(['level', 'msg', 'time'])
  const entries = Object.entries(fields).map(([key, value]) => [own.has(key) ? `fields.${key}` : key, plain(value)])
  if (format === 'json')
    return `${visibleJson(stringifyJson(Object.fromEntries([...entries, ['level', word], ['msg', message], ['time', time]])))}\n`
  const more = entries.map(([key, value]) => ` ${textValue(key)}=${textValue(value)}`).join('')
  return `time="${time}" level=${word} msg=${quoted(message)}${more}\n`
}

const plain = (value: unknown): unknown => (value instanceof Error ? value.message : value)

/** JSON, in which the control characters of C1 are escaped as well: a terminal obeys those, too. */
const quoted = (text: string): string => visibleJson(JSON.stringify(text))

/** A bare word as it stands, all else quoted: no value can pass for a further field or line. */
function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (stringifyJson(value) ?? String(value))
  return /^[\w.:/@+-]+$/.test(text) ? text : quoted(text)
}

const levelWords = new Map<unknown, LogLevel>([
  ['trace', 'debug'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
  ['panic', 'error'],
])

function helperEntry(line: string): { level: LogLevel; message: string; fields: LogFields } | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { level: word, msg, time, ...fields } = value as Record<string, unknown>
  const level = levelWords.get(word)
  if (level === undefined || typeof msg !== 'string') return undefined
  return { level, message: msg, fields: time === undefined ? fields : { ...fields, helperTime: time } }
}
