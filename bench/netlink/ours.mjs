// Drives @libcontainer/netlink, for the benchmark: reads an order a line, answers "nanoseconds, microseconds of the processor, count". The orders are those of
// test/go/netlink/main.go.
import { createInterface } from 'node:readline'
import { Netlink } from '@libcontainer/netlink'

const net = await Netlink.open()
const nth = i => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/32`

const orders = {
  links: async () => (await net.links.list()).length,
  routes: async () => (await net.routes.list({ family: 'inet' })).length,
  async stream() {
    let count = 0
    for await (const _ of net.routes.dump({ family: 'inet' })) count++
    return count
  },
  async addresses(device, count) {
    await net.addresses.addAll(
      device,
      Array.from({ length: Number(count) }, (_, i) => nth(i)),
    )
    return count
  },
  async one(device, count) {
    const index = await net.links.index(device)
    for (let i = 0; i < Number(count); i++) await net.addresses.add(index, nth(i))
    return count
  },
  async veth(count) {
    for (let i = 0; i < Number(count); i++) {
      await net.links.add({ kind: 'veth', name: 'bench-a', peer: 'bench-b' })
      await net.links.delete('bench-a')
    }
    return count
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...args] = line.split(' ')
  try {
    const start = process.hrtime.bigint()
    const before = process.cpuUsage()
    const count = await orders[order](...args)
    const took = process.hrtime.bigint() - start
    const { user, system } = process.cpuUsage(before)
    console.log(String(took), user + system, count)
  } catch (error) {
    console.log(`error ${(error.stack ?? String(error)).replaceAll('\n', ' ')}`)
  }
}
net.close()
