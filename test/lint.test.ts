import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('../', import.meta.url))

/** The rules that Biome, set up as here, finds broken in each of these sources at these paths. */
function lint(sources: ReadonlyMap<string, string>): Map<string, string[]> {
  using dir = temporaryDirectory('lint-')
  const settings = JSON.parse(readFileSync(join(top, 'biome.json'), 'utf8')) as object
  writeFileSync(join(dir.path, 'biome.json'), JSON.stringify({ ...settings, vcs: undefined }))
  for (const [path, source] of sources) {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true })
    writeFileSync(join(dir.path, path), source)
  }
  const biome = join(top, 'node_modules/.bin/biome')
  const { stdout } = spawnSync(biome, ['lint', '--max-diagnostics=none', '--reporter=json'], {
    cwd: dir.path,
    encoding: 'utf8',
  })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] }
  return new Map(
    [...sources.keys()].map(path => [
      path,
      diagnostics.filter(({ location }) => location.path === path).map(({ category }) => category),
    ]),
  )
}

const forbidden: [source: string, rule: string][] = [
  ["import { readFileSync } from 'node:fs'\nreadFileSync('/')\n", 'lint/correctness/noNodejsModules'],
  ["import { readFileSync } from 'fs'\nreadFileSync('/')\n", 'lint/correctness/noNodejsModules'],
  ["export const later = import('node:net')\n", 'lint/correctness/noNodejsModules'],
  ["export * from 'node:path'\n", 'lint/correctness/noNodejsModules'],
  ...[
    'process.exit(1)\n',
    'export const bytes = Buffer.alloc(1)\n',
    "console.log('x')\n",
    'setTimeout(() => {}, 1)\n',
    'setInterval(() => {}, 1)\n',
    'setImmediate(() => {})\n',
    'export const copy = structuredClone({})\n',
    "export const answer = fetch('http://127.0.0.1')\n",
  ].map((source): [string, string] => [source, 'lint/style/noRestrictedGlobals']),
]

const allowed = `import { encodeUtf8 } from '@libcontainer/sys'

export const one = encodeUtf8('1')
export const two = new TextEncoder().encode('2')
`

const ofNode = `import { readFileSync } from 'node:fs'

export const text = readFileSync('/', 'utf8')
process.exit(1)
`

describe('the core runs in both engines, so that its sources', () => {
  const path = (i: number) => `packages/mount/src/forbidden-${i}.ts`
  let found = new Map<string, string[]>()

  beforeAll(() => {
    found = lint(
      new Map([
        ...forbidden.map(([source], i): [string, string] => [path(i), source]),
        ['packages/mount/src/allowed.ts', allowed],
        ['packages/mount/src/node/x.ts', ofNode],
      ]),
    )
  })

  test.each(forbidden.map((row, i) => [...row, i] as const))('may not say %j', (_, rule, i) => {
    expect(found.get(path(i))).toContain(rule)
  })

  test('may import @libcontainer/sys, and use what both engines have', () => {
    expect(found.get('packages/mount/src/allowed.ts')).toEqual([])
  })

  test('leave Node.js to src/node', () => {
    expect(found.get('packages/mount/src/node/x.ts')).toEqual([])
  })
})
