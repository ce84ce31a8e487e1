/** Where a text stops being JSON. */
export interface JsonProblem {
  /** From 1. */
  readonly line: number
  /** In characters, from 1. */
  readonly column: number
  readonly problem: string
}

/**
 * Finds what is wrong with a text that is no JSON, alike in both engines, whose own messages tell different things. Only for a text that has
 * been refused: it is not fast, and knows nothing of the values.
 */
export function findJsonProblem(text: string): JsonProblem {
  const scanner = new Scanner(text)
  const problem = scanner.document()
  const before = text.slice(0, scanner.at).split('\n')
  return { line: before.length, column: [...before.at(-1)!].length + 1, problem }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const SPACE = /[ \t\n\r]*/y
/** A string up to its closing quote, or to what is wrong with it. */
const STRING = /"(?:[ !#-[\]-\uffff]+|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y

class Scanner {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** What is wrong at `at`. Iterative: the text may be nested as deeply as it likes. */
  document(): string {
    const open: ('{' | '[')[] = []
    let expected: 'value' | 'first' | 'key' | 'end' = 'value'
    for (;;) {
      this.#take(SPACE)
      const next = this.#text[this.at]
      const inside = open.at(-1)
      if (expected === 'end') {
        if (inside === undefined) return next === undefined ? 'is no JSON' : `expected the end, not ${this.#found()}`
        if (next === (inside === '{' ? '}' : ']')) open.pop()
        else if (next === ',') expected = inside === '{' ? 'key' : 'value'
        else return `expected , or ${inside === '{' ? '}' : ']'}, not ${this.#found()}`
        this.at++
        continue
      }
      if (expected === 'first' && next === (inside === '{' ? '}' : ']')) {
        open.pop()
        this.at++
        expected = 'end'
        continue
      }
      if (inside === '{' && (expected === 'first' || expected === 'key')) {
        if (next !== '"') return `expected a name in double quotes, not ${this.#found()}`
        if (!this.#string()) return this.#brokenString()
        this.#take(SPACE)
        if (this.#text[this.at] !== ':') return `expected :, not ${this.#found()}`
        this.at++
        expected = 'value'
        continue
      }
      if (next === '{' || next === '[') {
        open.push(next)
        this.at++
        expected = 'first'
        continue
      }
      if (next === '"') {
        if (!this.#string()) return this.#brokenString()
      } else if (!this.#take(WORD) && !this.#take(NUMBER)) {
        return `expected a value, not ${this.#found()}`
      }
      expected = 'end'
    }
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const [found = ''] = pattern.exec(this.#text) ?? []
    this.at += found.length
    return found !== ''
  }

  #string(): boolean {
    this.#take(STRING)
    if (this.#text[this.at] !== '"') return false
    this.at++
    return true
  }

  #brokenString(): string {
    const next = this.#text[this.at]
    if (next === undefined) return 'the string has no end'
    return next === '\\' ? 'no such escape in a string' : 'a string cannot hold this character: escape it'
  }

  #found(): string {
    const next = this.#text.codePointAt(this.at)
    return next === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(next))
  }
}
