// Removes what a benchmark that was interrupted has left: processes and cgroups that have its prefix, and its directory if it has one.
import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

export async function sweep(prefix, directory) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => / - cgroup2? /.test(line))
    .map(line => line.split(' ')[4])
  for (let i = 0; i < 200; i++) {
    const groups = mounts.flatMap(mount =>
      readdirSync(mount)
        .filter(name => name.startsWith(`${prefix}-`))
        .map(name => join(mount, name)),
    )
    if (groups.length === 0) break
    for (const group of groups) remove(group)
    await setTimeout(10)
  }
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
}

/** Does so when this process is told to end. */
export function sweepWhenTold(prefix, directory) {
  const stop = signal => void sweep(prefix, directory).finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
  process.once('SIGINT', stop).once('SIGTERM', stop)
}

function remove(group) {
  try {
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
      process.kill(Number(pid), 'SIGKILL')
    }
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(group, entry.name))
    rmdirSync(group)
  } catch (error) {
    if (!['EBUSY', 'ENOENT', 'ENODEV', 'ESRCH'].includes(error.code)) throw error
  }
}
