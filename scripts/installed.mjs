// Ends with 0 where node_modules has what package-lock.json asks for: versions are compared, since a checkout changes times only.
import { readFileSync } from 'node:fs'

const top = new URL('../', import.meta.url)
const read = path => JSON.parse(readFileSync(new URL(path, top), 'utf8')).packages

function installed() {
  const have = read('node_modules/.package-lock.json')
  return Object.entries(read('package-lock.json'))
    .filter(([path, { optional, peer }]) => path.includes('node_modules/') && !optional && !peer)
    .every(([path, { version }]) => path in have && have[path].version === version)
}

try {
  process.exitCode = installed() ? 0 : 1
} catch (error) {
  if (error.code !== 'ENOENT') throw error
  process.exitCode = 1
}
