import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cgroupFields, cgroupRows, rows, withoutTest } from './rows.js'

const top = fileURLToPath(new URL('../', import.meta.url))

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map(entry => join(entry.parentPath, entry.name))
}

const folders = ['test', ...readdirSync(join(top, 'packages')).map(name => `packages/${name}/test`)]
const sources = folders.flatMap(folder => testFiles(join(top, folder))).map(file => readFileSync(file, 'utf8'))

/** What tests may be called: each string that stands first in a call. */
const names = sources.flatMap(source =>
  Array.from(source.matchAll(/\(\s*(?:'([^'\n]*)'|`[^`]*`|"[^"\n]*")/g), ([, name]) => name ?? ''),
)

/** The ids in them, and those that a table gives its tests. */
const named = new Set([
  ...names.flatMap(name => name.match(/\b[A-Z]{1,3}-\d+\b/g) ?? []),
  ...sources.flatMap(source => Array.from(source.matchAll(/'([A-Z]{1,3}-\d+)'/g), ([, id]) => id!)),
])

test('each row of the checklist has a test named after it, or somebody who owns it', () => {
  expect(rows.filter(id => !named.has(id) && !withoutTest.has(id))).toEqual([])
})

test('no row that has a test is called one without', () => {
  expect([...withoutTest.keys()].filter(id => named.has(id))).toEqual([])
  expect([...withoutTest.keys()].filter(id => !rows.includes(id))).toEqual([])
})

test('of cgroups no row is without a test, and no field of a config', () => {
  expect(cgroupRows.filter(id => !named.has(id))).toEqual([])
  const fields = new Set(names.filter(name => name.startsWith('5d ')).flatMap(name => name.match(/[\w*]+/g) ?? []))
  expect(cgroupFields.filter(field => !fields.has(field))).toEqual([])
})
