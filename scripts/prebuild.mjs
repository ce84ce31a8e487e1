#!/usr/bin/env node
// npm run prebuild: the bindings that are shipped to npm, in packages/<name>/prebuilds/linux-<arch>/<name>.<libc>.node. They are built from a
// copy of the sources, since prebuildify moves what it builds out of build/, where the work tree's own binding is.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from './binary/cached.mjs'
import { pooled } from './binary/run.mjs'
import { bindingInputs, bindings, headers, nodeGyp } from './bindings.mjs'
import { environment, quietly, top } from './quietly.mjs'

/** What is built, and the environment that makes node-gyp build it. */
const targets = [{ arch: process.arch, libc: libcHere(), compiler: {} }]

function libcHere() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

export async function prebuild() {
  mkdirSync(join(top, '.cache/build'), { recursive: true })
  for (const target of targets) {
    const sources = stage(`${target.arch}-${target.libc}`)
    await pooled(
      bindings.map(name => () => prebuildOne(name, target, sources)),
      2,
    )
  }
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

async function prebuildOne(name, { arch, libc, compiler }, sources) {
  const output = `packages/${name}/prebuilds/linux-${arch}/${name}.${libc}.node`
  const make = async () => {
    const cache = join(top, '.cache/prebuildify')
    const target = [`--name=${name}`, `--arch=${arch}`, `--target=${process.version}`]
    const options = ['--napi', '--strip', '--tag-libc', `--cache=${cache}`, ...target]
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
    await quietly(`the prebuild of ${name}`, command, { cwd: join(sources, name), env })
    if (!existsSync(join(top, output))) throw new Error(`prebuildify made no ${output}`)
  }
  const key = join(top, `.cache/build/${name}.${arch}.${libc}`)
  await cached(join(top, output), [JSON.stringify(compiler), ...bindingInputs(name)], make, key)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prebuild()
