// Drives @libcontainer/cgroups, for the benchmark: reads an order a line, answers a line. The orders are those of test/go/cgroups/main.go.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Cgroup, statsOf } from '@libcontainer/cgroups'

const limits = max => ({ memory: { max }, pids: { max: 32 }, cpu: { shares: 512, quotaUs: 50000, periodUs: 100000 } })

/** A program that waits for a line before it does anything. */
async function waiting(command) {
  const child = spawn('sh', ['-c', `read go; ${command}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.on('error', () => {})
  const ended = once(child, 'exit')
  await once(child, 'spawn')
  return {
    pid: child.pid,
    go: () => child.stdin.end('go\n'),
    end: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const now = () => process.hrtime.bigint()

async function timed(act) {
  const start = now()
  await act()
  return now() - start
}

let tree = []

const orders = {
  async life(path) {
    const program = await waiting('exit')
    const start = now()
    const group = await Cgroup.create(path, limits(64 << 20))
    await group.add(program.pid)
    const took = now() - start
    await program.end()
    return took + (await timed(() => group.destroy()))
  },
  async tree(path, count) {
    tree = await Promise.all(Array.from({ length: Number(count) }, (_, i) => Cgroup.open(`${path}/${i}`)))
    return 0
  },
  one: () => timed(() => tree[0].stats()),
  all: () => timed(() => statsOf(tree)),
  async list(path) {
    const group = await Cgroup.open(path)
    return await timed(async () => {
      if ((await group.processes()).length === 0) throw new Error(`no processes in ${path}`)
    })
  },
  async oom(path, bytes) {
    const program = await waiting('exec tail /dev/zero')
    const group = await Cgroup.create(path, limits(Number(bytes)))
    try {
      await group.add(program.pid)
      const events = group.oomEvents()[Symbol.asyncIterator]()
      const first = events.next()
      // Until it watches.
      await new Promise(resolve => setTimeout(resolve, 20))
      const start = now()
      program.go()
      await first
      const took = now() - start
      await events.return()
      return took
    } finally {
      await program.end()
      await group.destroy()
    }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...rest] = line.split(' ')
  try {
    console.log(String(await orders[order](...rest)))
  } catch (error) {
    console.log(`error ${(error.stack ?? String(error)).replaceAll('\n', ' ')}`)
  }
}
