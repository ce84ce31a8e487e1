import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './support/index.js'

const folder = fileURLToPath(new URL('../packages/', import.meta.url))
const packages = readdirSync(folder).filter(name => existsSync(`${folder}${name}/src/index.ts`))

/** A module that an index exports from, and which of its names; `undefined` is all of them. */
interface Exported {
  readonly file: string
  readonly names: ReadonlySet<string> | undefined
}

function exportedBy(index: string): Exported[] {
  return [...readFileSync(index, 'utf8').matchAll(/^export (\*|\{[^}]*\}) from '\.\/([^']+)\.js'/gm)].map(
    ([, what, module]) => ({
      file: `${index.slice(0, -'index.ts'.length)}${module}.ts`,
      names:
        what === '*'
          ? undefined
          : new Set(
              what!
                .slice(1, -1)
                .split(',')
                .map(name => name.trim().split(' as ')[0]!),
            ),
    }),
  )
}

/** The functions, classes and constants that make something, which have no comment right before them. */
function undocumented({ file, names }: Exported): string[] {
  const text = readFileSync(file, 'utf8')
  const declarations = text.matchAll(
    /(\*\/\n)?^export (?:async )?(?:(?:function\*?|(?:abstract )?class) (\w+)|const (\w+)(?:: Step = \{|(?:: [^=\n]+)? = (?:async )?\())/gm,
  )
  return [...declarations]
    .filter(([, comment, declared, made]) => comment === undefined && (names?.has((declared ?? made)!) ?? true))
    .map(([, , declared, made]) => `${file.slice(folder.length)}: ${declared ?? made}`)
}

test.each(packages)('%s: each function and class of its index says what it does', name => {
  const exported = exportedBy(`${folder}${name}/src/index.ts`)
  expect(exported.flatMap(undocumented)).toEqual([])
})

test('what has no comment is found', () => {
  using place = temporaryDirectory('documented-')
  const file = `${place.path}/x.ts`
  const bare = [
    'function a() {}',
    'async function b() {}',
    'class C {}',
    'const d = (x: number) => x',
    'const e: Step = {',
  ]
  writeFileSync(
    file,
    `/** Said. */\nexport function said() {}\n\nexport ${bare.join('\nexport ')}\nexport const F = 1\n`,
  )
  const found = (names: ReadonlySet<string> | undefined) =>
    undocumented({ file, names }).map(each => each.split(': ')[1])
  expect(found(undefined)).toEqual(['a', 'b', 'C', 'd', 'e'])
  expect(found(new Set(['b', 'said', 'F']))).toEqual(['b'])
})
