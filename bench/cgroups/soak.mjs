#!/usr/bin/env node
// node bench/cgroups/soak.mjs [--cycles N]: cgroups with limits and processes that fork, made, killed and removed again and again. Says what is
// left at the end that was not there at the start: memory, descriptors, processes, cgroups. Ends with 1 where that is anything.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Cgroup, cgroupHost, limit } from '@libcontainer/cgroups'
import { sweep, sweepWhenTold } from '../sweep.mjs'

const MiB = 1024 * 1024
/** The heap of JavaScript breathes. */
const ROOM = 16 * MiB
const AT_ONCE = 4

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '10000' } } })
const cycles = Number(values.cycles)
if (!Number.isInteger(cycles) || cycles < 1) throw new Error('--cycles must be a number of 1 or more')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const prefix = `libcontainer-soak-${process.pid}`
const { hierarchies } = await cgroupHost()

async function cycle(i) {
  const limits = { memory: { max: 64 * MiB }, pids: { max: 16 }, cpu: { shares: 512 } }
  const group = await Cgroup.create(`/${prefix}-${i}`, limits)
  const child = spawn('sh', ['-c', 'read go; sleep 100 & sleep 100 & sleep 100'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => {})
  // Then its standard input is closed, too.
  const ended = once(child, 'close')
  try {
    await group.add(child.pid)
    child.stdin.end('go\n')
    await group.stats()
  } finally {
    await group.kill()
    await ended
    await group.destroy({ timeoutMs: 10_000 })
  }
}

/** What this process holds, and what of ours is on the machine. */
async function held() {
  for (let i = 0; i < 3; i++) {
    collect()
    await sleep(20)
  }
  return {
    memory: process.memoryUsage().rss,
    descriptors: readdirSync('/proc/self/fd').length,
    processes: readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).length,
    cgroups: hierarchies.flatMap(({ mountpoint }) => readdirSync(mountpoint).filter(name => name.startsWith(prefix)))
      .length,
  }
}

let next = 0
async function rounds(until) {
  const one = async () => {
    while (next < until) await cycle(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

sweepWhenTold(prefix)

// What is loaded at the first use, and the pools of threads, are there then.
const warm = Math.ceil(cycles / 10)
// The watch of descriptors, too, which not every cycle has to wait by.
const first = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
const { result } = await limit(first, {})
first.stdin.end()
await result

async function soak() {
  await rounds(warm)
  const before = await held()
  const start = Date.now()
  await rounds(warm + cycles)
  return { before, after: await held(), seconds: (Date.now() - start) / 1000 }
}

const { before, after, seconds } = await soak().catch(async error => {
  await sweep(prefix)
  throw error
})
console.log(`${cycles} cycles in ${seconds.toFixed(1)} s, ${((seconds * 1000) / cycles).toFixed(2)} ms each`)
const told = ({ memory, ...counts }) =>
  [`memory ${(memory / MiB).toFixed(1)} MiB`, ...Object.entries(counts).map(entry => entry.join(' '))].join(', ')
console.log(`before: ${told(before)}\nafter:  ${told(after)}`)
const more = Object.keys(before).filter(what => after[what] > before[what] + (what === 'memory' ? ROOM : 0))
if (after.cgroups > 0 && !more.includes('cgroups')) more.push('cgroups')
if (more.length > 0) {
  console.error(`soak: left behind: ${more.join(', ')}`)
  process.exitCode = 1
}
