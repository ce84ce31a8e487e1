#!/usr/bin/env node
// npm run build: the TypeScript, the bindings, and the static program `init`. What was built from the same inputs is left alone, so that
// with nothing to do this takes a tenth of a second.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cached } from './binary/cached.mjs'
import { pooled } from './binary/run.mjs'
import { buildInit, initSources } from './build-init.mjs'
import { headers, nodeGyp } from './node-gyp.mjs'
import { quietly, top } from './quietly.mjs'

process.chdir(top)
const packages = readdirSync('packages').filter(name => existsSync(`packages/${name}/package.json`))

/** The files below a folder whose names end so, sorted. */
function files(folder, pattern) {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true }).filter(name => pattern.test(name))
  return names.sort().map(name => `${folder}/${name}`)
}

/** For a hash: a file that is moved, or whose contents change. */
const contents = paths => paths.flatMap(file => [file, { file }])

async function typescript() {
  const settings = packages.flatMap(name => [`packages/${name}/package.json`, `packages/${name}/tsconfig.json`])
  const sources = packages.flatMap(name => files(`packages/${name}/src`, /\.ts$/))
  const compiler = JSON.parse(readFileSync('node_modules/typescript/package.json', 'utf8')).version
  const inputs = contents(['tsconfig.json', 'tsconfig.base.json', ...settings, ...sources])
  const missing = packages.find(name => !existsSync(`packages/${name}/dist/index.js`)) ?? 'sys'
  const make = async () => {
    await quietly('TypeScript', ['node_modules/.bin/tsc', '-b'])
    for (const name of packages) removeOrphans(name)
  }
  await cached(`packages/${missing}/dist/index.js`, [compiler, ...inputs], make, '.cache/build/typescript')
}

/** What a source that is gone was compiled to would be packed and published. */
function removeOrphans(name) {
  for (const file of files(`packages/${name}/dist`, /\.(js|d\.ts)(\.map)?$/)) {
    const source = file.replace('/dist/', '/src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (!existsSync(source)) rmSync(file)
  }
}

async function binding(name) {
  const folder = `packages/${name}`
  const native = ['packages/sys/native', `${folder}/native`].flatMap(place => files(place, /\.(c|cc|h|gypi)$/))
  const compiler = `${process.version} ${headers()} ${process.env.CC} ${process.env.CXX}`
  await cached(
    `${folder}/build/Release/${name}.node`,
    [compiler, ...contents([...native, `${folder}/binding.gyp`])],
    () => quietly(`the binding of ${name}`, nodeGyp(folder)),
  )
}

async function init() {
  const places = packages.map(name => `packages/${name}/native`)
  const inputs = [...initSources(), ...places.flatMap(place => files(place, /\.h$/)), 'scripts/build-init.mjs']
  const output = `packages/init/prebuilds/linux-${process.arch}/init`
  await cached(output, contents(inputs), () => buildInit(), '.cache/build/init')
}

/** Does all of it even where one part fails: the errors of the others are worth as much. */
async function main() {
  mkdirSync('.cache/build', { recursive: true })
  const natives = packages.filter(name => existsSync(`packages/${name}/binding.gyp`))
  const jobs = [typescript, init, ...natives.map(name => () => binding(name))]
  const failures = []
  await pooled(
    jobs.map(job => () => job().catch(error => failures.push(error))),
    2,
  )
  for (const { message } of failures) console.error(`build: ${message}`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

await main()
