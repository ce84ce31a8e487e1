#!/usr/bin/env node
// npm run build: the TypeScript, the bindings, and the static program `init`. What was built from the same inputs is left alone, so that
// with nothing to do this takes a tenth of a second.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import { cached } from './binary/cached.mjs'
import { pooled } from './binary/run.mjs'
import { bindingInputs, bindings, contents, files, headers, nodeGyp, packages } from './bindings.mjs'
import { buildInit, initSources } from './build-init.mjs'
import { quietly, top } from './quietly.mjs'

process.chdir(top)

/** Held by whoever builds, to the end: two builds of one work tree would clear each other's files away. */
let lock

function locked() {
  lock ??= (async () => {
    const holder = spawn('flock', ['.cache/build/lock', 'sh', '-c', 'echo held; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    return holder
  })()
  return lock
}

/** As `cached`; what another build has made while the lock was waited for is left alone. */
async function build(output, inputs, make, keyFile) {
  await cached(
    output,
    inputs(),
    async () => {
      await locked()
      await cached(output, inputs(), make, keyFile)
    },
    keyFile,
  )
}

async function typescript() {
  const settings = packages.flatMap(name => [`packages/${name}/package.json`, `packages/${name}/tsconfig.json`])
  const sources = packages.flatMap(name => files(`packages/${name}/src`, /\.ts$/))
  const compiler = JSON.parse(readFileSync('node_modules/typescript/package.json', 'utf8')).version
  const inputs = () => [compiler, ...contents(['tsconfig.json', 'tsconfig.base.json', ...settings, ...sources])]
  const missing = packages.find(name => !existsSync(`packages/${name}/dist/index.js`)) ?? 'sys'
  const make = async () => {
    await quietly('TypeScript', ['node_modules/.bin/tsc', '-b'])
    for (const name of packages) removeOrphans(name)
  }
  await build(`packages/${missing}/dist/index.js`, inputs, make, '.cache/build/typescript')
}

/** What a source that is gone was compiled to would be packed and published. */
function removeOrphans(name) {
  for (const file of files(`packages/${name}/dist`, /\.(js|d\.ts)(\.map)?$/)) {
    const source = file.replace('/dist/', '/src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (!existsSync(source)) rmSync(file)
  }
}

async function binding(name) {
  const nodedir = headers()
  const command = [process.execPath, nodeGyp, 'rebuild', '-C', `packages/${name}`]
  if (nodedir !== undefined) command.push(`--nodedir=${nodedir}`)
  const output = `packages/${name}/build/Release/${name}.node`
  await build(
    output,
    () => bindingInputs(name),
    () => quietly(`the binding of ${name}`, command),
  )
}

async function init() {
  const native = packages.flatMap(name => files(`packages/${name}/native`, /\.h$/))
  const sources = initSources().map(file => relative(top, file))
  const inputs = () => contents([...sources, ...native, 'scripts/build-init.mjs'])
  await build(`packages/init/prebuilds/linux-${process.arch}/init`, inputs, () => buildInit(), '.cache/build/init')
}

/** Does all of it even where one part fails: the errors of the others are worth as much. */
async function main() {
  mkdirSync('.cache/build', { recursive: true })
  const jobs = [typescript, init, ...bindings.map(name => () => binding(name))]
  const failures = []
  await pooled(
    jobs.map(job => () => job().catch(error => failures.push(error))),
    2,
  )
  if (lock !== undefined) (await lock).stdin.end()
  for (const { message } of failures) console.error(`build: ${message}`)
  process.exitCode = failures.length === 0 ? 0 : 1
}

await main()
