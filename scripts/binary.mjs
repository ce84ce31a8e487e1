#!/usr/bin/env node
// npm run binary: builds bundles/linux-<arch>/nsinit, one static executable, and links bundles/nsinit to this machine's.
// Usage: npm run binary [-- --all | --arch <x64|arm64>]; --all builds for every architecture. Without either: for this machine, and for the
// other one where a compiler for it is installed.
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cached } from './binary/cached.mjs'
import { buildExecutable } from './binary/executable.mjs'
import { headers } from './binary/natives.mjs'
import { compilerFor, missing } from './binary/toolchain.mjs'
import { buildInit, initSources } from './build-init.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const architectures = ['x64', 'arm64']
const entry = 'packages/nsinit/dist/quickjs/main.js'

const { values } = parseArgs({ options: { all: { type: 'boolean' }, arch: { type: 'string' } } })

async function main() {
  if (!existsSync(join(root, entry))) throw new Error(`${entry} is absent: npm run build makes it`)
  const others = architectures.filter(arch => arch !== process.arch)
  for (const arch of values.arch ? [values.arch] : [process.arch, ...others]) {
    if ((await compilerFor(arch)) === undefined && arch !== process.arch && !values.all && !values.arch) {
      console.log(`linux-${arch}: left out, for want of a compiler: ${missing(arch)}`)
      continue
    }
    const init = await initFor(arch)
    const output = join(root, `bundles/linux-${arch}/nsinit`)
    await buildExecutable({ entry, output, arch, assets: [{ name: 'init', file: init }] })
    console.log(`linux-${arch}: bundles/linux-${arch}/nsinit, ${Math.ceil(statSync(output).size / 1024)} kB`)
    if (arch === process.arch) linkHere(arch)
  }
}

/** The program `init`: `npm run build` has made this machine's. */
async function initFor(arch) {
  const file = join(root, `packages/init/prebuilds/linux-${arch}/init`)
  const sources = [...initSources(), ...headers(root).map(name => join(root, name))]
  const inputs = [arch, ...sources.map(source => ({ file: source }))]
  if (arch !== process.arch)
    await cached(file, inputs, () => buildInit(arch), join(root, `.cache/binary/${arch}-init.key`))
  else if (!existsSync(file)) buildInit(arch)
  return file
}

function linkHere(arch) {
  mkdirSync(join(root, 'bundles'), { recursive: true })
  rmSync(join(root, 'bundles/nsinit'), { force: true })
  symlinkSync(`linux-${arch}/nsinit`, join(root, 'bundles/nsinit'))
}

try {
  await main()
} catch (error) {
  console.error(`binary: ${error.message}`)
  process.exitCode = 1
}
