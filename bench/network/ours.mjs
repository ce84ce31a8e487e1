// Starts containers of @libcontainer/container, for the benchmark: reads an order a line, answers "nanoseconds, microseconds of the processor" of this process.
//
//   none, veth    creates a container, without a network or with one, and starts it; that it ends and is removed is not counted
//   alone         makes the network of one in a namespace that is there
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Factory } from '@libcontainer/container'
import { Netns } from '@libcontainer/netlink'
import { applyNetworks, planNetworks } from '@libcontainer/network'
import { environment, ours } from '../config.mjs'

const [root, rootfs, prefix, bridge] = process.argv.slice(2)
const factory = await Factory.open(root)
const directory = join(root, 'alone')
mkdirSync(directory)

const networks = [{ type: 'veth', bridge, address: '10.99.0.2/24', gateway: '10.99.0.1' }]
const program = { args: ['/bin/true'], env: environment }

async function timed(act) {
  const start = process.hrtime.bigint()
  const before = process.cpuUsage()
  const result = await act()
  const took = process.hrtime.bigint() - start
  const { user, system } = process.cpuUsage(before)
  return { result, answer: `${took} ${user + system}` }
}

async function start(more) {
  const config = { ...ours({ rootfs, cgroup: `/${prefix}-network`, seccomp: 'none' }), ...more }
  let container
  const { result, answer } = await timed(async () => {
    container = await factory.create('run', config)
    return await container.run(program)
  })
  const { code, signal } = await result.wait()
  await container.destroy()
  if (code !== 0) throw new Error(`/bin/true ended with ${signal ?? code}`)
  return answer
}

const orders = {
  none: () => start({}),
  veth: () => start({ networks }),
  async alone() {
    const netns = await Netns.create()
    const options = { namespace: netns.fd, kind: 'new', directory, record: async () => {} }
    try {
      const { result, answer } = await timed(async () => {
        const plan = planNetworks({ networks }, count => crypto.getRandomValues(new Uint8Array(count)))
        return await applyNetworks({ networks }, plan, options)
      })
      await result.undo()
      return answer
    } finally {
      netns.close()
    }
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(await orders[line]())
  } catch (error) {
    console.log(`error ${(error.stack ?? String(error)).replaceAll('\n', ' ')}`)
  }
}
