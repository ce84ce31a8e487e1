// Relabels a tree by @libcontainer/selinux, for the benchmark: reads an order a line, answers a line.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { relabel } from '@libcontainer/selinux'

const memory = field =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1])

/** The time, how many labels were changed, and by how much the process grew at most, in kB: from what it holds when nothing is done. */
async function run(path, label) {
  const before = memory('VmRSS')
  writeFileSync('/proc/self/clear_refs', '5')
  const start = process.hrtime.bigint()
  const { changed } = await relabel(path, label, { whereOff: true })
  return [process.hrtime.bigint() - start, changed, memory('VmHWM') - before]
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log((await run(...line.split(' '))).join(' '))
  } catch (error) {
    console.log('error', error.message)
  }
}
