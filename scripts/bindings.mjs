import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { top } from './quietly.mjs'

/** The folders below packages/. */
export const packages = readdirSync(join(top, 'packages')).filter(name =>
  existsSync(join(top, 'packages', name, 'package.json')),
)

/** Those with a binding for Node.js. */
export const bindings = packages.filter(name => existsSync(join(top, 'packages', name, 'binding.gyp')))

/** The files below a folder of the repository whose names end so, sorted; paths from the top. */
export function files(folder, pattern) {
  if (!existsSync(join(top, folder))) return []
  const names = readdirSync(join(top, folder), { recursive: true }).filter(name => pattern.test(name))
  return names.sort().map(name => `${folder}/${name}`)
}

/** For `cached`: a file that is moved counts, and one whose contents change. */
export const contents = paths => paths.flatMap(file => [file, { file: top + file }])

/** For `cached`: all that a binding is made from. */
export function bindingInputs(name) {
  const native = ['packages/sys/native', `packages/${name}/native`].flatMap(place => files(place, /\.(c|cc|h|gypi)$/))
  const compiler = `${process.version} ${headers()} ${process.env.CC} ${process.env.CXX}`
  return [compiler, ...contents([...native, `packages/${name}/binding.gyp`])]
}

export const nodeGyp = join(top, 'node_modules/node-gyp/bin/node-gyp.js')

/**
 * The prefix under which this Node.js keeps its headers (`include/node`), or `undefined` where it came without: then node-gyp fetches
 * them from where Node.js publishes them.
 */
export function headers() {
  const places = [dirname(dirname(process.execPath)), '/usr', '/usr/local']
  return places.find(prefix => majorOf(prefix) === process.versions.node.split('.')[0])
}

function majorOf(prefix) {
  try {
    const text = readFileSync(join(prefix, 'include/node/node_version.h'), 'utf8')
    return /^#define NODE_MAJOR_VERSION (\d+)/m.exec(text)?.[1]
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return undefined
  }
}
