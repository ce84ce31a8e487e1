import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { cached } from './cached.mjs'
import { run } from './run.mjs'
import { engineHash, engineSources } from './sources.mjs'

/** The compiler of bytecode, built for this machine. It runs for some milliseconds, so that it is built quickly instead. */
export async function bytecodeCompiler({ root, cache, sources }) {
  const tool = join(cache, 'compile')
  const source = join(root, 'packages/sys/native/quickjs/compile.c')
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-DNDEBUG', '-O0', '-w', '-funsigned-char', `-I${sources}`]
  const command = [
    'cc',
    ...flags,
    source,
    ...engineSources.map(name => join(sources, name)),
    '-lm',
    '-lpthread',
    '-o',
    tool,
  ]
  mkdirSync(cache, { recursive: true })
  await cached(tool, [command.join(' '), engineHash(sources), { file: source }], () => run(command))
  return tool
}

/**
 * Bundles a program and compiles it: one module of bytecode for it, and one for each part that it imports dynamically.
 *
 * @param {object} what
 * @param {string | { text: string }} what.entry - a file of the repository, or the text of a module at its root
 * @returns {Promise<{ name: string, file: string }[]>}
 */
export async function bytecode({ root, entry, folder, tool }) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    ...(typeof entry === 'string'
      ? { entryPoints: { main: entry } }
      : { stdin: { contents: entry.text, resolveDir: root, sourcefile: 'main.js' }, entryNames: 'main' }),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    conditions: ['quickjs'],
    external: ['lc:host'],
    // Where a package lies: ops and assets are linked in, so nothing is looked for.
    define: { 'import.meta.url': '""' },
    inject: ['packages/sys/dist/quickjs/globals.js'],
    // Names and lines stay: they cost an eighth of the bytecode, and tell where a defect arose.
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    outdir: folder,
    write: false,
  })
  mkdirSync(folder, { recursive: true })
  const modules = []
  for (const { path, contents } of outputFiles) {
    const name = basename(path)
    const file = join(folder, `${name}.bytecode`)
    await cached(file, [name, Buffer.from(contents).toString('latin1'), { file: tool }], async () => {
      writeFileSync(join(folder, name), contents)
      writeFileSync(file, await run([tool, name], { input: contents }))
    })
    modules.push({ name, file })
  }
  const kept = new Set(modules.flatMap(({ name, file }) => [name, basename(file), `${basename(file)}.key`]))
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name))
  return modules
}
