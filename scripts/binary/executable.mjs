import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytecode, bytecodeCompiler } from './bytecode.mjs'
import { cached } from './cached.mjs'
import { facilities, headers } from './natives.mjs'
import { pooled, run } from './run.mjs'
import { engineHash, engineSources, quickjsSources } from './sources.mjs'
import { compilerFor, missing } from './toolchain.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** In bytes: what the executable may have. */
const LIMIT = 4 * 1024 * 1024

const optimise = ['-O2', '-ffunction-sections', '-fdata-sections', '-fno-pie', '-fno-asynchronous-unwind-tables']
const engineFlags = ['-std=gnu11', '-D_GNU_SOURCE', '-DNDEBUG', '-DQJS_DISABLE_PARSER', '-funsigned-char', '-w']
const ourFlags = [
  '-std=gnu11',
  '-D_GNU_SOURCE',
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Wno-missing-field-initializers',
]

const hostSources = ['main', 'memory', 'modules', 'exports', 'glue', 'text', 'loop', 'uncaught'].map(
  name => `packages/sys/native/quickjs/${name}.c`,
)

/**
 * Builds a static executable of QuickJS, the ops of all packages and one JavaScript program; nothing is done twice.
 *
 * @param {{ entry: string, output: string, arch?: string, packages?: string[], assets?: { name: string, file: string }[] }} what - `entry` is a file of a `dist/`,
 *   relative to the repository; `packages` are those
 *   whose ops it has, all by default; `assets` are what `loadAsset` finds
 */
export async function buildExecutable({ entry, output, arch = process.arch, packages, assets = [] }) {
  const compiler = await compilerFor(arch)
  if (compiler === undefined) throw new Error(`no compiler for static linux-${arch} programs: ${missing(arch)}`)
  const cache = join(root, '.cache/binary')
  const folder = join(cache, `${arch}-${basename(output)}`)
  const sources = await quickjsSources(join(root, '.cache/quickjs'))
  const tool = await bytecodeCompiler({ root, cache, sources })
  const modules = await bytecode({ root, entry, folder: join(folder, 'modules'), tool })
  const tables = facilities(root).filter(({ name }) => packages?.includes(name) ?? true)

  const flags = [...optimise, `-I${sources}`]
  const engine = engineSources.map(name => ({
    source: join(sources, name),
    flags: [...engineFlags, ...flags],
    with: [engineHash(sources)],
  }))
  const ours = [...new Set([...tables.flatMap(table => table.sources), ...hostSources])]
  const ourHeaders = headers(root).map(file => ({ file: join(root, file) }))
  const files = ours.map(file => ({
    source: join(root, file),
    flags: [...ourFlags, ...flags],
    with: [engineHash(sources), ...ourHeaders],
  }))
  mkdirSync(folder, { recursive: true })
  const written = writeTables(folder, { modules, assets, tables })
  files.push({
    source: written.c,
    flags: [...ourFlags, ...flags, `-I${join(root, 'packages/sys/native/quickjs')}`],
    with: ourHeaders,
  })
  files.push({ source: written.assembly, flags: [], with: written.data.map(file => ({ file })) })

  // The engine's objects are the same for every program, and take half a minute.
  const objects = [...engine, ...files].map(file => ({
    ...file,
    object: join(engine.includes(file) ? join(cache, `${arch}-engine`) : folder, objectName(file.source)),
  }))
  await pooled(
    objects.map(({ source, flags, with: inputs, object }) => async () => {
      const command = [...compiler, ...flags, '-c', source, '-o', object]
      mkdirSync(dirname(object), { recursive: true })
      await cached(object, [command.join(' '), { file: source }, ...inputs], () => run(command))
    }),
    Math.max(1, availableParallelism() - 1),
  )
  await link({
    compiler,
    objects: objects.map(({ object }) => object),
    output,
    keyFile: join(folder, 'executable.key'),
  })
  return output
}

async function link({ compiler, objects, output, keyFile }) {
  const command = [...compiler, '-static', '-no-pie', '-s', '-Wl,--gc-sections,--build-id=none', ...objects, '-lm']
  mkdirSync(dirname(output), { recursive: true })
  const make = async () => {
    // Aside, then renamed: a running executable cannot be written to.
    await run([...command, '-o', `${output}.new`])
    renameSync(`${output}.new`, output)
  }
  await cached(output, [command.join(' '), ...objects.map(file => ({ file }))], make, keyFile)
  const { size } = statSync(output)
  if (size > LIMIT) throw new Error(`${output} has ${size} bytes, more than the ${LIMIT} that it may have`)
}

function objectName(source) {
  return `${source
    .replace(root, '')
    .replace(/^.*upstream-/, '')
    .replaceAll('/', '_')}.o`
}

/** The three tables of native/quickjs/host.h, and the assembly that carries the bytes. */
function writeTables(folder, { modules, assets, tables }) {
  const all = [...modules, ...assets]
  const entry = ({ name }, i) => `\t{ ${JSON.stringify(name)}, data_${i}, data_${i}_end },\n`
  const c = [
    '#include "host.h"\n',
    ...tables.map(({ table }) => `extern const struct lc_op ${table}[];\n`),
    ...all.map((_, i) => `extern const uint8_t data_${i}[], data_${i}_end[];\n`),
    `const struct lc_facility lc_facilities[] = {\n${tables.map(({ name, table }) => `\t{ "${name}", ${table} },\n`).join('')}\t{ 0 },\n};\n`,
    `const struct lc_embedded lc_modules[] = {\n${all.map((file, i) => (i < modules.length ? entry(file, i) : '')).join('')}\t{ 0 },\n};\n`,
    `const struct lc_embedded lc_files[] = {\n${all.map((file, i) => (i < modules.length ? '' : entry(file, i))).join('')}\t{ 0 },\n};\n`,
  ].join('')
  const assembly = [
    '\t.section .rodata\n',
    ...all.map(
      ({ file }, i) =>
        `\t.balign 16\n\t.global data_${i}, data_${i}_end\ndata_${i}:\n\t.incbin ${JSON.stringify(file)}\ndata_${i}_end:\n\t.byte 0\n`,
    ),
    '\t.section .note.GNU-stack,"",%progbits\n',
  ].join('')
  writeFileSync(join(folder, 'tables.c'), c)
  writeFileSync(join(folder, 'data.S'), assembly)
  return { c: join(folder, 'tables.c'), assembly: join(folder, 'data.S'), data: all.map(({ file }) => file) }
}
