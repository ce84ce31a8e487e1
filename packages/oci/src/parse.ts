import { ConfigInvalid, parseJson } from '@libcontainer/sys'
import { check } from './check.js'
import { examineJson } from './json-text.js'
import type { Spec, SpecProcess, SpecResources } from './spec.js'

/** What no configuration comes near: a file that is larger is not one. In UTF-16 units, which are bytes for what is common. */
const MAX_SIZE = 16 * 1024 * 1024

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
  return sound(parseText(text, file), 'Process', 'process') as SpecProcess
}

/** Reads the text of `linux.resources`, as `update --resources` does. @throws {ConfigInvalid} as {@link parseSpec} */
export function parseResources(text: string, file = 'resources.json'): SpecResources {
  return sound(parseText(text, file), 'Resources', 'linux.resources') as SpecResources
}

/**
 * A sound copy of a parsed `config.json`: fields that the specification does not have are left out, maps have no prototype.
 *
 * @throws {ConfigInvalid} for the first of {@link specProblems}
 */
export function validateSpec(value: unknown): Spec {
  return sound(value, 'Spec', '') as Spec
}

/** All that the schema finds wrong with a parsed `config.json`, in its order. */
export function specProblems(value: unknown): ConfigInvalid[] {
  return check(value, 'Spec').problems
}

function sound(value: unknown, definition: string, at: string): unknown {
  const { value: copy, problems } = check(value, definition, at)
  if (problems.length > 0) throw problems[0]
  return copy
}

function parseText(text: string, file: string): unknown {
  if (text.length > MAX_SIZE)
    throw new ConfigInvalid(file, text.length, `must not be larger than ${MAX_SIZE} characters`)
  let value: unknown
  try {
    value = parseJson(text)
    if (isCanonical(text, value)) return value
  } catch (cause) {
    examineJson(text, file)
    throw new ConfigInvalid(file, text, `is no JSON: ${(cause as Error).message}`, { cause })
  }
  examineJson(text, file)
  return value
}

/**
 * Whether the text is what an encoder writes for this value: then no key is in it twice. Of two equal keys a parser keeps the last, and who has
 * looked at the first has been deceived. Most files are, and the slow look is spared.
 */
function isCanonical(text: string, value: unknown): boolean {
  const trimmed = text.trim()
  if (/\d{16}/.test(trimmed)) return false
  return JSON.stringify(value) === trimmed || JSON.stringify(value, undefined, '\t') === trimmed
}
