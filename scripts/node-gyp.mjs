import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { top } from './quietly.mjs'

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

/** The command that builds the binding of a package folder. */
export function nodeGyp(folder) {
  const nodedir = headers()
  const program = join(top, 'node_modules/node-gyp/bin/node-gyp.js')
  return [process.execPath, program, 'rebuild', '-C', folder, ...(nodedir ? [`--nodedir=${nodedir}`] : [])]
}
