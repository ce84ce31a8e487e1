#!/usr/bin/env node
// npm run binary: builds bundles/linux-<arch>/{nsinit,lcrun}, one static executable of two names, and links bundles/nsinit and bundles/lcrun to
// this machine's.
// Usage: npm run binary [-- --all | --arch <x64|arm64>]; --all builds for every architecture. Without either: for this machine, and for the
// other one where a compiler for it is installed.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cached } from './binary/cached.mjs'
import { buildExecutable } from './binary/executable.mjs'
import { headers } from './binary/natives.mjs'
import { chooser, late, programs } from './binary/programs.mjs'
import { compilerFor, missing } from './binary/toolchain.mjs'
import { buildInit, initSources } from './build-init.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const architectures = ['x64', 'arm64']

/** In bytes: what the executable may have. */
const LIMIT = 4 * 1024 * 1024

const names = programs.map(({ name }) => name)

const { values } = parseArgs({ options: { all: { type: 'boolean' }, arch: { type: 'string' } } })

async function main() {
  for (const { entry } of programs)
    if (!existsSync(join(root, entry))) throw new Error(`${entry} is absent: npm run build makes it`)
  const others = architectures.filter(arch => arch !== process.arch)
  for (const arch of values.arch ? [values.arch] : [process.arch, ...others]) {
    if ((await compilerFor(arch)) === undefined && arch !== process.arch && !values.all && !values.arch) {
      console.log(`linux-${arch}: left out, for want of a compiler: ${missing(arch)}`)
      continue
    }
    const init = await initFor(arch)
    const output = join(root, `bundles/linux-${arch}/${names[0]}`)
    const entry = { text: chooser(programs) }
    const assets = [
      { name: 'init', file: init },
      { name: 'versions', file: versionsFile() },
    ]
    await buildExecutable({ entry, output, arch, assets, late, limit: LIMIT })
    for (const name of names.slice(1)) shareFile(output, join(dirname(output), name))
    console.log(
      `linux-${arch}: bundles/linux-${arch}/{${names.join(',')}}, ${Math.ceil(statSync(output).size / 1024)} kB`,
    )
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

/** The versions of all packages, which the executable cannot look up in their package.json; and the commit, where a release is built. */
function versionsFile() {
  const manifests = readdirSync(join(root, 'packages'))
    .map(name => join(root, 'packages', name, 'package.json'))
    .filter(file => existsSync(file))
    .map(file => JSON.parse(readFileSync(file, 'utf8')))
  const versions = Object.fromEntries(manifests.map(({ name, version }) => [name, version]))
  const file = join(root, '.cache/binary/versions.json')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...versions, commit: process.env.LIBCONTAINER_COMMIT }))
  return file
}

/** A second name of the same file: a hard link, so that either may be copied away alone. */
function shareFile(file, name) {
  // Renaming one name of a file to another of its names does nothing, and leaves both.
  if (existsSync(name) && statSync(name).ino === statSync(file).ino) return
  replace(name, aside => linkSync(file, aside))
}

function linkHere(arch) {
  mkdirSync(join(root, 'bundles'), { recursive: true })
  for (const name of names) replace(join(root, 'bundles', name), aside => symlinkSync(`linux-${arch}/${name}`, aside))
}

/** Makes a link in one step: whoever runs it meanwhile finds the old or the new one. */
function replace(name, make) {
  const aside = `${name}.aside`
  rmSync(aside, { force: true })
  make(aside)
  renameSync(aside, name)
}

try {
  await main()
} catch (error) {
  console.error(`binary: ${error.message}`)
  process.exitCode = 1
}
