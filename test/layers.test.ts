import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../packages/', import.meta.url))

/** From the bottom: a package imports only what stands in an earlier row. */
const layers = [
  ['sys'],
  [
    'namespaces',
    'cgroups',
    'capabilities',
    'mount',
    'devices',
    'console',
    'seccomp',
    'user',
    'keys',
    'intelrdt',
    'netlink',
    'apparmor',
    'selinux',
  ],
  ['init', 'network', 'criu'],
  ['container'],
  ['cli', 'oci'],
  ['libcontainer', 'nsinit', 'lcrun'],
]

const packages = readdirSync(folder).filter(name => existsSync(join(folder, name, 'package.json')))
const unscoped = ['libcontainer', 'nsinit', 'lcrun']
const nameOf = (name: string) => (unscoped.includes(name) ? name : `@libcontainer/${name}`)
const layerOf = (name: string) => layers.findIndex(layer => layer.includes(name))
const below = (name: string) => layers.slice(0, layerOf(name)).flat().map(nameOf)

/** A facility of layer 1 takes `sys` alone; what is above it takes plain data from one to the next. */
const allowed = (name: string) => (name === 'init' ? ['@libcontainer/sys'] : below(name))

function files(path: string, pattern: RegExp): string[] {
  if (!existsSync(path)) return []
  return (readdirSync(path, { recursive: true }) as string[])
    .filter(name => pattern.test(name))
    .map(name => join(path, name))
}

/** The packages that the sources below a folder import, by their names alone: no subpath, no `node:` module, no `#` import. */
function imports(path: string): Set<string> {
  const patterns = [/^(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'/gm, /^import '([^']+)'/gm, /\bimport\('([^']+)'\)/g]
  const names = files(path, /\.ts$/)
    .map(file => readFileSync(file, 'utf8'))
    .flatMap(source => patterns.flatMap(pattern => [...source.matchAll(pattern)].map(match => match[1]!)))
    .filter(name => !/^[.#]|:/.test(name))
  return new Set(
    names.map(name =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    ),
  )
}

test('D-12 every package has its layer', () => {
  expect(packages.filter(name => layerOf(name) < 0)).toEqual([])
})

test.each(packages)('D-12 %s depends on what stands below it, and on all that it imports and nothing else', name => {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, name, file), 'utf8'))
  const { dependencies = {} } = read('package.json') as { dependencies?: Record<string, string> }
  const { references = [] } = read('tsconfig.json') as { references?: { path: string }[] }
  const used = [...imports(join(folder, name, 'src'))]
  expect(Object.keys(dependencies).filter(one => !allowed(name).includes(one))).toEqual([])
  expect(used.sort()).toEqual(Object.keys(dependencies).sort())
  expect(references.map(({ path }) => nameOf(path.replace('../', ''))).sort()).toEqual(used)
})

test.each(packages)('D-12 %s: its C includes its own and that of packages below it', name => {
  const strangers = files(join(folder, name, 'native'), /\.(c|cc|h)$/).flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/^#include "([^"]+)"/gm)]
      .map(match => relative(folder, join(dirname(file), match[1]!)).split('/')[0]!)
      .filter(owner => owner !== name && !below(name).includes(nameOf(owner))),
  )
  expect(strangers).toEqual([])
})

test('the name of an op is unique over all tables, since `init` and the executable link them all', () => {
  const names = packages
    .flatMap(name => files(join(folder, name, 'native'), /\.c$/))
    .flatMap(file => [...readFileSync(file, 'utf8').matchAll(/const struct lc_op lc_\w+\[\] = \{\n([\s\S]*?)\n\};/g)])
    .flatMap(([, table]) => [...table!.matchAll(/^\t\{ (?:\.name = )?"(\w+)"/gm)].map(match => match[1]!))
  expect(names.length).toBeGreaterThan(100)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})
