#!/usr/bin/env node
// Runs the tests of worlds.mjs, one virtual machine for each world, and says what failed. usage: vm/test.mjs [--world NAME]… [--only PATTERN] [FILE…]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './bundle.mjs'
import { install } from './install.mjs'
import { boot, LockedUp } from './machine.mjs'
import { outcomeOf } from './outcome.mjs'
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
const filesOf = ({ files }) => (positionals.length > 0 ? positionals : files)
const files = [...new Set(queue.flatMap(filesOf))]
const names = await bundle(files, join(top, bundles))
const programs = new Map(files.map((file, i) => [file, `${bundles}/${names[i]}`]))
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
  const { name, cgroup, lsm = 'none', user = false, installed = [] } = world
  const start = performance.now()
  const say = text => console.log(text.replace(/^/gm, `${name.padEnd(10)}`))
  say(`=== ${user ? 'an ordinary user, ' : ''}cgroup ${cgroup}${lsm === 'none' ? '' : `, ${lsm}`}`)
  const folder = `${bundles}/${name}`
  mkdirSync(join(top, folder), { recursive: true })
  if (installed.length > 0) install(join(top, folder), installed)

  const attempt = () => runTests(world, { folder, say, elapsed: () => elapsed(start) })
  let outcome = await attempt()
  if (outcome.locked) {
    const { locked } = outcome
    say(`${locked.message}: once more`)
    outcome = await attempt()
    outcome.unsteady.push({ name: `${name}: the machine`, error: locked.message })
  }
  const { counts } = outcome
  for (const kind of Object.keys(totals)) totals[kind] += counts[kind]
  failures.push(...outcome.failures)
  unsteady.push(...outcome.unsteady)
  const numbers = [counts.passed, counts.failed, counts.skipped].map(count => String(count).padStart(7)).join(' ')
  rows.push(`${name.padEnd(10)} ${numbers}    ${elapsed(start)}`)
}

/** All tests of a world, in one machine. `locked` says that it was stuck. */
async function runTests(world, { folder, say, elapsed }) {
  const { name, cgroup, init = 'plain', lsm = 'none', disk, cpus, user = false, mustRun } = world
  const { modules = [], installed = [] } = world
  const outcome = outcomeOf({ name, verbose: values.verbose, partial: Boolean(values.only), say, elapsed })
  let locked
  let why
  try {
    const status = await boot(['/vm/guest/tests', ...filesOf(world).map(file => programs.get(file))], {
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
      stdout: outcome.stdout,
      stderr: outcome.stderr,
    })
    if (status !== 0) why = status === 124 ? `stopped after ${WORLD_SECONDS} s, in ${outcome.file}` : `status ${status}`
  } catch (error) {
    why = error.message
    if (error instanceof LockedUp) locked = error
  }
  outcome.end()
  if (why) outcome.failed('the machine', why)
  return { ...outcome, locked }
}

function leaveOutIn(world) {
  return leaveOut.filter(({ worlds: only }) => only === undefined || only.includes(world))
}

function elapsed(start) {
  const seconds = Math.round((performance.now() - start) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
