import { fieldName } from './pointer.js'

/** What is wrong with a text that should be JSON. */
export interface JsonFault {
  /** In UTF-16 units, from 0. */
  readonly position: number
  /** From 1. */
  readonly line: number
  /** In characters, from 1. */
  readonly column: number
  readonly problem: string
  /** What to do about it, where that can be told. */
  readonly hint: string | undefined
}

export interface JsonRules {
  /** How many objects and lists may lie in each other. Default: any number. */
  readonly maxDepth?: number
  /** Refuses keys that come twice in an object, of which a parser keeps the last. Default: false. */
  readonly uniqueKeys?: boolean
}

/** What a text of JSON is made of, with the blanks before it. */
const token =
  /[ \t\n\r]*(?:("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*")|([{}[\],:])|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y
const blanks = /[ \t\n\r]*/y
/** A string up to its closing quote, or to what is wrong with it. */
const string = /"(?:[ !#-[\]-\uffff]+|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y

/** An object or a list that is not closed yet. */
interface Open {
  /** Of an object, the keys so far. */
  readonly keys: Set<string> | undefined
  readonly at: string
  key: string
  count: number
}

type State = 'value' | 'first' | 'key' | 'colon' | 'more' | 'end'

/**
 * Looks at a text itself, for what a parsed value no longer tells and a parser tells in each engine otherwise: where it ceases to be JSON, keys
 * that come twice, endless nesting. Iterative, since it may be nested as deeply as it likes.
 *
 * @returns `undefined` for JSON that keeps the rules
 */
export function findJsonFault(text: string, { maxDepth, uniqueKeys = false }: JsonRules = {}): JsonFault | undefined {
  const open: Open[] = []
  /** What may come next. */
  let state = 'value' as State
  token.lastIndex = 0

  const closed = (): void => {
    state = open.length === 0 ? 'end' : 'more'
  }
  const place = (): string => {
    const inner = open.at(-1)
    if (inner === undefined || !uniqueKeys) return ''
    return inner.keys === undefined ? `${inner.at}[${inner.count}]` : fieldName(inner.key, inner.at)
  }

  for (;;) {
    blanks.lastIndex = token.lastIndex
    blanks.test(text)
    const position = blanks.lastIndex
    const match = token.exec(text)
    const inner = open.at(-1)
    if (match === null) {
      if (position < text.length) return noJson(text, position, expected(state, inner))
      return state === 'end' ? undefined : fault(text, position, 'is no JSON: the text ends too early')
    }
    const [, quoted, sign, scalar] = match
    if ((state === 'key' || (state === 'first' && inner?.keys)) && quoted !== undefined) {
      if (uniqueKeys) {
        const key = JSON.parse(quoted) as string
        if (inner!.keys!.has(key))
          return fault(
            text,
            position,
            `says ${fieldName(key, inner!.at)} twice`,
            'leave one of the two out: readers disagree on which counts',
          )
        inner!.keys!.add(key)
        inner!.key = key
      }
      state = 'colon'
    } else if (state === 'colon' && sign === ':') state = 'value'
    else if (state === 'more' && sign === ',') {
      inner!.count++
      state = inner!.keys ? 'key' : 'value'
    } else if ((state === 'more' || state === 'first') && sign === (inner?.keys ? '}' : ']')) {
      open.pop()
      closed()
    } else if ((state === 'value' || (state === 'first' && !inner?.keys)) && (sign === '{' || sign === '[')) {
      if (open.length === maxDepth) return fault(text, position, `is nested deeper than ${maxDepth} levels`)
      open.push({ keys: sign === '{' ? new Set() : undefined, at: place(), key: '', count: 0 })
      state = 'first'
    } else if ((state === 'value' || (state === 'first' && !inner?.keys)) && (quoted ?? scalar) !== undefined) closed()
    else return noJson(text, position, expected(state, inner))
  }
}

function fault(text: string, position: number, problem: string, hint?: string): JsonFault {
  const before = text.slice(0, position).split('\n')
  return { position, line: before.length, column: [...before.at(-1)!].length + 1, problem, hint }
}

/** A string where one may stand is wrong in itself, and told of where it is. */
function noJson(text: string, position: number, wanted: string): JsonFault {
  string.lastIndex = position
  if (!/value|name/.test(wanted) || !string.test(text) || text[string.lastIndex] === '"')
    return fault(text, position, `is no JSON: ${wanted} must stand here`, remedy(text.slice(position, position + 2)))
  const at = string.lastIndex
  if (at === text.length) return fault(text, at, 'is no JSON: the string has no end')
  if (text[at] === '\\') return fault(text, at, 'is no JSON: there is no such escape in a string')
  return fault(text, at, 'is no JSON: a string cannot hold this character', 'escape it: \\n for the end of a line')
}

function expected(state: State, inner?: Open): string {
  if (state === 'key') return 'a name in double quotes'
  if (state === 'colon') return 'a colon'
  if (state === 'more') return inner?.keys === undefined ? 'a comma or a closing bracket' : 'a comma or a closing brace'
  if (state === 'end') return 'nothing more'
  if (state === 'first' && inner?.keys !== undefined) return 'a name in double quotes or a closing brace'
  return 'a value'
}

function remedy(rest: string): string | undefined {
  if (rest.startsWith("'")) return 'JSON has double quotes alone'
  if (rest.startsWith('//') || rest.startsWith('/*') || rest.startsWith('#')) return 'JSON has no comments'
  if (/^[}\]]/.test(rest)) return 'leave the comma before it out'
  if (rest.startsWith('\ufeff')) return 'save it without a byte order mark'
  return undefined
}
