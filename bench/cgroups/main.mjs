#!/usr/bin/env node
// node bench/cgroups/main.mjs: @libcontainer/cgroups beside Go's library of cgroups and systemd-run, in one run. See bench/README.md.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cgroup } from '@libcontainer/cgroups'
import { top } from '../../scripts/quietly.mjs'
import { Worker } from '../contender.mjs'
import { buildGo, buildTimed, goLibrary, versionOf, which } from '../find.mjs'
import { summarize, table } from '../report.mjs'
import { interleave } from '../statistics.mjs'
import { sweep, sweepWhenTold } from '../sweep.mjs'

const usage = `usage: node bench/cgroups/main.mjs [--quick] [--rounds N] [--size N] [--json FILE]
  --quick      a tenth of the rounds and of the tree: a first impression
  --rounds N   how often each contender has its turn; default 50
  --size N     how many cgroups the tree has; default 1000
  --json FILE  writes every single run, too
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    size: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds ?? (options.quick ? 5 : 50))
const size = Number(options.size ?? (options.quick ? 100 : 1000))
const prefix = `libcontainer-bench-${process.pid}`
const OURS = '@libcontainer/cgroups'

/** What of theirs our times may be at most. */
const wanted = { life: 1, one: 1, all: 0.5, list: 1, oom: 1 }

const MiB = 1024 * 1024
const measurements = {
  life: {
    title: 'create with limits of memory, pids and cpu, add a process; and when it has ended, destroy',
    order: (_, i) => `life /${prefix}-life-${i}`,
  },
  one: { title: 'all statistics of one cgroup', order: () => 'one' },
  all: { title: `all statistics of ${size} cgroups`, order: () => 'all', share: 5 },
  list: { title: `the processes of a tree of ${size} cgroups`, order: tree => `list ${tree}` },
  oom: {
    title: 'from the word to eat memory until the notice that it ran out (8 MiB)',
    order: (_, i) => `oom /${prefix}-oom-${i} ${8 * MiB}`,
    share: 2,
  },
}

/** The same by one command, which is what there is. */
class SystemdRun {
  name = 'systemd-run'
  #worker
  #errors

  constructor(timed, errors) {
    this.#errors = errors
    this.#worker = new Worker([timed, errors])
  }

  async life() {
    const properties = ['MemoryMax=64M', 'TasksMax=32', 'CPUQuota=50%'].flatMap(each => ['-p', each])
    const order = ['/', which('systemd-run'), '--scope', '--quiet', '--collect', ...properties, '/bin/true']
    const [ns, status] = (await this.#worker.ask(order.join('\t'))).split(' ').map(Number)
    if (status === 0) return ns
    throw new Error(`systemd-run: status ${status}: ${readFileSync(this.#errors, 'utf8').trim()}`)
  }

  close = () => this.#worker.close()
}

async function gather(directory) {
  const contenders = [{ name: OURS, worker: new Worker([process.execPath, join(top, 'bench/cgroups/ours.mjs')]) }]
  const versions = { [OURS]: `Node.js ${process.versions.node}` }
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's library of cgroups: apt-get install -y golang")
  else {
    contenders.push({ name: 'cgroups, Go', worker: new Worker([await buildGo(go, 'cgroups')]) })
    versions['cgroups, Go'] = `opencontainers/cgroups ${goLibrary('cgroups')}, ${versionOf(go, 'version')}`
  }
  const others = []
  if (existsSync('/run/systemd/system') && which('systemd-run') !== undefined) {
    others.push(new SystemdRun(await buildTimed(), join(directory, 'errors')))
    versions['systemd-run'] = versionOf('systemd-run')
  } else console.error('bench: without systemd-run: systemd does not run here')
  return { contenders, others, versions }
}

/** A tree of cgroups, a process in each hundredth. */
async function plant(path, size) {
  const whole = await Cgroup.create(path)
  for (let i = 0; i < size; i++) {
    const group = await Cgroup.create(`${path}/${i}`)
    if (i % 100 !== 0) continue
    const child = spawn('sleep', ['100000'], { stdio: 'ignore' })
    await group.add(child.pid)
  }
  return async () => {
    await whole.kill()
    await whole.destroy({ timeoutMs: 60_000 })
  }
}

const ns = async (worker, order) => Number(await worker.ask(order))

async function measured(name, { contenders, others }, tree) {
  const { title, order, share = 1 } = measurements[name]
  let i = 0
  const able = [
    ...contenders.map(each => ({ name: each.name, measure: () => ns(each.worker, order(tree, i++)) })),
    ...others.filter(each => each[name] !== undefined).map(each => ({ name: each.name, measure: () => each[name]() })),
  ]
  const results = await interleave(able, Math.ceil(rounds / share), each => each.measure())
  return summarize({ name, title, unit: 'ms', results })
}

function goals(summaries) {
  return summaries.flatMap(({ name, ratios }) =>
    Object.entries(ratios[OURS]).map(([theirs, { median }]) => {
      const word = median <= wanted[name] ? 'met   ' : 'missed'
      return `goal ${word}  ${OURS} / ${theirs}, ${name}: ${median.toFixed(2)}, wanted at most ${wanted[name]}`
    }),
  )
}

async function main() {
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  if (process.getuid() !== 0) throw new Error('needs root')
  if (![rounds, size].every(count => Number.isInteger(count) && count > 0)) throw new Error(usage)
  const directory = join(tmpdir(), prefix)
  mkdirSync(directory)
  sweepWhenTold(prefix, directory)
  try {
    const gathered = await gather(directory)
    const load = loadavg().map(each => each.toFixed(2))
    const machine = { processor: `${cpus().length} × ${cpus()[0].model}`, kernel: release(), load: load.join(' ') }
    console.log(`${machine.processor}, Linux ${machine.kernel}, load ${machine.load}, ${rounds} rounds`)
    for (const [name, version] of Object.entries(gathered.versions)) console.log(`${name}: ${version}`)
    const tree = `/${prefix}-tree`
    const uproot = await plant(tree, size)
    const summaries = []
    try {
      for (const { worker } of gathered.contenders) await worker.ask(`tree ${tree} ${size}`)
      for (const name of Object.keys(measurements)) {
        const summary = await measured(name, gathered, tree)
        summaries.push(summary)
        console.log(`\n${table(summary, ['cgroups, Go', 'systemd-run'])}`)
      }
    } finally {
      await uproot()
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    if (options.json !== undefined) {
      const report = { date: new Date().toISOString(), machine, versions: gathered.versions, rounds, size, summaries }
      writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
    }
    await Promise.all(
      [...gathered.contenders.map(({ worker }) => worker), ...gathered.others].map(each => each.close()),
    )
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
