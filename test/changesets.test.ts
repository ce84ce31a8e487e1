import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const top = fileURLToPath(new URL('..', import.meta.url))

test('a changeset names packages that there are: a release ends at one that there is not', () => {
  const names = readdirSync(`${top}packages`)
    .map(folder => `${top}packages/${folder}/package.json`)
    .filter(path => existsSync(path))
    .map(path => (JSON.parse(readFileSync(path, 'utf8')) as { name: string }).name)
  for (const file of readdirSync(`${top}.changeset`).filter(name => name.endsWith('.md') && name !== 'README.md')) {
    const [, head = ''] = readFileSync(`${top}.changeset/${file}`, 'utf8').split(/^---$/m)
    const bumps = [...head.matchAll(/^['"]([^'"]+)['"]: (?:major|minor|patch)$/gm)].map(([, name]) => name)
    expect(bumps.length, file).toBe(head.trim() === '' ? 0 : head.trim().split('\n').length)
    expect(names, file).toEqual(expect.arrayContaining(bumps))
  }
})
