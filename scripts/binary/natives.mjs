import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** C that only Node.js needs: its threads. */
const ofNode = ['packages/sys/native/threads.c']

/**
 * The facilities that have ops, and their C files, as the packages' binding.gyp list them: so there is one list.
 *
 * @returns {{ name: string, table: string, sources: string[] }[]} sources relative to `root`
 */
export function facilities(root) {
  return readdirSync(join(root, 'packages'))
    .filter(name => existsSync(join(root, 'packages', name, 'binding.gyp')))
    .map(name => ({
      name,
      table: `lc_${name}_ops`,
      sources: gypSources(root, name).filter(file => !ofNode.includes(file)),
    }))
}

function gypSources(root, name) {
  const folder = join(root, 'packages', name)
  const list = /'sources': \[([^\]]*)\]/.exec(readFileSync(join(folder, 'binding.gyp'), 'utf8'))
  if (list === null) throw new Error(`packages/${name}/binding.gyp names no sources`)
  return [...list[1].matchAll(/'([^']+\.c)'/g)].map(([, file]) => relative(root, resolve(folder, file)))
}

/** All headers beside the C files: a change of one rebuilds everything, which takes seconds. */
export function headers(root) {
  const folders = readdirSync(join(root, 'packages')).flatMap(name => [
    `packages/${name}/native`,
    `packages/${name}/native/quickjs`,
  ])
  return folders
    .filter(folder => existsSync(join(root, folder)))
    .flatMap(folder => readdirSync(join(root, folder)).map(file => join(folder, file)))
    .filter(file => file.endsWith('.h'))
    .sort()
}
