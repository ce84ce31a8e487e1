#!/usr/bin/env node
// node bench/mount/main.mjs: @libcontainer/mount beside Go's mountinfo, and containers with fifty binds beside runc's and crun's. See bench/README.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { announceExec, bootstrap, execProgram, findProgram, openRoot } from '@libcontainer/init'
import { mountSteps, propagationStep } from '@libcontainer/mount'
import { killPidfd, openNull, slot, waitExit } from '@libcontainer/sys'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds } from '../benchmark.mjs'
import { Worker } from '../contender.mjs'
import { buildGo, goLibrary, versionOf, which } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave } from '../statistics.mjs'

const options = {
  rounds: rounds(50, 10),
  lines: { count: 20_000, about: 'how many mounts the table has' },
}

const CLONE_NEWNS = 0x20000
const OURS = '@libcontainer/mount'
const THEIRS = 'moby/sys/mountinfo, Go'
/** What of theirs our times may be at most. */
const wanted = { read: 2, find: 1 }

/** So many mounts are made one by one; the others are copies of all of them at once. */
const GROUP = 200

/** A process in a mount namespace of its own that has so many mounts: they go when it does. */
async function holder(place, lines) {
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

async function tables({ rounds, lines }) {
  const place = join(tmpdir(), `libcontainer-bench-mounts-${process.pid}`)
  mkdirSync(place)
  const workers = [{ name: OURS, worker: new Worker([process.execPath, join(top, 'bench/mount/ours.mjs')]) }]
  const go = which('go')
  if (go === undefined) console.error("bench: without Go's mountinfo: apt-get install -y golang")
  else {
    workers.push({ name: THEIRS, worker: new Worker([await buildGo(go, 'mountinfo')]) })
    console.log(`${THEIRS}: ${goLibrary('mountinfo')}, ${versionOf(go, 'version')}`)
  }
  const held = await holder(place, lines)
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
    const summaries = []
    for (const [name, [title, order]] of Object.entries(orders)) {
      const results = await interleave(workers, rounds, ({ worker }) => ask(worker, order))
      const summary = summarize({ name, title, unit: 'ms', results })
      summaries.push(summary)
      console.log(`\n${table(summary, [THEIRS])}`)
      const found = summary.ratios[OURS][THEIRS]
      if (found === undefined) continue
      goals.push(goal(`${OURS} / ${THEIRS}, ${name}`, found.median, wanted[name]))
    }
    const results = await interleave([workers[0]], Math.ceil(rounds / 2), ({ worker }) =>
      ask(worker, `stream ${held.pid}`),
    )
    summaries.push(summarize({ name: 'stream', title: 'the same one by one', unit: 'ms', results }))
    console.log(`\n${table(summaries.at(-1), [])}\n\n${goals.join('\n')}`)
    return summaries
  } finally {
    await held.end()
    for (const { worker } of workers) await worker.close()
    rmdirSync(place)
  }
}

await benchmark(options, async sizes => {
  const summaries = await tables(sizes)
  console.log('')
  const { status } = spawnSync(
    process.execPath,
    [join(top, 'scripts/bench.mjs'), '--only', 'run-binds', '--rounds', String(sizes.rounds)],
    { stdio: 'inherit' },
  )
  process.exitCode = status ?? 1
  return { summaries }
})
