#!/usr/bin/env node
// Packs every package as npm publishes it, prebuilds and licence included. usage: node scripts/pack.mjs [--here] DIRECTORY
// With --here, only with this machine's prebuilds: to try, not to publish.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packages } from './bindings.mjs'
import { prebuild } from './prebuild.mjs'
import { quietly, top } from './quietly.mjs'

/**
 * @param {string} directory - where the tarballs go
 * @param {string} tree - whose `packages` are packed: this work tree's, or a copy with other versions
 * @returns {Promise<{ id: string, name: string, version: string, filename: string, size: number, files: { path: string }[] }[]>}
 */
export async function pack(directory, tree = top) {
  for (const name of packages) {
    for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(top, file), join(tree, 'packages', name, file))
  }
  mkdirSync(directory, { recursive: true })
  const options = ['--workspaces', '--ignore-scripts', '--json', '--loglevel=error', `--pack-destination=${directory}`]
  return JSON.parse(await quietly('npm pack', ['npm', 'pack', ...options], { cwd: tree }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { here: { type: 'boolean' } } })
  const [directory] = positionals
  if (directory === undefined) {
    console.error('usage: node scripts/pack.mjs [--here] DIRECTORY')
    process.exit(2)
  }
  await prebuild(values)
  for (const { filename } of await pack(resolve(directory))) console.log(filename)
}
