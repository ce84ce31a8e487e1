import { stringifyJson } from '@libcontainer/sys'
import { Choices, textOf } from './oracles.js'

/** What a field may hold instead of what belongs there. */
const ODD: readonly unknown[] = [
  ...[null, true, '', 'a\0b', '\ud800', '/', '../..', '/proc/self/fd/0', 'x'.repeat(5000), 'toString', '*', 'host'],
  ...[0, -1, 1, 1.5, 0xffffffff, 2 ** 32, 2 ** 53, 2n ** 64n - 1n, -(2n ** 63n)],
  ...[[], {}, [null], ['a', 'a'], { '': 1 }, [[]], { toString: 'x', constructor: 1 }],
]

type Parent = Record<string, unknown>

const isParent = (value: unknown): value is Parent => typeof value === 'object' && value !== null

function keysOf(value: unknown, keys: Set<string>): Set<string> {
  if (!isParent(value)) return keys
  for (const [key, part] of Object.entries(value)) {
    if (!Array.isArray(value)) keys.add(key)
    keysOf(part, keys)
  }
  return keys
}

/** Changes one place of a document: another value, none, one more of it, or a field that belongs elsewhere. */
function edit(document: Parent, choices: Choices, keys: readonly string[]): void {
  const odd = (): unknown => structuredClone(choices.of(ODD))
  let at = document
  for (;;) {
    const own = Object.keys(at)
    const key = own.length === 0 ? choices.of(keys) : choices.of(own)
    const inner = at[key]
    if (isParent(inner) && choices.byte() % 4 > 0) {
      at = inner
      continue
    }
    switch (choices.byte() % 4) {
      case 0:
        at[key] = odd()
        return
      case 1:
        delete at[key]
        return
      case 2:
        at[choices.of(keys)] = choices.byte() % 2 === 0 ? structuredClone(inner) : odd()
        return
      default:
        if (Array.isArray(at)) at.push(structuredClone(inner))
        else at[key] = [structuredClone(inner)]
        return
    }
  }
}

/** An input as JSON: text as it stands, or behind a 0 edits of one of some documents, which text would hardly come to by chance. */
export function documentOf(data: Uint8Array, documents: readonly unknown[]): string {
  if (data[0] !== 0) return textOf(data)
  const choices = new Choices(data.subarray(1))
  const keys = [...keysOf(documents, new Set())]
  const document = structuredClone(choices.of(documents)) as Parent
  for (let edits = 0; edits < 8 && !choices.over; edits++) edit(document, choices, keys)
  return stringifyJson(document)
}

/** The documents themselves, and one edit of each. */
export function documentSeeds(documents: readonly unknown[]): (string | Uint8Array)[] {
  return documents.flatMap((document, i) => [stringifyJson(document), Uint8Array.from([0, i, 1, 1, 1, 0, 3])])
}
