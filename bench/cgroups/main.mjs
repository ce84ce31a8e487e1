#!/usr/bin/env node
// node bench/cgroups/main.mjs: @libcontainer/cgroups beside Go's library of cgroups and systemd-run, in one run. See bench/README.md.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cgroup } from '@libcontainer/cgroups'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds, tellVersions } from '../benchmark.mjs'
import { Worker } from '../contender.mjs'
import { buildGo, buildTimed, goLibrary, versionOf, which } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave } from '../statistics.mjs'
import { sweep, sweepWhenTold } from '../sweep.mjs'

const options = {
  rounds: rounds(50, 5),
  size: { count: 1000, quick: 100, about: 'how many cgroups the tree has' },
}
const prefix = `libcontainer-bench-${process.pid}`
const OURS = '@libcontainer/cgroups'

/** What of theirs our times may be at most. */
const wanted = { life: 1, one: 1, all: 0.5, list: 1, oom: 1 }

const MiB = 1024 * 1024
const measurements = {
  life: {
    title: () => 'create with limits of memory, pids and cpu, add a process; and when it has ended, destroy',
    order: (_, i) => `life /${prefix}-life-${i}`,
  },
  one: { title: () => 'all statistics of one cgroup', order: () => 'one' },
  all: { title: size => `all statistics of ${size} cgroups`, order: () => 'all', share: 5 },
  list: { title: size => `the processes of a tree of ${size} cgroups`, order: tree => `list ${tree}` },
  oom: {
    title: () => 'from the word to eat memory until the notice that it ran out (8 MiB)',
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

async function measured(name, { contenders, others }, { tree, rounds, size }) {
  const { title, order, share = 1 } = measurements[name]
  let i = 0
  const able = [
    ...contenders.map(each => ({ name: each.name, measure: () => ns(each.worker, order(tree, i++)) })),
    ...others.filter(each => each[name] !== undefined).map(each => ({ name: each.name, measure: () => each[name]() })),
  ]
  const results = await interleave(able, Math.ceil(rounds / share), each => each.measure())
  return summarize({ name, title: title(size), unit: 'ms', results })
}

function goals(summaries) {
  return summaries.flatMap(({ name, ratios }) =>
    Object.entries(ratios[OURS]).map(([theirs, { median }]) =>
      goal(`${OURS} / ${theirs}, ${name}`, median, wanted[name]),
    ),
  )
}

await benchmark(options, async ({ rounds, size }) => {
  const directory = join(tmpdir(), prefix)
  mkdirSync(directory)
  sweepWhenTold(prefix, directory)
  try {
    const gathered = await gather(directory)
    tellVersions(gathered.versions)
    const tree = `/${prefix}-tree`
    const uproot = await plant(tree, size)
    const summaries = []
    try {
      for (const { worker } of gathered.contenders) await worker.ask(`tree ${tree} ${size}`)
      for (const name of Object.keys(measurements)) {
        const summary = await measured(name, gathered, { tree, rounds, size })
        summaries.push(summary)
        console.log(`\n${table(summary, ['cgroups, Go', 'systemd-run'])}`)
      }
    } finally {
      await uproot()
    }
    console.log(`\n${goals(summaries).join('\n')}`)
    await Promise.all(
      [...gathered.contenders.map(({ worker }) => worker), ...gathered.others].map(each => each.close()),
    )
    return { versions: gathered.versions, summaries }
  } finally {
    await sweep(prefix, directory)
  }
})
