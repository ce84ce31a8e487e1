import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { bytecode, bytecodeCompiler } from './bytecode.mjs'
import { cached } from './cached.mjs'
import { linkWithImage, runnerFor, writePlace } from './image.mjs'
import { withLock } from './lock.mjs'
import { facilities, headers } from './natives.mjs'
import { pooled, run } from './run.mjs'
import { engineHash, engineSources, quickjsSources } from './sources.mjs'
import { compilerFor, missing } from './toolchain.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

const common = ['-std=gnu11', '-D_GNU_SOURCE', '-O2', '-fno-pie', '-ffunction-sections', '-fdata-sections']
/** The engine is two thirds of the code. Room for aligned loops gains nothing that can be measured; clang's -O2 is larger than what fits. */
const engineFlags = arch => [
  ...common,
  ...(arch === 'arm64' ? ['-Os'] : []),
  ...['functions', 'jumps', 'labels', 'loops'].map(what => `-falign-${what}=1`),
  '-fno-tree-vectorize',
  '-DNDEBUG',
  '-DQJS_DISABLE_PARSER',
  '-funsigned-char',
  '-fno-asynchronous-unwind-tables',
  '-w',
]
const warnings = ['-Wall', '-Wextra', '-Wno-unused-parameter', '-Wno-missing-field-initializers', '-Wno-sign-compare']
const ourFlags = [...common, '-fno-asynchronous-unwind-tables', ...warnings]

const host = 'packages/sys/native/quickjs'
/** All but the compiler of bytecode, which is a program of its own. */
const hostSources = () => readdirSync(join(root, host)).filter(file => file.endsWith('.c') && file !== 'compile.c')

/**
 * Builds a static executable of QuickJS, the ops of all packages and one JavaScript program; nothing is done twice.
 *
 * @param {object} what
 * @param {string | { text: string }} what.entry - the program, relative to the repository; or the text of its first module
 * @param {string} what.output - the executable
 * @param {string} [what.arch] - `x64` or `arm64`. Default: this machine's
 * @param {string[]} [what.packages] - whose ops it has. Default: all that have some
 * @param {{ name: string, file: string }[]} [what.assets] - what `loadAsset` finds
 * @param {RegExp[]} [what.late] - sources that are seldom needed
 * @param {number} [what.limit] - in bytes: what the executable may have
 */
export async function buildExecutable({ arch = process.arch, assets = [], ...what }) {
  // Programs share the engine's objects and the compiler of bytecode.
  return await withLock(join(root, '.cache/binary/lock'), () => build({ arch, assets, ...what }))
}

async function build({ entry, output, arch, packages, assets, late, limit }) {
  const compiler = await compilerFor(arch)
  if (compiler === undefined) throw new Error(`no compiler for static linux-${arch} programs: ${missing(arch)}`)
  const cache = join(root, '.cache/binary')
  const folder = join(cache, `${arch}-${basename(output)}`)
  const sources = await quickjsSources(join(root, '.cache/quickjs'))
  const tool = await bytecodeCompiler({ root, cache, sources })
  const modules = await bytecode({ root, entry, folder: join(folder, 'modules'), tool, late })
  const tables = facilities(root).filter(({ name }) => packages?.includes(name) ?? true)
  const runner = await runnerFor(arch)
  // An image has all that the modules make: their bytecode is handed in while it is made, and takes no room. Those that are late are carried, packed,
  // which takes a sixth as much.
  const written = writeTables(folder, { modules, assets, tables, carried: runner === undefined })

  const include = `-I${sources}`
  const ourInputs = [engineHash(sources), ...headers(root).map(file => ({ file: join(root, file) }))]
  const ours = new Set([...tables.flatMap(table => table.sources), ...hostSources().map(file => `${host}/${file}`)])
  const units = [
    // The engine's objects are the same for every program, and take half a minute.
    ...engineSources.map(name => ({
      source: join(sources, name),
      object: join(cache, `${arch}-engine`, `${name}.o`),
      flags: [...engineFlags(arch), include],
      inputs: [engineHash(sources)],
    })),
    ...[...ours].map(file => ({
      source: join(root, file),
      object: join(folder, `${file.replaceAll('/', '_')}.o`),
      flags: [...ourFlags, include],
      inputs: ourInputs,
    })),
    {
      source: written.c,
      object: `${written.c}.o`,
      flags: [...ourFlags, include, `-I${join(root, host)}`],
      inputs: ourInputs,
    },
    {
      source: written.assembly,
      object: `${written.assembly}.o`,
      flags: [],
      inputs: written.data.map(file => ({ file })),
    },
  ]
  const compile = async ({ source, object, flags, inputs }) => {
    const command = [...compiler, ...flags, '-c', source, '-o', object]
    mkdirSync(dirname(object), { recursive: true })
    await cached(object, [command.join(' '), { file: source }, ...inputs], () => run(command))
  }
  await pooled(
    units.map(unit => () => compile(unit)),
    Math.max(1, availableParallelism() - 1),
  )
  const objects = units.map(({ object }) => object)
  await link({ compiler, folder, objects, runner, output, modules: modules.map(({ file }) => file), limit })
  return output
}

async function link({ compiler, folder, objects, runner, output, modules, limit = Number.POSITIVE_INFINITY }) {
  const place = join(folder, 'image.S')
  const aside = join(folder, 'executable')
  const command = [
    ...compiler,
    '-static',
    '-no-pie',
    '-s',
    '-Wl,--gc-sections,--build-id=none',
    ...objects,
    `${place}.o`,
    '-lm',
  ]
  mkdirSync(dirname(output), { recursive: true })
  const make = async () => {
    await linkWithImage({
      runner,
      modules,
      output: aside,
      place: async bytes => {
        writePlace(place, bytes)
        await run([...compiler, '-c', place, '-o', `${place}.o`])
      },
      link: () => run([...command, '-o', aside]),
    })
    // Renamed at last: a running executable cannot be written to.
    renameSync(aside, output)
  }
  const inputs = [command.join(' '), JSON.stringify(runner), ...[...objects, ...modules].map(file => ({ file }))]
  await cached(output, inputs, make, join(folder, 'executable.key'))
  const { size } = statSync(output)
  if (size > limit) throw new Error(`${output} has ${size} bytes, more than the ${limit} that it may have`)
}

/** A late module as native/quickjs/inflate.c unpacks it. */
function packed(module) {
  if (!module.late) return module
  const bytes = readFileSync(module.file)
  const file = `${module.file}.packed`
  writeFileSync(file, deflateRawSync(bytes, { level: 9 }))
  return { ...module, file, unpacked: bytes.length }
}

/** The three tables of native/quickjs/host.h, and the assembly that carries the bytes. */
function writeTables(folder, { modules, assets, tables, carried }) {
  const isCarried = ({ late }) => carried || late
  mkdirSync(folder, { recursive: true })
  const labelled = [...modules.map(packed), ...assets].map((each, i) => ({ ...each, label: `data_${i}` }))
  const [ours, files] = [labelled.slice(0, modules.length), labelled.slice(modules.length)]
  const all = [...ours.filter(isCarried), ...files]
  const rows = list =>
    list
      .map(({ name, label, unpacked = 0 }) => `\t{ ${JSON.stringify(name)}, ${label}, ${label}_end, ${unpacked} },\n`)
      .join('')
  const table = (type, name, content) => `const struct ${type} ${name}[] = {\n${content}\t{ 0 },\n};\n`
  const c = [
    '#include "host.h"\n',
    ...tables.map(({ table: symbol }) => `extern const struct lc_op ${symbol}[];\n`),
    ...all.map(({ label }) => `extern const uint8_t ${label}[], ${label}_end[];\n`),
    table(
      'lc_facility',
      'lc_facilities',
      tables.map(({ name, table: symbol }) => `\t{ "${name}", ${symbol} },\n`).join(''),
    ),
    table(
      'lc_embedded',
      'lc_modules',
      ours
        .map(module => (isCarried(module) ? rows([module]) : `\t{ ${JSON.stringify(module.name)}, 0, 0, 0 },\n`))
        .join(''),
    ),
    table('lc_embedded', 'lc_files', rows(files)),
  ]
  const assembly = [
    '\t.section .rodata\n',
    ...all.map(({ file, label }) => {
      const bytes = `${label}:\n\t.incbin ${JSON.stringify(file)}\n${label}_end:\n\t.byte 0\n`
      return `\t.balign 16\n\t.global ${label}, ${label}_end\n${bytes}`
    }),
    '\t.section .note.GNU-stack,"",%progbits\n',
  ]
  const written = { c: join(folder, 'tables.c'), assembly: join(folder, 'data.S'), data: all.map(({ file }) => file) }
  writeFileSync(written.c, c.join(''))
  writeFileSync(written.assembly, assembly.join(''))
  return written
}
