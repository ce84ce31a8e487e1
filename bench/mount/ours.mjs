// Reads mountinfo by @libcontainer/mount, for the benchmark: reads an order a line, answers a line. The orders are those of test/go/mountinfo/main.go.
import { createInterface } from 'node:readline'
import { firstAt, readMountInfo, streamMountInfo } from '@libcontainer/mount'

const orders = {
  read: async pid => (await readMountInfo(pid)).length,
  find: async (pid, path) => (await readMountInfo(pid, firstAt(path))).length,
  async stream(pid) {
    let count = 0
    for await (const _ of streamMountInfo(pid)) count++
    return count
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...args] = line.split(' ')
  try {
    const start = process.hrtime.bigint()
    const count = await orders[order](...args)
    console.log(String(process.hrtime.bigint() - start), count)
  } catch (error) {
    console.log('error', error.message)
  }
}
