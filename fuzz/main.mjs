// npm run fuzz -- [--minutes N] [--fresh] [--to FILE] [TARGET [INPUT…]]
// Fuzzes one target, or all of them one after another, for N minutes together (default: 1). With files it runs these inputs alone.
//   --fresh    from the committed seeds, whatever earlier runs have found
//   --to FILE  writes how many targets passed, for scripts/totals.mjs
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle, instrument } from './engine/instrument.mjs'
import { engine, nativeTarget, places } from './engine/native.mjs'

/** In seconds, and in MB: no input of a few kilobytes needs as much, on a slow machine with others. */
const LIMITS = ['-timeout=20', '-rss_limit_mb=1024', '-malloc_limit_mb=512']
const MAX_SIZE = 8192

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    to: { type: 'string' },
  },
})

/** By their files: NAME.c, whose seeds are in NAME.seeds.ts, or NAME.ts. */
const targets = readdirSync(places.targets)
  .filter(file => /^[\w-]+\.(c|ts)$/.test(file))
  .map(file => ({ name: file.replace(/\.\w+$/, ''), native: file.endsWith('.c') }))

function chosen([name]) {
  if (name === undefined) return targets
  const found = targets.filter(target => target.name === name)
  if (found.length > 0) return found
  throw new Error(`there is no target '${name}'; there are ${targets.map(target => target.name).join(', ')}`)
}

/** The target as a command, to which arguments of libFuzzer are added. */
async function prepare({ name, native }) {
  mkdirSync(places.made, { recursive: true })
  if (native) return { command: [nativeTarget(name)], words: [] }
  const { code, edges, words } = instrument(await bundle(join(places.targets, `${name}.ts`)))
  const module = join(places.made, `${name}.mjs`)
  writeFileSync(module, code)
  writeFileSync(`${module}.edges`, String(edges))
  const run = join(import.meta.dirname, 'engine/run.mjs')
  // What an input makes the engine hold is a finding, too: it then ends by a signal.
  return { command: [process.execPath, '--max-old-space-size=512', run, engine(), module], words }
}

async function seedsOf({ name, native }) {
  const file = join(places.targets, native ? `${name}.seeds.ts` : `${name}.ts`)
  const module = join(places.made, `${name}.seeds.mjs`)
  // Packages as they are, with their bindings: a plan may ask for the machine's architecture.
  writeFileSync(module, await bundle(file, ['@libcontainer/*']))
  const { seeds } = await import(pathToFileURL(module))
  return [...seeds()]
}

/** Answers what was found, if anything. */
async function fuzz(target, seconds) {
  const { name } = target
  const { command, words } = await prepare(target)
  const corpus = join(places.made, 'corpus', name)
  const found = join(places.made, 'found')
  const dictionary = join(places.made, `${name}.words`)
  if (values.fresh) rmSync(corpus, { recursive: true, force: true })
  for (const folder of [corpus, found]) mkdirSync(folder, { recursive: true })
  // libFuzzer refuses one without words.
  writeFileSync(dictionary, [...words, ' '].map(word => `"${word.replace(/["\\]/g, '\\$&')}"\n`).join(''))
  const seeds = mkdtempSync(join(places.made, 'seeds-'))
  try {
    for (const [i, seed] of (await seedsOf(target)).entries()) writeFileSync(join(seeds, String(i)), seed)
    const crashes = join(places.crashes, name)
    const folders = [corpus, seeds, ...(statSync(crashes, { throwIfNoEntry: false }) ? [crashes] : [])]
    const args = [
      ...LIMITS,
      `-max_total_time=${seconds}`,
      `-max_len=${MAX_SIZE}`,
      `-dict=${dictionary}`,
      `-artifact_prefix=${found}/${name}-`,
      '-print_final_stats=1',
      '-verbosity=0',
    ]
    const { status, stderr } = start([...command, ...args, ...folders], 'pipe')
    if (status !== 0) return tell(name, stderr)
    console.log(`${name}: ${summary(stderr)}`)
    return undefined
  } finally {
    rmSync(seeds, { recursive: true })
  }
}

function start([program, ...args], stderr) {
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1' }
  const result = spawnSync(program, args, {
    env,
    stdio: ['ignore', 'inherit', stderr],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (result.error) throw result.error
  return result
}

function summary(output) {
  const stat = name => Number(new RegExp(`stat::${name}: +(\\d+)`).exec(output)?.[1])
  const [runs, kept, peak] = ['number_of_executed_units', 'new_units_added', 'peak_rss_mb'].map(stat)
  return `${runs} inputs, ${kept} of them reached something new, ${peak} MB`
}

function tell(name, output) {
  const file = /Test unit written to (\S+)/.exec(output)?.[1]
  const told = output
    .split('\n')
    .filter(line => !/^(WARNING|INFO|Base64|0x|MS:|stat::)/.test(line))
    .map(line => line.slice(0, 2000))
    .join('\n')
    .trim()
  console.error(told)
  if (file === undefined) console.error(`${name}: failed`)
  else console.error(`${name}: found; to repeat it:\n    npm run fuzz -- ${name} ${relative(process.cwd(), file)}`)
  // The file may be gone with the machine.
  const input = file && readFileSync(file)
  return input ? `${told.slice(0, 1000)}\nBase64: ${input.toString('base64')}` : told.slice(0, 1000)
}

async function main() {
  const [, ...inputs] = positionals
  const todo = chosen(positionals)
  const seconds = Math.max(1, Math.round((Number(values.minutes) * 60) / todo.length))
  if (!Number.isFinite(seconds)) throw new Error(`--minutes ${values.minutes}: must be a number`)
  if (inputs.length > 0) {
    const { command } = await prepare(todo[0])
    process.exitCode = start([...command, ...LIMITS, ...inputs.map(file => resolve(file))], 'inherit').status ?? 1
    return
  }
  const failures = []
  for (const target of todo) {
    const error = await fuzz(target, seconds)
    if (error !== undefined) failures.push({ name: `fuzz ${target.name}`, error })
  }
  if (values.to !== undefined) {
    const totals = { passed: todo.length - failures.length, failed: failures.length, skipped: 0, failures }
    writeFileSync(values.to, `${JSON.stringify(totals)}\n`)
  }
  process.exitCode = failures.length === 0 ? 0 : 1
}

await main()
