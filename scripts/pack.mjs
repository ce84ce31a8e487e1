#!/usr/bin/env node
// Packs every package as npm publishes it, prebuilds and licence included. usage: node scripts/pack.mjs DIRECTORY
import { copyFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packages } from './bindings.mjs'
import { prebuild } from './prebuild.mjs'
import { quietly, top } from './quietly.mjs'

const [directory] = process.argv.slice(2)
if (directory === undefined) {
  console.error('usage: node scripts/pack.mjs DIRECTORY')
  process.exit(2)
}

await prebuild()
for (const name of packages) {
  for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(top, file), join(top, 'packages', name, file))
}
mkdirSync(directory, { recursive: true })
const options = ['--workspaces', '--ignore-scripts', '--loglevel=error', `--pack-destination=${resolve(directory)}`]
process.stdout.write(await quietly('npm pack', ['npm', 'pack', ...options]))
