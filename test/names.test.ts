import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import goNames from './go-names.json' with { type: 'json' }

const top = fileURLToPath(new URL('../', import.meta.url))
const page = readFileSync(`${top}docs/names.md`, 'utf8')

/** The sections of the page by their folder of the Go tree. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map(section => [/^`([^`]+)`/.exec(section)?.[1] ?? '.', section]),
)

test('D-02 every exported name of the Go trees is on the page of names', () => {
  for (const [folder, names] of Object.entries(goNames)) {
    const left = [...(sections.get(folder) ?? '').matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell).join()
    expect(
      names.filter(name => !left.includes(`\`${name}\``)),
      folder,
    ).toEqual([])
  }
})

const exported = [...page.matchAll(/`([A-Za-z]\w*)(?:\.(\w+))?` of `(\w+)`/g)].map(([, name, member, of]) => ({
  name: name!,
  member,
  of: of!,
}))

test('D-02 every name that the page tells is an export of its package', async () => {
  const problems: string[] = []
  for (const { name, member, of } of exported) {
    if (!existsSync(`${top}packages/${of}`)) problems.push(`no package ${of}`)
    const types = readFileSync(`${top}packages/${of}/dist/index.d.ts`, 'utf8')
    const value = ((await import(`@libcontainer/${of}`)) as Record<string, { prototype?: object } | undefined>)[name]
    if (value === undefined && !new RegExp(`\\b${name}\\b`).test(types)) problems.push(`${of} does not export ${name}`)
    if (member === undefined || value?.prototype === undefined) continue
    if (!(member in value) && !(member in value.prototype)) problems.push(`${of}: ${name} has no ${member}`)
  }
  expect(problems).toEqual([])
  expect(exported.length).toBeGreaterThan(150)
})
