#!/usr/bin/env node
// npm run prebuilds: what is shipped to npm beside the JavaScript. The bindings, in packages/<name>/prebuilds/linux-<arch>/<name>.<libc>.node for
// each architecture and C library, compiled by zig; and `init` for each architecture. With --here, for this machine alone, by its own compiler.
// Bindings are built from a copy of the sources, since prebuildify moves what it builds out of build/, where the work tree's own binding is.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from './binary/cached.mjs'
import { withLock } from './binary/lock.mjs'
import { pooled } from './binary/run.mjs'
import { crossEnvironment } from './binary/toolchain.mjs'
import { bindingInputs, bindings, contents, files, headers, nodeGyp, packages } from './bindings.mjs'
import { buildInit, initSources } from './build-init.mjs'
import { environment, quietly, top } from './quietly.mjs'

export const architectures = ['x64', 'arm64']
export const libcs = ['glibc', 'musl']

/** In place of zig's version. */
const HERE = 'here'

/** What is built, the environment that makes node-gyp build it, and what tells one compiler's outcome from another's. */
async function targets(here) {
  if (here) return [{ arch: process.arch, libc: libcHere(), compiler: {}, version: HERE }]
  const all = architectures.flatMap(arch => libcs.map(libc => ({ arch, libc })))
  return Promise.all(
    all.map(async ({ arch, libc }) => {
      const { environment, version, target } = await crossEnvironment(arch, libc)
      return { arch, libc, compiler: environment, version: `zig ${version} ${target}` }
    }),
  )
}

function libcHere() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

export async function prebuild({ here = false } = {}) {
  await withLock(join(top, '.cache/build/prebuild.lock'), async () => {
    const jobs = (here ? [process.arch] : architectures).map(arch => () => prebuildInit(arch))
    for (const target of await targets(here)) {
      const sources = stage(`${target.arch}-${target.libc}`)
      jobs.push(...bindings.map(name => () => prebuildOne(name, target, sources)))
    }
    await pooled(jobs, 2)
  })
}

/** The native sources of all packages, laid out as here: bindings include files of `sys`. */
function stage(name) {
  const folder = join(top, '.cache/prebuild', name)
  rmSync(folder, { recursive: true, force: true })
  for (const name of bindings) {
    for (const part of ['native', 'binding.gyp', 'package.json']) {
      cpSync(join(top, 'packages', name, part), join(folder, name, part), { recursive: true })
    }
  }
  return folder
}

async function prebuildOne(name, { arch, libc, compiler, version }, sources) {
  const output = `packages/${name}/prebuilds/linux-${arch}/${name}.${libc}.node`
  const make = async () => {
    const target = [`--name=${name}`, `--arch=${arch}`, `--target=${process.version}`]
    const options = ['--napi', '--tag-libc', `--cache=${join(top, '.cache/prebuildify')}`, ...target]
    const nodedir = headers()
    const env = {
      ...environment(),
      ...compiler,
      PREBUILD_LIBC: libc,
      PREBUILD_NODE_GYP: nodeGyp,
      ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir }),
    }
    const program = join(top, 'node_modules/prebuildify/bin.js')
    const command = [process.execPath, program, ...options, `--out=${join(top, 'packages', name)}`]
    await quietly(`the prebuild of ${name} for ${arch}, ${libc}`, command, { cwd: join(sources, name), env })
    if (!existsSync(join(top, output))) throw new Error(`prebuildify made no ${output}`)
  }
  const key = join(top, `.cache/build/${name}.${arch}.${libc}`)
  const inputs = bindingInputs(name)
  // What zig made is as good here as what this machine's compiler makes, and not the other way round.
  if (version === HERE) {
    if (await cached(join(top, output), inputs, make, key)) rmSync(`${key}.zig`, { force: true })
  } else {
    await cached(
      join(top, output),
      [version, ...contents(['scripts/binary/toolchain.mjs']), ...inputs],
      make,
      `${key}.zig`,
    )
    await cached(join(top, output), inputs, () => {}, key)
  }
}

/** The program `init`, under the key of scripts/build.mjs for this machine's own. */
async function prebuildInit(arch) {
  const native = packages.flatMap(name => files(`packages/${name}/native`, /\.h$/))
  const sources = initSources().map(file => relative(top, file))
  const inputs = contents([...sources, ...native, 'scripts/build-init.mjs'])
  const key = join(top, arch === process.arch ? '.cache/build/init' : `.cache/build/init.${arch}`)
  await cached(join(top, `packages/init/prebuilds/linux-${arch}/init`), inputs, () => buildInit(arch), key)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(top, '.cache/build'), { recursive: true })
  try {
    await prebuild({ here: process.argv.includes('--here') })
  } catch (error) {
    console.error(`prebuild: ${error.message}`)
    process.exitCode = 1
  }
}
