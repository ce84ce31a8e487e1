import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rows, withoutTest } from './rows.js'

const top = fileURLToPath(new URL('../', import.meta.url))

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map(entry => join(entry.parentPath, entry.name))
}

/** The ids in the names of tests: of each string that stands first in a call, and those that a table gives its tests. */
function namedRows(): Set<string> {
  const folders = ['test', ...readdirSync(join(top, 'packages')).map(name => `packages/${name}/test`)]
  const ids = new Set<string>()
  for (const file of folders.flatMap(folder => testFiles(join(top, folder)))) {
    const source = readFileSync(file, 'utf8')
    for (const [, id] of source.matchAll(/'([A-Z]{1,3}-\d+)'/g)) ids.add(id!)
    for (const [, name] of source.matchAll(/\(\s*(?:'([^'\n]*)'|`[^`]*`|"[^"\n]*")/g)) {
      for (const [id] of (name ?? '').matchAll(/\b[A-Z]{1,3}-\d+\b/g)) ids.add(id)
    }
  }
  return ids
}

const named = namedRows()

test('each row of the checklist has a test named after it, or somebody who owns it', () => {
  expect(rows.filter(id => !named.has(id) && !withoutTest.has(id))).toEqual([])
})

test('no row that has a test is called one without', () => {
  expect([...withoutTest.keys()].filter(id => named.has(id))).toEqual([])
  expect([...withoutTest.keys()].filter(id => !rows.includes(id))).toEqual([])
})
