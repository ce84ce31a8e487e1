import { ConfigInvalid, fieldName } from '@libcontainer/sys'

/** Deeper than any configuration, and far from where an engine's own stack would end. */
export const MAX_DEPTH = 64

/** What a text of JSON is made of, with the blanks before it. */
const token =
  /[ \t\n\r]*(?:("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*")|([{}[\],:])|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y

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
 * Looks at the text itself, for what a parsed value no longer tells: where it ceases to be JSON, keys that come twice, endless nesting.
 *
 * @throws {ConfigInvalid} with the line and the column
 */
export function examineJson(text: string, file: string): void {
  const open: Open[] = []
  /** What may come next. */
  let state = 'value' as State
  token.lastIndex = 0

  const fail = (problem: string, position: number, hint?: string): never => {
    const before = text.slice(0, position).split('\n')
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`
    throw new ConfigInvalid(`${file}, ${place}`, text.slice(position, position + 40), problem, hint ? { hint } : {})
  }
  const closed = (): void => {
    state = open.length === 0 ? 'end' : 'more'
  }
  const place = (): string => {
    const inner = open.at(-1)
    if (inner === undefined) return ''
    return inner.keys === undefined ? `${inner.at}[${inner.count}]` : fieldName(inner.key, inner.at)
  }

  for (;;) {
    const start = token.lastIndex
    const match = token.exec(text)
    const position = start + /^[ \t\n\r]*/.exec(text.slice(start, start + 4096))![0].length
    if (match === null) {
      if (position >= text.length && state === 'end') return
      if (position >= text.length) fail('is no JSON: the text ends too early', position)
      fail(`is no JSON: ${expected(state, open.at(-1))} must stand here`, position, remedy(text.slice(position)))
    }
    const [, string, sign, scalar] = match!
    const inner = open.at(-1)
    if ((state === 'key' || (state === 'first' && inner?.keys)) && string !== undefined) {
      const key = JSON.parse(string) as string
      if (inner!.keys!.has(key))
        fail(
          `says ${fieldName(key, inner!.at)} twice`,
          position,
          'leave one of the two out: readers disagree on which counts',
        )
      inner!.keys!.add(key)
      inner!.key = key
      state = 'colon'
    } else if (state === 'colon' && sign === ':') state = 'value'
    else if (state === 'more' && sign === ',') {
      inner!.count++
      state = inner!.keys ? 'key' : 'value'
    } else if ((state === 'more' || state === 'first') && sign === (inner?.keys ? '}' : ']')) {
      open.pop()
      closed()
    } else if ((state === 'value' || (state === 'first' && !inner?.keys)) && (sign === '{' || sign === '[')) {
      if (open.length === MAX_DEPTH) fail(`is nested deeper than ${MAX_DEPTH} levels`, position)
      open.push({ keys: sign === '{' ? new Set() : undefined, at: place(), key: '', count: 0 })
      state = 'first'
    } else if ((state === 'value' || (state === 'first' && !inner?.keys)) && (string ?? scalar) !== undefined) closed()
    else fail(`is no JSON: ${expected(state, inner)} must stand here`, position, remedy(text.slice(position)))
  }
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
