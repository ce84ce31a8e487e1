#!/usr/bin/env node
// node bench/mount/main.mjs: @libcontainer/mount beside Go's mountinfo, and containers with fifty binds beside runc's and crun's. See bench/README.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { announceExec, bootstrap, execProgram, findProgram, openRoot } from '@libcontainer/init'
import { mountSteps, propagationStep } from '@libcontainer/mount'
import { killPidfd, openNull, slot, waitExit } from '@libcontainer/sys'
import { top } from '../../scripts/quietly.mjs'
import { Worker } from '../contender.mjs'
import { buildGo, goLibrary, versionOf, which } from '../find.mjs'
import { summarize, table } from '../report.mjs'
import { interleave } from '../statistics.mjs'

const usage = `usage: node bench/mount/main.mjs [--quick] [--rounds N] [--lines N]
  --quick      a fifth of the rounds: a first impression
  --rounds N   how often each contender has its turn; default 50
  --lines N    how many mounts the table has; default 20000
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    lines: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds ?? (options.quick ? 10 : 50))
const lines = Number(options.lines ?? 20_000)

const CLONE_NEWNS = 0x20000
const OURS = '@libcontainer/mount'
const THEIRS = 'moby/sys/mountinfo, Go'
/** What of theirs our times may be at most. */
const wanted = { read: 2, find: 1 }

/** So many mounts are made one by one; the others are copies of all of them at once. */
const GROUP = 200

/** A process in a mount namespace of its own that has so many mounts: they go when it does. */
async function holder(place) {
  const options = ['bind', 'ro', 'nosuid', 'nodev']
  const copies = Math.ceil(lines / (GROUP + 1))
  const mounts = [
    { destination: place, type: 'tmpfs', options: ['mode=755'] },
    ...Array.from({ length: GROUP }, (_, i) => ({ destination: `${place}/0/${i}`, source: place, options })),
    ...Array.from({ length: copies }, (_, i) => ({
      destination: `${place}/${i + 1}`,
      source: `${place}/0`,
      options: ['rbind'],
    })),
  ]
  const nothing = openNull()
  const { pid, pidfd } = await bootstrap({
    cloneFlags: CLONE_NEWNS,
    steps: [
      openRoot,
      propagationStep('rprivate'),
      ...mountSteps(mounts, { root: slot('root') }),
      findProgram('/bin/sleep', ''),
      announceExec,
      execProgram(['sleep', '100000'], []),
    ],
    stdio: [nothing.fd, nothing.fd, nothing.fd],
  })
  nothing.close()
  return {
    pid,
    find: `${place}/${Math.ceil(copies / 10)}`,
    end: async () => {
      killPidfd(pidfd)
      await waitExit(pidfd)
    },
  }
}

async function tables() {
  const place = join(tmpdir(), `libcontainer-bench-mounts-${process.pid}`)
  mkdirSync(place)
  const workers = [{ name: OURS, worker: new Worker([process.execPath, join(top, 'bench/mount/ours.mjs')]) }]
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's mountinfo: apt-get install -y golang")
  else {
    workers.push({ name: THEIRS, worker: new Worker([await buildGo(go, 'mountinfo')]) })
    console.log(`${THEIRS}: ${goLibrary('mountinfo')}, ${versionOf(go, 'version')}`)
  }
  const held = await holder(place)
  try {
    const ask = async (worker, order) => {
      const [ns, count] = (await worker.ask(order)).split(' ').map(Number)
      const least = order.startsWith('find') ? 1 : lines
      if (count < least) throw new Error(`${order}: ${count} mounts, not ${least}`)
      return ns
    }
    const orders = {
      read: [`a table of ${lines} mounts, read whole`, `read ${held.pid}`],
      find: [`the first mount at a path, a tenth into ${lines}`, `find ${held.pid} ${held.find}`],
    }
    const goals = []
    for (const [name, [title, order]] of Object.entries(orders)) {
      const results = await interleave(workers, rounds, ({ worker }) => ask(worker, order))
      const summary = summarize({ name, title, unit: 'ms', results })
      console.log(`\n${table(summary, [THEIRS])}`)
      const found = summary.ratios[OURS][THEIRS]
      if (found === undefined) continue
      const word = found.median <= wanted[name] ? 'met   ' : 'missed'
      goals.push(
        `goal ${word}  ${OURS} / ${THEIRS}, ${name}: ${found.median.toFixed(2)}, wanted at most ${wanted[name]}`,
      )
    }
    const results = await interleave([workers[0]], Math.ceil(rounds / 2), ({ worker }) =>
      ask(worker, `stream ${held.pid}`),
    )
    console.log(`\n${table(summarize({ name: 'stream', title: 'the same one by one', unit: 'ms', results }), [])}`)
    console.log(`\n${goals.join('\n')}`)
  } finally {
    await held.end()
    for (const { worker } of workers) await worker.close()
    rmdirSync(place)
  }
}

async function main() {
  if (options.help) {
    process.stdout.write(usage)
    return
  }
  if (process.getuid() !== 0) throw new Error('needs root')
  if (![rounds, lines].every(count => Number.isInteger(count) && count > 0)) throw new Error(usage)
  const load = loadavg().map(each => each.toFixed(2))
  console.log(`${cpus().length} × ${cpus()[0].model}, Linux ${release()}, load ${load.join(' ')}, ${rounds} rounds`)
  await tables()
  console.log('')
  const { status } = spawnSync(
    process.execPath,
    [join(top, 'scripts/bench.mjs'), '--only', 'run-binds', '--rounds', String(rounds)],
    { stdio: 'inherit' },
  )
  process.exitCode = status ?? 1
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${error.message}`)
  // At once: those who measure wait for an order that does not come.
  process.exit(1)
}
