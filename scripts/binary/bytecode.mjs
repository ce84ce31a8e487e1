import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { build } from 'esbuild'
import { cached } from './cached.mjs'
import { pastIndex } from './past-index.mjs'
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
 * @param {RegExp[]} [what.late] - sources that are imported dynamically and seldom: they, and what nobody else imports, are evaluated then and not before
 * @returns {Promise<{ name: string, file: string, late: boolean }[]>}
 */
export async function bytecode({ root, entry, folder, tool, late = [] }) {
  const { outputFiles, metafile } = await build({
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
    plugins: [pastIndex],
    // Names and lines stay: they cost an eighth of the bytecode, and tell where a defect arose.
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    outdir: folder,
    write: false,
    metafile: true,
  })
  const eager = reached(
    metafile.outputs,
    relative(root, outputFiles.find(({ path }) => basename(path) === 'main.js').path),
    late,
  )
  mkdirSync(folder, { recursive: true })
  const modules = []
  for (const { path, contents } of outputFiles) {
    const name = basename(path)
    const file = join(folder, `${name}.bytecode`)
    await cached(file, [name, Buffer.from(contents).toString('latin1'), { file: tool }], async () => {
      writeFileSync(join(folder, name), contents)
      writeFileSync(file, await run([tool, name], { input: contents }))
    })
    modules.push({ name, file, late: !eager.has(relative(root, path)) })
  }
  const kept = new Set(
    modules.flatMap(({ name, file }) => [name, basename(file), `${basename(file)}.key`, `${basename(file)}.packed`]),
  )
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name))
  return modules
}

/** What is evaluated when a program starts: its module and all that it imports, but what is imported dynamically and late. */
function reached(outputs, main, late) {
  const eager = new Set()
  const visit = path => {
    if (eager.has(path)) return
    eager.add(path)
    for (const { path: imported, kind, external } of outputs[path].imports) {
      const { entryPoint = '' } = external ? {} : outputs[imported]
      if (!external && !(kind === 'dynamic-import' && late.some(pattern => pattern.test(entryPoint)))) visit(imported)
    }
  }
  visit(main)
  return eager
}
