import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { furtherParts, rows, withoutTest } from './rows.js'

const here = import.meta.dirname
const sources = readdirSync(here)
  .filter(name => name.endsWith('.root.test.ts'))
  .map(name => readFileSync(join(here, name), 'utf8'))

/** The ids that names of tests begin with. */
const named = new Set(
  sources
    .flatMap(source => Array.from(source.matchAll(/\btest(?:\.each\([^`]*?\))?\(\s*'((?:(?:CVE-\d+|NODE|TS)-\d+ )+)/g)))
    .flatMap(([, ids]) => ids!.trim().split(' ')),
)

test('each known flaw has a test named after it, or somebody who owns it', () => {
  expect(rows.filter(id => !named.has(id) && !withoutTest.has(id))).toEqual([])
  expect([...named].filter(id => !rows.includes(id) && id !== 'TS-05')).toEqual([])
})

test('none that has a test is called one without', () => {
  expect([...withoutTest.keys()].filter(id => named.has(id) || !rows.includes(id))).toEqual([])
  expect([...furtherParts.keys()].filter(id => !named.has(id))).toEqual([])
})
