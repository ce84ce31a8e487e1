import { findJsonFault, parseJson, stringifyJson } from '@libcontainer/sys'
import { hold, same, textOf } from '../support/oracles.js'

/** The engine's own parser is the other implementation: what is JSON to it is to ours, and has the same value but for large integers. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data)
  const fault = findJsonFault(text)
  let plain: unknown
  try {
    plain = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    hold(fault !== undefined, 'what the engine refuses has no fault')
    return
  }
  hold(fault === undefined, `what the engine takes has a fault: ${fault?.problem}`)
  const written = stringifyJson(parseJson(text))
  // A number beyond all doubles is none to the engine's writer.
  same(JSON.parse(written), JSON.parse(JSON.stringify(plain)), 'written by us and read by the engine')
  same(stringifyJson(parseJson(written)), written, 'written, read and written again')
  // Found by their place, which is within the text.
  for (const found of [findJsonFault(text, { uniqueKeys: true }), findJsonFault(text, { maxDepth: 2 })])
    if (found !== undefined)
      hold(found.position <= text.length && found.line > 0 && found.column > 0, 'a fault at no place')
}

export function seeds(): string[] {
  return [
    '{"a":[1,-2.5e3,true,false,null,"x\\n\\u00e9\\\\"],"b":{"c":18446744073709551615,"__proto__":9007199254740993}}',
    '[]',
    '"\\ud800"',
    '{"a":1,"a":2}',
    '[[[[1]]]]',
    "{'a':1}",
    '// no',
    '1e400',
    '123456789012345678901234567890',
    '"12345678901234567890"',
  ]
}
