import { errorText } from './error-codes.js'
import { LibcontainerError } from './errors.js'
import { type Frame, parseStack } from './stack.js'

/** What text can be written to: a stream of Node.js, and whatever else has this. */
export interface TextWriter {
  write(text: string): unknown
}

/**
 * All that there is to know of an error, over several lines: when it happened, its code with the fixed text, the message, what to do about
 * it, where it was raised, and the same of what caused it.
 *
 * ```text
 * Timestamp: 2026-05-01T10:00:00.000Z
 * Code: ConfigInvalid (7, Invalid configuration)
 *
 * Message: rootfs: must be absolute (got "x")
 *
 * Frames:
 * ---
 * 0: validate
 * Package: @libcontainer/container
 * File: …/validate.js@54
 * ```
 *
 * @param writer - gets the text; the answer is the text either way
 */
export function detail(error: unknown, writer?: TextWriter): string {
  const seen = new Set<unknown>()
  const parts: string[] = []
  for (let one = error; one !== undefined && !seen.has(one); one = one instanceof Error ? one.cause : undefined) {
    seen.add(one)
    parts.push(describe(one))
  }
  const text = parts.join('\nCaused by\n')
  writer?.write(text)
  return text
}

function describe(error: unknown): string {
  const lines: string[] = []
  if (error instanceof LibcontainerError) lines.push(`Timestamp: ${error.time.toISOString()}`)
  lines.push(`Code: ${codeOf(error)}`, '', `Message: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof LibcontainerError && error.hint !== undefined) lines.push(`Hint: ${error.hint}`)
  const frames = error instanceof Error ? parseStack(error.stack) : []
  if (frames.length > 0) lines.push('', 'Frames:', ...frames.map(frameText))
  return `${lines.join('\n')}\n`
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'none'
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return error.name
  const number = error instanceof LibcontainerError ? error.number : undefined
  return number === undefined ? code : `${code} (${number}, ${errorText(number)})`
}

const frameText = (frame: Frame, i: number): string =>
  `---\n${i}: ${frame.function || '(top of the module)'}\nPackage: ${frame.package || '(none)'}\nFile: ${frame.file}@${frame.line}`
