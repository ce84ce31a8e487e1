#!/usr/bin/env node
// npm run release: packs every package with all prebuilds, and publishes those whose version npm has not yet, the lower layers first.
// npm run release -- --dry-run [DIRECTORY]: packs them, with the versions that the changesets ask for, and publishes nothing.
//
// Versions are computed by changesets, in a copy: the work tree's change when somebody runs `npx changeset version` and commits it.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { packages } from './bindings.mjs'
import { pack } from './pack.mjs'
import { architectures, libcs, prebuild } from './prebuild.mjs'
import { quietly, top } from './quietly.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'dry-run': { type: 'boolean' } } })
const tree = join(top, '.cache/release/tree')
const tarballs = resolve(positionals[0] ?? join(top, '.cache/release/tarballs'))

const pending = () => readdirSync(join(top, '.changeset')).filter(name => name.endsWith('.md') && name !== 'README.md')

/** What is packed, and what changesets reads: no sources of bindings, nothing built that is not shipped. */
function copyTree() {
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  for (const name of ['package.json', 'package-lock.json', '.changeset']) {
    cpSync(join(top, name), join(tree, name), { recursive: true })
  }
  for (const name of packages) {
    for (const part of ['package.json', 'README.md', 'dist', 'src', 'prebuilds']) {
      const from = join(top, 'packages', name, part)
      if (existsSync(from)) cpSync(from, join(tree, 'packages', name, part), { recursive: true })
    }
  }
}

const inScope = name =>
  name === 'libcontainer' || name === 'nsinit' || name === 'lcrun' || name.startsWith('@libcontainer/')

/** What a tarball lacks, or has that it must not: nothing is published with an answer. */
function flaws({ name, files }) {
  const folder = name.replace(/^@libcontainer\//, '')
  const manifest = JSON.parse(readFileSync(join(tree, 'packages', folder, 'package.json'), 'utf8'))
  const wanted = ['LICENSE', 'NOTICE', 'README.md', 'dist/index.js', 'dist/index.d.ts']
  for (const arch of architectures) {
    if (folder === 'init') wanted.push(`prebuilds/linux-${arch}/init`)
    if (!existsSync(join(top, 'packages', folder, 'binding.gyp'))) continue
    wanted.push(...libcs.map(libc => `prebuilds/linux-${arch}/${folder}.${libc}.node`))
  }
  const paths = files.map(({ path }) => path)
  const scripts = Object.keys(manifest.scripts ?? {}).filter(script => /install|^prepare$/.test(script))
  return [
    ...wanted.filter(path => !paths.includes(path)).map(path => `lacks ${path}`),
    ...paths.filter(path => /^(build|native|test)\/|\.tsbuildinfo$/.test(path)).map(path => `ships ${path}`),
    ...scripts.map(script => `runs a script at ${script}`),
    ...Object.keys(manifest.dependencies ?? {})
      .filter(dependency => !inScope(dependency))
      .map(dependency => `depends on ${dependency}`),
  ].map(flaw => `${name}: ${flaw}`)
}

/** Lower layers first: whoever installs in between finds what a package depends on. */
function inOrder(packed) {
  const ordered = []
  const visit = ({ name }) => {
    const one = packed.find(other => other.name === name)
    if (one === undefined || ordered.includes(one)) return
    const manifest = join(tree, 'packages', name.replace(/^@libcontainer\//, ''), 'package.json')
    const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
    for (const dependency of Object.keys(dependencies)) visit({ name: dependency })
    ordered.push(one)
  }
  packed.forEach(visit)
  return ordered
}

async function published({ name, version }) {
  try {
    return (await quietly('npm view', ['npm', 'view', `${name}@${version}`, 'version'])).trim() === version
  } catch (error) {
    if (/E404/.test(error.message)) return false
    throw error
  }
}

async function main() {
  const dryRun = values['dry-run'] === true
  if (!dryRun && pending().length > 0) {
    throw new Error('changesets wait for their versions: npx changeset version, commit, and again')
  }
  await quietly('npm run build', [process.execPath, 'scripts/build.mjs'])
  await prebuild()
  copyTree()
  const changeset = join(top, 'node_modules/@changesets/cli/bin.js')
  if (dryRun) await quietly('changeset version', [process.execPath, changeset, 'version'], { cwd: tree })
  rmSync(tarballs, { recursive: true, force: true })
  const packed = inOrder(await pack(tarballs, tree))
  const found = packed.flatMap(flaws)
  if (found.length > 0) throw new Error(found.join('\n'))
  for (const one of packed) {
    const { name, version, filename, size, files } = one
    console.log(
      `${`${name}@${version}`.padEnd(34)} ${String(Math.ceil(size / 1024)).padStart(5)} kB ${String(files.length).padStart(4)} files`,
    )
    if (dryRun || (await published(one))) continue
    await quietly('npm publish', ['npm', 'publish', join(tarballs, filename), '--access=public', '--ignore-scripts'])
  }
  if (dryRun) console.log(`packed into ${tarballs}; nothing was published`)
}

try {
  await main()
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}
