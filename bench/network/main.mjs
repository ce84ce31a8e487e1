#!/usr/bin/env node
// node bench/network/main.mjs: what a network adds to the start of a container, beside the kernel's own time for it. See bench/README.md.
import { existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Netlink, Netns } from '@libcontainer/netlink'
import { top } from '../../scripts/quietly.mjs'
import { benchmark, rounds } from '../benchmark.mjs'
import { Worker } from '../contender.mjs'
import { buildKernel } from '../find.mjs'
import { goal } from '../goals.mjs'
import { summarize, table } from '../report.mjs'
import { interleave, median, ratio } from '../statistics.mjs'
import { sweep, sweepWhenTold } from '../sweep.mjs'

const BRIDGE = 'bench0'
const prefix = `libcontainer-bench-${process.pid}`
const rootfs = join(top, 'test-rootfs/busybox')
const [KERNEL, NONE, VETH, ALONE] = [
  'the system calls alone, C',
  'a start without a network',
  'a start with veth, address and default route',
  'the network alone, in a namespace that is there',
]
/** What of the kernel's own time a network may add. */
const MOST = 1.5

async function measured(count, { kernel, ours }) {
  const asked = (name, worker, order) => ({ name, ask: () => worker.ask(order) })
  const contenders = [
    asked(NONE, ours, 'none'),
    asked(VETH, ours, 'veth'),
    asked(ALONE, ours, 'alone'),
    asked(KERNEL, kernel, 'once'),
  ]
  const processor = new Map(contenders.map(({ name }) => [name, []]))
  const clock = await interleave(contenders, count, async ({ name, ask }) => {
    const [ns, us] = (await ask()).split(' ').map(Number)
    processor.get(name).push(us * 1000)
    return ns
  })
  // Without those of the first rounds, which are not counted.
  for (const [name, runs] of processor) processor.set(name, runs.slice(-count))
  return { clock, processor }
}

/** What the network adds to a start, round by round, by the median of what the kernel takes. */
function added(results) {
  const [none, veth, kernel] = [NONE, VETH, KERNEL].map(name => results.get(name))
  const more = median(veth.map((run, i) => run - none[i]))
  return { more, least: Math.min(...veth) - Math.min(...none), part: more / median(kernel) }
}

await benchmark({ rounds: rounds(1000, 20) }, async ({ rounds }) => {
  if (!existsSync(rootfs)) throw new Error('the root filesystem is absent: test-rootfs/busybox.sh makes it')
  const directory = mkdtempSync('/run/libcontainer-bench-')
  sweepWhenTold(prefix, directory)
  // It has no name: whatever is in it goes when the processes here end, however they do.
  const netns = await Netns.create()
  const net = await Netlink.open({ namespace: netns })
  try {
    await net.links.add({ kind: 'bridge', name: BRIDGE, up: true })
    const inside = ['nsenter', `--net=/proc/${process.pid}/fd/${netns.fd.fd}`]
    const program = join(top, 'bench/network/ours.mjs')
    const workers = {
      kernel: new Worker([...inside, await buildKernel(), BRIDGE]),
      ours: new Worker([...inside, process.execPath, program, join(directory, 'state'), rootfs, prefix, BRIDGE]),
    }
    const results = await measured(rounds, workers)
    const title = 'the network of a container: a pair of veth in a bridge, an address, a default route'
    const summaries = Object.entries(results).map(([name, results]) =>
      summarize({ name, title: name === 'clock' ? title : `${title}, of the processor`, unit: 'ms', results }),
    )
    for (const summary of summaries) console.log(`\n${table(summary, [KERNEL])}`)
    console.log('')
    for (const [name, found] of Object.entries(results)) {
      const { more, least, part } = added(found)
      const alone = ratio(found.get(ALONE), found.get(KERNEL)).median.toFixed(2)
      const by = name === 'clock' ? 'by the clock' : 'of the processor, this process alone'
      console.log(
        `a network adds ${(more / 1e6).toFixed(2)} ms (${(least / 1e6).toFixed(2)}) to a start, ${by}: ${part.toFixed(2)} of the kernel's time; alone ${alone}`,
      )
    }
    console.log(`\n${goal('what a network adds to a start / the system calls alone', added(results.clock).part, MOST)}`)
    await Promise.all(Object.values(workers).map(worker => worker.close()))
    return { summaries }
  } finally {
    net.close()
    netns.close()
    await sweep(prefix, directory)
  }
})
