// Drives @libcontainer/container, for the benchmark: reads an order a line, answers a line. One Node.js process for all of them.
//
//   run PROFILE     creates a container, runs /bin/true, waits, destroys: nanoseconds
//   hold            starts one that stays
//   exec            runs /bin/true in it and waits: nanoseconds
//   create          sets one up and leaves its init waiting: its pid
//   crowd COUNT     starts so many more that stay
//   remove          kills and removes what hold, create and crowd have left
import { createInterface } from 'node:readline'
import { Factory } from '@libcontainer/container'
import { environment, ours } from './config.mjs'

const [root, rootfs, prefix] = process.argv.slice(2)
const factory = await Factory.open(root)
const held = []

const config = (name, seccomp) => ours({ rootfs, cgroup: `/${prefix}-${name}`, seccomp })
const program = { args: ['/bin/true'], env: environment }
const sleeper = { args: ['/bin/sleep', '100000'], env: environment }

async function expectSuccess(running) {
  const { code, signal } = await running.wait()
  if (code !== 0) throw new Error(`/bin/true ended with ${signal ?? code}`)
}

async function make(name) {
  const container = await factory.create(name, config(name, 'none'))
  held.push(container)
  return container
}

const orders = {
  async run(seccomp) {
    const asked = config('run', seccomp)
    const start = process.hrtime.bigint()
    const container = await factory.create('run', asked)
    await expectSuccess(await container.run(program))
    await container.destroy()
    return process.hrtime.bigint() - start
  },
  async hold() {
    const container = await make('held')
    return (await container.run(sleeper)).pid
  },
  async exec() {
    const start = process.hrtime.bigint()
    await expectSuccess(await held.at(-1).exec(program))
    return process.hrtime.bigint() - start
  },
  async create() {
    const container = await make('created')
    return (await container.start(sleeper)).pid
  },
  async crowd(count) {
    for (let i = 0; i < Number(count); i++) await (await make(`crowd-${i}`)).run(sleeper)
    return count
  },
  async remove() {
    await Promise.all(held.splice(0).map(container => container.destroy({ force: true })))
    return 0
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
await orders.remove()
