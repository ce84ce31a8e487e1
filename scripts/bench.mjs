#!/usr/bin/env node
// npm run bench: containers of ours beside crun's, runc's and those of Go's libcontainer, in one run. See bench/README.md.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CommandLine, gatherRuntimes, Library, makeBundles } from '../bench/contender.mjs'
import { buildGo, buildTimed, goLibrary, versionOf, which } from '../bench/find.mjs'
import { goals, markdown } from '../bench/goals.mjs'
import { crowd, measurements } from '../bench/measurements.mjs'
import { summarize, table } from '../bench/report.mjs'
import { sweep, sweepWhenTold } from '../bench/sweep.mjs'
import { top } from './quietly.mjs'

const names = [...Object.keys(measurements), 'crowd']
const usage = `usage: npm run bench -- [--quick] [--rounds N] [--crowd N] [--only NAME,…] [--json FILE] [--markdown]
  --quick       a fifth of the rounds, and a tenth of the crowd: a first impression
  --rounds N    how often each contender has its turn; default 50
  --crowd N     how many containers are alive at once, of each runtime in turn; default 1000
  --only NAME   of ${names.join(', ')}
  --json FILE   writes every single run, too
  --markdown    ends with the table of lcrun for docs/performance.md
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    crowd: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const rounds = options.rounds === undefined ? (options.quick ? 10 : 50) : Number(options.rounds)
const size = options.crowd === undefined ? (options.quick ? 100 : 1000) : Number(options.crowd)
const rootfs = join(top, 'test-rootfs/busybox')
const prefix = `libcontainer-bench-${process.pid}`

/** Everybody who is here; for the others a line that says how to get them. */
async function gather(directory) {
  const timed = await buildTimed()
  const state = name => {
    const path = join(directory, name)
    return path
  }
  const api = new Library('API, Node.js', {
    command: [process.execPath, join(top, 'bench/api.mjs'), state('api'), rootfs, `${prefix}-api`],
  })
  const contenders = [api]
  const versions = { 'API, Node.js': `Node.js ${process.versions.node}` }
  const executable = join(top, 'bundles/nsinit')
  if (existsSync(executable)) {
    versions.nsinit = versionOf(executable)
    contenders.push(
      new CommandLine('nsinit', {
        program: executable,
        directory: state('nsinit'),
        timed,
        rootfs,
        prefix: `${prefix}-nsinit`,
      }),
    )
  } else console.error('bench: without the static executable: npm run binary')
  const runtimes = gatherRuntimes({ directory, timed, rootfs, prefix })
  Object.assign(versions, runtimes.versions)
  contenders.push(...runtimes.contenders)
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's libcontainer: apt-get install -y golang libseccomp-dev")
  else {
    versions['libcontainer, Go'] = `runc/libcontainer ${goLibrary()}, ${versionOf(go, 'version')}`
    const bundle = makeBundles(state('go'), { rootfs, prefix: `${prefix}-go` })
    contenders.push(
      new Library('libcontainer, Go', { command: [await buildGo(go), join(state('go'), 'state')], bundle }),
    )
  }
  return { contenders, api, versions }
}

const against = ['crun', 'runc', 'libcontainer, Go', ...['lcrun', 'crun', 'runc'].map(name => `${name}, none alive`)]

/** One measurement, or those that share a crowd. */
async function measured(name, gathered) {
  if (name === 'crowd') return await crowd(gathered, { rounds, size })
  const { title, unit = 'ms', measure } = measurements[name]
  return [{ name, title, unit, results: await measure(gathered, { rounds }) }]
}

async function main() {
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  if (process.getuid() !== 0) throw new Error('needs root: sudo npm run bench')
  if (!existsSync(rootfs) || !existsSync(join(top, 'packages/container/dist/index.js')))
    throw new Error('the work tree is not built: run npm start, or npm run build && test-rootfs/busybox.sh')
  const wanted = options.only?.split(',') ?? names
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown !== undefined || ![rounds, size].every(count => Number.isInteger(count) && count > 0))
    throw new Error(usage)

  const directory = mkdtempSync('/run/libcontainer-bench-')
  sweepWhenTold(prefix, directory)
  try {
    const gathered = await gather(directory)
    const load = loadavg()
    const machine = {
      processor: `${cpus().length} × ${cpus()[0].model}`,
      kernel: release(),
      load: load.map(each => each.toFixed(2)).join(' '),
    }
    console.log(`${machine.processor}, Linux ${machine.kernel}, load ${machine.load}, ${rounds} rounds`)
    for (const [name, version] of Object.entries(gathered.versions)) console.log(`${name}: ${version}`)
    const summaries = []
    for (const name of wanted) {
      for (const part of await measured(name, gathered)) {
        const summary = summarize(part)
        summaries.push(summary)
        console.log(`\n${table(summary, against)}`)
      }
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    if (options.markdown) console.log(`\n${markdown(summaries)}`)
    if (options.json !== undefined) {
      const report = { date: new Date().toISOString(), machine, versions: gathered.versions, rounds, summaries }
      writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    }
    await Promise.all(gathered.contenders.map(each => each.close()))
  } finally {
    await sweep(prefix, directory)
  }
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${error.message}`)
  // At once: those who measure wait for an order that does not come.
  process.exit(1)
}
