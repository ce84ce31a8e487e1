// Limits a child process with cgroups alone: node limit.mjs PROGRAM [ARGUMENT …]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Cgroup } from '@libcontainer/cgroups'

const [program, ...args] = process.argv.slice(2)
const group = await Cgroup.create(`/limit-${process.pid}`, { memory: { max: 64 * 1024 * 1024 }, pids: { max: 20 } })
try {
  // A shell that waits until it is in the group: what it then becomes never ran outside.
  const child = spawn('/bin/sh', ['-c', 'read -r go; exec "$0" "$@"', program, ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  await group.add(child.pid)
  child.stdin.end('go\n')
  const [code, signal] = await once(child, 'exit')
  const { memory } = await group.stats()
  console.error(`${signal ?? code}: at most ${memory.peak ?? memory.current} bytes, killed ${memory.oomKillCount ?? 0}`)
  process.exitCode = code ?? 1
} finally {
  await group.kill()
  await group.destroy()
}
