#!/usr/bin/env node
// node bench/selinux/main.mjs: trees relabelled by @libcontainer/selinux, by chcon -R and by setfiles, of which restorecon is another name. See bench/README.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds } from '../benchmark.mjs'
import { Worker } from '../contender.mjs'
import { versionOf, which } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave, median } from '../statistics.mjs'

const options = {
  rounds: rounds(15, 5),
  files: { count: 100_000, about: 'how many files a tree has' },
  place: { value: 'DIRECTORY', about: `where the trees are made; default ${tmpdir()}` },
}

const OURS = '@libcontainer/selinux'
const [CHCON, RESTORECON, PARALLEL] = ['chcon -R', 'restorecon', 'restorecon -T 0']
/** What of their times ours may be at most, and what our process may grow by, in kB. */
const MOST = 1
const GROWTH = 64 * 1024

/** The same number of files, by how many lie in a directory. */
const shapes = [
  { name: 'tree', about: '1,000 to a directory', each: 1000 },
  { name: 'small', about: '10 to a directory', each: 10 },
  { name: 'flat', about: 'all in one directory', each: Number.POSITIVE_INFINITY },
]

function makeTree(path, files, each) {
  for (let i = 0; i < files; i++) {
    const directory = join(path, String(Math.floor(i / each) || 0))
    if (i % each === 0 || i === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, String(i)), '')
  }
}

/** Every turn gives another label than the one before. */
let turn = 0
const nextLabel = () => `system_u:object_r:tmp_t:s0:c${turn++ % 1000}`

function timed(command, ...args) {
  const start = process.hrtime.bigint()
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`)
  return Number(process.hrtime.bigint() - start)
}

function contenders(worker, growth) {
  const spec = join(tmpdir(), `libcontainer-bench-contexts-${process.pid}`)
  const setfiles = (path, ...more) => {
    writeFileSync(spec, `/.*  ${nextLabel()}\n`)
    try {
      return timed('setfiles', '-F', ...more, spec, path)
    } finally {
      rmSync(spec)
    }
  }
  const ours = async path => {
    const [ns, changed, grown] = (await worker.ask(`${path} ${nextLabel()}`)).split(' ').map(Number)
    if (changed === 0) throw new Error('nothing was changed')
    growth.push(grown)
    return ns
  }
  const theirs = [
    ['chcon', CHCON, path => timed('chcon', '-R', nextLabel(), path)],
    ['setfiles', RESTORECON, path => setfiles(path)],
    ['setfiles', PARALLEL, path => setfiles(path, '-T', '0')],
  ]
  return [
    { name: OURS, act: ours },
    ...theirs.filter(([program]) => which(program)).map(([, name, act]) => ({ name, act })),
  ]
}

await benchmark(options, async ({ rounds, files, place = tmpdir() }) => {
  const chcon = which('chcon')
  if (chcon !== undefined) console.log(`${CHCON}: ${versionOf(chcon, '--version')}`)
  if (which('setfiles') === undefined) console.error('bench: without restorecon: apt-get install -y policycoreutils')
  const worker = new Worker([process.execPath, join(top, 'bench/selinux/ours.mjs')])
  const growth = []
  const summaries = []
  const goals = []
  try {
    for (const { name, about, each } of shapes) {
      const path = join(place, `libcontainer-bench-selinux-${process.pid}`)
      try {
        makeTree(path, files, each)
        const results = await interleave(contenders(worker, growth), rounds, ({ act }) => act(path))
        const summary = summarize({ name, title: `${files} files, ${about}`, unit: 'ms', results })
        summaries.push(summary)
        console.log(`\n${table(summary, [CHCON, RESTORECON, PARALLEL])}`)
        for (const [who, { median }] of Object.entries(summary.ratios[OURS]))
          goals.push(goal(`${OURS} / ${who}, ${name}`, median, MOST))
      } finally {
        rmSync(path, { recursive: true, force: true })
      }
    }
  } finally {
    await worker.close()
  }
  console.log(`\nour process grew by at most ${Math.max(...growth)} kB (median ${median(growth)})`)
  goals.push(goal('kB that it grew by', Math.max(...growth), GROWTH))
  console.log(`\n${goals.join('\n')}`)
  return { summaries, growth }
})
