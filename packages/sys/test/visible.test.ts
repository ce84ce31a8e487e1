import { readFileSync } from 'node:fs'
import { Logger, visibleJson, visibleLine, visibleText } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

test('control characters are visible, those of C1 and DEL too; all other text is as it was', () => {
  expect(visibleLine('a\x1b[2J\x9bm\x7f\x00\r\n\tb')).toBe('a\\x1b[2J\\x9bm\\x7f\\x00\\r\\n\\tb')
  expect(visibleText('a\x1b[2J\x9bm\x7f\x00\r\n\tb')).toBe('a\\x1b[2J\\x9bm\\x7f\\x00\\r\n\tb')
  for (const text of ['', 'plain', 'größer 😀 \u00a0 \\x1b']) {
    expect(visibleLine(text)).toBe(text)
    expect(visibleText(text)).toBe(text)
  }
})

test('JSON says the same, and has no control character but its own blanks', () => {
  const value = { 'k\x9b': ['a\x1b[2J\x9bm\x7f\n', '\\x9b', 'größer 😀'] }
  const json = visibleJson(JSON.stringify(value, undefined, '\t'))
  expect(json.replace(/[\t\n]/g, '')).not.toMatch(/\p{Cc}/u)
  expect(JSON.parse(json)).toEqual(value)
})

test.each(['text', 'json'] as const)(
  'UT-14 a log in %s has no control character, and its messages are JSON all the same',
  async format => {
    using place = temporaryDirectory('visible-')
    const path = `${place.path}/log`
    const message = 'a\x1b[2J\x9bm\x7f\n'
    await using log = await Logger.open({ to: path, format })
    log.error(message, { more: '\x9b' })
    await log.flush()
    const line = readFileSync(path, 'utf8').trimEnd()
    expect(line).not.toMatch(/\p{Cc}/u)
    expect(JSON.parse(/"?msg"?[=:]("(?:[^"\\]|\\.)*")/.exec(line)![1]!)).toBe(message)
  },
)
