import { ConfigInvalid, findJsonFault, parseJson } from '@libcontainer/sys'
import { check } from './check.js'
import type { Type } from './schema.js'
import type { Spec, SpecMount, SpecProcess, SpecResources } from './spec.js'

/** What no configuration comes near: a file that is larger is not one. In UTF-16 units, which are bytes for what is common. */
const MAX_SIZE = 16 * 1024 * 1024

/** Deeper than any configuration, and far from where an engine's own stack would end. */
const MAX_DEPTH = 64

/**
 * Reads the text of a `config.json`: JSON, and sound by the official schema.
 *
 * @param file - what errors call the document
 * @throws {ConfigInvalid} with the place in the text (line and column), or in the document (`mounts[2].options[0]`)
 */
export function parseSpec(text: string, file = 'config.json'): Spec {
  return validateSpec(parseText(text, file))
}

/** Reads the text of a `process.json`, as `exec --process` does. @throws {ConfigInvalid} as {@link parseSpec} */
export function parseProcess(text: string, file = 'process.json'): SpecProcess {
  return sound(parseText(text, file), 'Process', ['process']) as SpecProcess
}

/** Reads the text of `linux.resources`, as `update --resources` does. @throws {ConfigInvalid} as {@link parseSpec} */
export function parseResources(text: string, file = 'resources.json'): SpecResources {
  return sound(parseText(text, file), 'Resources', ['linux', 'resources']) as SpecResources
}

/**
 * Reads mounts: the text of a list of them, or of an object that has one, such as a whole `config.json`.
 *
 * @throws {ConfigInvalid} as {@link parseSpec}
 */
export function parseMounts(text: string, file = 'mounts.json'): SpecMount[] {
  const value = parseText(text, file)
  const list = Array.isArray(value) ? value : (value as { mounts?: unknown } | null)?.mounts
  if (!Array.isArray(list)) throw new ConfigInvalid(file, value, 'must hold a list of mounts, or { "mounts": [...] }')
  return sound(list, { '[]': 'Mount' }, ['mounts']) as SpecMount[]
}

/**
 * A sound copy of a parsed `config.json`: fields that the specification does not have are left out, maps have no prototype.
 *
 * @throws {ConfigInvalid} for the first of {@link specProblems}
 */
export function validateSpec(value: unknown): Spec {
  return sound(value, 'Spec') as Spec
}

/** All that the schema finds wrong with a parsed `config.json`, in its order. */
export function specProblems(value: unknown): ConfigInvalid[] {
  return check(value, 'Spec').problems
}

function sound(value: unknown, definition: Type, at: readonly string[] = []): unknown {
  const { value: copy, problems } = check(value, definition, at)
  if (problems.length > 0) throw problems[0]
  return copy
}

function parseText(text: string, file: string): unknown {
  if (text.length > MAX_SIZE)
    throw new ConfigInvalid(file, text.length, `must not be larger than ${MAX_SIZE} characters`)
  try {
    const value: unknown = JSON.parse(text)
    const seen: Seen = { keys: 0, large: false, deep: false }
    see([value], seen, 0)
    if (seen.deep || mayRepeat(text, seen.keys)) examine(text, file)
    return seen.large ? parseJson(text) : value
  } catch (cause) {
    if (cause instanceof ConfigInvalid) throw cause
    examine(text, file)
    throw new ConfigInvalid(file, text, `is no JSON: ${(cause as Error).message}`, { cause })
  }
}

/** @throws {ConfigInvalid} with the line and the column, where the text is not what a configuration may be */
function examine(text: string, file: string): void {
  const found = findJsonFault(text, { maxDepth: MAX_DEPTH, uniqueKeys: true })
  if (found === undefined) return
  const { line, column, position, problem, hint } = found
  const field = `${file}, line ${line}, column ${column}`
  throw new ConfigInvalid(field, text.slice(position, position + 40), problem, hint === undefined ? {} : { hint })
}

/** Of two equal keys a parser keeps the last, and who has looked at the first has been deceived. */
function mayRepeat(text: string, keys: number): boolean {
  // Behind a key stands `":`, unless there are blanks between the two; and whatever else looks so makes the count larger, never smaller.
  // In an interpreter nothing finds them faster than split().
  const parts = text.split(':')
  let count = 0
  for (let i = parts.length - 2; i >= 0; i--) {
    const part = parts[i]!
    const last = part.charCodeAt(part.length - 1)
    if (last === QUOTE) count++
    else if (last <= BLANK) return true
  }
  return count !== keys
}

const QUOTE = 0x22
/** And what is less: JSON's other blanks. */
const BLANK = 0x20

interface Seen {
  keys: number
  /** There is an integer that no number holds: it has to be read as a bigint. */
  large: boolean
  /** It is nested deeper than any configuration. */
  deep: boolean
}

/** Looks for what decides whether the text has to be read with more care, which costs more than all else here. */
function see(value: object, seen: Seen, depth: number): void {
  if (depth > MAX_DEPTH) {
    seen.deep = true
    return
  }
  const isList = Array.isArray(value)
  const parts: readonly unknown[] = isList ? value : Object.values(value)
  if (!isList) seen.keys += parts.length
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    const kind = typeof part
    // What is most is decided first.
    if (kind === 'string') continue
    if (kind === 'object') {
      if (part !== null) see(part as object, seen, depth + 1)
    } else if (kind === 'number' && !Number.isSafeInteger(part)) seen.large = true
  }
}
