#!/usr/bin/env node
// Runs the tests of worlds.mjs, one virtual machine for each world, and says what failed. usage: vm/test.mjs [--world NAME]… [--only PATTERN] [FILE…]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './bundle.mjs'
import { install } from './install.mjs'
import { boot } from './machine.mjs'
import { leaveOut, worlds } from './worlds.mjs'

/** How much longer than on a machine of its own a test may take. */
const SLOWNESS = 8
/** For all tests of a world, in seconds: the longest was seen to take 24 minutes where the host had five times as much to do as it can. */
const WORLD_SECONDS = 1800

const top = fileURLToPath(new URL('..', import.meta.url))
/** Of this run alone: another may be under way. */
const bundles = `.cache/vm/bundles-${process.pid}`
process.on('exit', () => rmSync(join(top, bundles), { recursive: true, force: true }))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    world: { type: 'string', multiple: true, default: worlds.map(({ name }) => name) },
    only: { type: 'string', default: '' },
    totals: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const unknown = values.world.filter(name => !worlds.some(world => world.name === name))
if (unknown.length > 0) throw new Error(`no such world: ${unknown}; there are ${worlds.map(({ name }) => name)}`)

const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const unsteady = []
const rows = []
const queue = worlds.filter(({ name }) => values.world.includes(name))
// An emulator keeps little more than one processor busy.
const lanes = Math.min(2, availableParallelism())
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let world = queue.shift(); world !== undefined; world = queue.shift()) await runWorld(world)
  }),
)
console.log(`\nworld        passed  failed  skipped   time\n${rows.join('\n')}`)
if (values.totals) {
  mkdirSync(dirname(values.totals), { recursive: true })
  writeFileSync(values.totals, `${JSON.stringify({ ...totals, failures, unsteady })}\n`)
}
process.exitCode = totals.failed > 0 ? 1 : 0

async function runWorld(world) {
  const {
    name,
    cgroup,
    init = 'plain',
    lsm = 'none',
    disk,
    cpus,
    user = false,
    mustRun,
    modules = [],
    installed = [],
    files,
  } = world
  const start = performance.now()
  const say = text => console.log(text.replace(/^/gm, `${name.padEnd(10)}`))
  const chosen = positionals.length > 0 ? positionals : files
  say(`=== ${user ? 'an ordinary user, ' : ''}cgroup ${cgroup}${lsm === 'none' ? '' : `, ${lsm}`}`)
  const folder = `${bundles}/${name}`
  mkdirSync(join(top, folder), { recursive: true })
  if (installed.length > 0) install(join(top, folder), installed)
  const programs = []
  for (const file of chosen) {
    const program = `${folder}/${file.replaceAll('/', '+').replace(/\.ts$/, '.mjs')}`
    await bundle(file, join(top, program))
    programs.push(program)
  }

  const counts = { passed: 0, failed: 0, skipped: 0 }
  const failed = (test, why) => {
    counts.failed++
    failures.push({ name: `${name}: ${test}`, error: why })
    say(`FAILED ${test}\n${why.replace(/^/gm, '    ')}`)
  }
  let file = 'the boot'
  let running
  let ended = true
  let told = 0
  // A file that does not come to its end is a failure, of the test that it was at.
  const close = () => {
    if (ended && file !== 'the boot' && told === 0 && !values.only) failed(file, 'it has no tests')
    if (!ended) failed(`${file}${running ? ` > ${running}` : ''}`, 'the process ended before its tests did')
    running = undefined
  }
  const take = ({ file: begun, name: test, outcome, ms, errors = [], again = [], why }) => {
    if (begun !== undefined) {
      close()
      file = begun
      ended = false
      told = 0
      say(
        `${file
          .split('/')
          .at(-1)
          .replaceAll('+', '/')
          .replace(/\.mjs$/, '.ts')}  (${elapsed(start)})`,
      )
    } else if (outcome === 'started') running = test
    else if (outcome === 'end') ended = true
    else {
      running = undefined
      told++
      if (outcome === 'failed') failed(test, [...errors, ...again].join('\n'))
      else counts[outcome]++
      if (outcome === 'passed' && errors.length > 0)
        unsteady.push({ name: `${name}: ${test}`, error: errors.join('\n') })
      if (why) say(`left out: ${test}: ${why}`)
      else if (values.verbose) say(`${outcome} ${test}${ms === undefined ? '' : `, ${ms} ms`}`)
    }
  }
  const [stdout, stderr] = [
    lines(line => (line.startsWith('\x1e') ? take(JSON.parse(line.slice(1))) : say(line))),
    lines(say),
  ]
  const status = await boot(['/vm/guest/tests', ...programs], {
    cgroup,
    init,
    lsm,
    disk: disk ?? (init === 'plain' && lsm === 'none' ? 'tests' : 'worlds'),
    cpus,
    seconds: WORLD_SECONDS,
    environment: {
      LIBCONTAINER_TESTS_MUST_RUN: mustRun,
      LIBCONTAINER_TESTS_SLOWNESS: SLOWNESS,
      VM_USER: user ? 'lab' : '',
      VM_MODULES: modules.join('\n'),
      LIBCONTAINER_TESTS_INSTALLED: installed.length > 0 ? join(top, folder, 'installed') : '',
      VM_TESTS: JSON.stringify({ leaveOut: leaveOutIn(name), only: values.only }),
    },
    stdout: stdout.add,
    stderr: stderr.add,
  })
  stdout.end()
  stderr.end()
  close()
  if (status !== 0)
    failed(`${name}: the machine`, status === 124 ? `stopped after ${WORLD_SECONDS} s, in ${file}` : `status ${status}`)
  for (const kind of Object.keys(totals)) totals[kind] += counts[kind]
  const numbers = [counts.passed, counts.failed, counts.skipped].map(count => String(count).padStart(7)).join(' ')
  rows.push(`${name.padEnd(10)} ${numbers}    ${elapsed(start)}`)
}

function leaveOutIn(world) {
  return leaveOut.filter(({ worlds: only }) => only === undefined || only.includes(world))
}

/** Hands on whole lines, and at the end what is left of one: the last words of what died. */
function lines(take) {
  let rest = ''
  return {
    add(text) {
      const found = (rest + text).split('\n')
      rest = found.pop()
      for (const line of found) take(line)
    },
    end() {
      if (rest !== '') take(rest)
    },
  }
}

function elapsed(start) {
  const seconds = Math.round((performance.now() - start) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
