// What all benchmarks begin and end with: their options, the line about the machine, goals, and the report as data.
import { existsSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { top } from '../scripts/quietly.mjs'

const common = {
  quick: { about: 'less of everything: a first impression' },
  json: { value: 'FILE', about: 'writes every single run, too' },
  help: { about: 'this' },
}

/** How often each contender has its turn, as an option. */
export const rounds = (count, quick) => ({ count, quick, about: 'how often each contender has its turn' })

function usage(options) {
  const said = Object.entries(options).map(([name, { count, value, about }]) => {
    const word = count === undefined ? value : 'N'
    const words = count === undefined ? about : `${about}; default ${count}`
    return [word === undefined ? `--${name}` : `--${name} ${word}`, words]
  })
  const width = Math.max(...said.map(([option]) => option.length))
  const lines = said.map(([option, about]) => `  ${option.padEnd(width)}   ${about}\n`)
  const program = relative(top, process.argv[1])
  return `usage: node ${program} ${said.map(([option]) => `[${option}]`).join(' ')}\n${lines.join('')}`
}

/** The options that were given; those with a count as numbers. */
function parse(options) {
  const types = Object.entries(options).map(([name, { count, value }]) => [
    name,
    { type: count === undefined && value === undefined ? 'boolean' : 'string' },
  ])
  const given = parseArgs({ options: Object.fromEntries(types) }).values
  for (const [name, { count, quick = count }] of Object.entries(options)) {
    if (count === undefined) continue
    given[name] = given[name] === undefined ? (given.quick ? quick : count) : Number(given[name])
    if (!Number.isInteger(given[name]) || given[name] < 1) throw new Error(usage(options))
  }
  return given
}

/**
 * Runs a benchmark, as root in a tree that is built.
 *
 * @param more - options of its own by name: `{ count, quick, about }` is a number, `{ value, about }` text, `{ about }` a flag
 * @param act - is given what they say, and measures; the `versions`, `summaries` and whatever else it answers go into the report
 */
export async function benchmark(more, act) {
  try {
    const options = { ...more, ...common }
    const given = parse(options)
    if (given.help) {
      process.stdout.write(usage(options))
      return
    }
    if (process.getuid() !== 0) throw new Error('needs root')
    if (!existsSync(join(top, 'packages/container/dist/index.js')))
      throw new Error('the work tree is not built: npm run build')
    const load = loadavg().map(each => each.toFixed(2))
    const machine = { processor: `${cpus().length} × ${cpus()[0].model}`, kernel: release(), load: load.join(' ') }
    console.log(`${machine.processor}, Linux ${machine.kernel}, load ${machine.load}, ${given.rounds} rounds`)
    const { quick, json, help, ...settings } = given
    const report = await act(given)
    if (json === undefined) return
    writeFileSync(
      json,
      `${JSON.stringify({ date: new Date().toISOString(), machine, ...settings, ...report }, null, 2)}\n`,
    )
  } catch (error) {
    console.error(`bench: ${error.message}`)
    // At once: those who measure wait for an order that does not come.
    process.exit(1)
  }
}

/** Who takes part, in which version. */
export function tellVersions(versions) {
  for (const [name, version] of Object.entries(versions)) console.log(`${name}: ${version}`)
}
