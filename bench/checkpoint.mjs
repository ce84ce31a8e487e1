#!/usr/bin/env node
// Checkpoint and restore of lcrun beside runc, and what dumps of the memory before it save: node bench/checkpoint.mjs [--rounds N] [--mib N]
// Needs root, CRIU on a kernel where it works, runc and python3: a virtual machine has them (vm/run --disk worlds).
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { imageSize, parseStats } from '@libcontainer/criu'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, mib: { type: 'string', default: '128' } },
})
const rounds = Number(values.rounds)
const place = mkdtempSync(join(tmpdir(), 'bench-checkpoint-'))
const runtimes = { lcrun: fileURLToPath(new URL('../bundles/lcrun', import.meta.url)), runc: 'runc' }
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

/** Rewrites 1 % of its memory each second. */
const PROGRAM = `
import time
pages = ${values.mib} * 256
memory = bytearray(pages * 4096)
for page in range(pages): memory[page * 4096] = 1
open('/dev/shm/ready', 'w').close()
turn = 0
while True:
  for page in range(pages // 100): memory[(turn * (pages // 100) + page) % pages * 4096] = turn % 256
  turn += 1
  time.sleep(1)
`

function makeBundle() {
  mkdirSync(join(place, 'rootfs'))
  execFileSync('runc', ['spec'], { cwd: place, env: environment })
  const config = JSON.parse(readFileSync(join(place, 'config.json'), 'utf8'))
  config.process.terminal = false
  config.process.args = ['/usr/bin/python3', '-c', PROGRAM]
  config.root.readonly = false
  // CRIU follows no link to a source: runc hands it the path as it stands.
  config.mounts.push({ destination: '/usr', type: 'bind', source: '/usr', options: ['bind', 'ro', 'rprivate'] })
  for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, join(place, 'rootfs', name))
  writeFileSync(join(place, 'config.json'), JSON.stringify(config))
}

const run = (runtime, ...args) =>
  execFileSync(runtimes[runtime], args, { cwd: place, stdio: 'ignore', env: environment })

function timed(act) {
  const start = performance.now()
  act()
  return performance.now() - start
}

async function started(runtime, id) {
  run(runtime, 'run', '--detach', id)
  for (;;) {
    try {
      run(runtime, 'exec', id, '/usr/bin/python3', '-c', "open('/dev/shm/ready')")
      return
    } catch {
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
}

async function round(runtime, id, preDumps) {
  await started(runtime, id)
  const images = join(place, 'images')
  mkdirSync(images)
  for (let i = 1; i <= preDumps; i++) {
    const parent = i === 1 ? [] : ['--parent-path', `../${i - 1}`]
    mkdirSync(join(images, `${i}`))
    run(runtime, 'checkpoint', '--pre-dump', '--image-path', join(images, `${i}`), ...parent, id)
  }
  const last = join(images, 'last')
  const parent = preDumps === 0 ? [] : ['--parent-path', `../${preDumps}`]
  mkdirSync(last)
  const checkpointMs = timed(() => run(runtime, 'checkpoint', '--image-path', last, '--work-path', last, ...parent, id))
  const frozenMs = parseStats(readFileSync(join(last, 'stats-dump'))).dump.frozenUs / 1000
  const mib = (await imageSize(last)) / 2 ** 20
  const restoreMs = timed(() => run(runtime, 'restore', '--detach', '--image-path', last, id))
  run(runtime, 'delete', '--force', id)
  rmSync(images, { recursive: true })
  return { checkpointMs, restoreMs, frozenMs, mib }
}

const median = list => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

makeBundle()
const rows = []
for (const preDumps of [0, 2]) {
  const found = Object.fromEntries(Object.keys(runtimes).map(name => [name, []]))
  // By turns, so that both have the same machine.
  for (let i = 0; i < rounds; i++)
    for (const name of Object.keys(runtimes)) found[name].push(await round(name, `bench-${name}`, preDumps))
  for (const [name, list] of Object.entries(found)) {
    const of = key => Math.round(median(list.map(each => each[key])))
    rows.push({
      runtime: name,
      'pre-dumps': preDumps,
      'checkpoint ms': of('checkpointMs'),
      'restore ms': of('restoreMs'),
      'pause ms': of('frozenMs'),
      MiB: of('mib'),
    })
  }
  console.table(rows)
}
rmSync(place, { recursive: true, force: true })
