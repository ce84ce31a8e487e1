import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bundle, hosts, specOf } from './hosts.js'

/** What a command line says on a descriptor that it was given, line by line, and how it ended. */
function told(
  bundle: Bundle,
  args: readonly string[],
  fd = 3,
): { status: number | null; stderr: string; said: object[] } {
  const path = `${bundle.outside}/status`
  const file = openSync(path, 'w')
  try {
    const between = Array.from({ length: fd - 3 }, () => 'ignore' as const)
    const { status, stderr } = bundle.run(args, { stdio: ['ignore', 'pipe', 'pipe', ...between, file] })
    const lines = readFileSync(path, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    return { status, stderr, said: lines.map(line => JSON.parse(line) as object) }
  } finally {
    closeSync(file)
  }
}

const sh = (script: string) => specOf(['/bin/sh', '-c', script])

describe.each(hosts)('BY-06 $name', host => {
  test('BY-06 run tells the pid, the namespaces and the end, as documents on one descriptor', host.needs, () => {
    using bundle = new Bundle(host, sh('exit 7'))
    const run = told(bundle, ['run', '--json-status-fd', '3', bundle.id])
    expect(run).toMatchObject({ status: 7, stderr: '' })
    expect(run.said).toEqual([expect.objectContaining({ 'child-pid': expect.any(Number) }), { 'exit-code': 7 }])
    // On another descriptor, and of a program that a signal ends.
    const shared = { namespaces: ['network', 'ipc', 'uts', 'mount'].map(type => ({ type })) }
    bundle.write(specOf(['/bin/sh', '-c', 'kill -9 $$'], { linux: shared }))
    const killed = told(bundle, ['run', '--json-status-fd', '5', `${bundle.id}-killed`], 5)
    expect(killed.status).toBe(137)
    expect(killed.said.at(-1)).toEqual({ 'exit-code': 137, signal: 'SIGKILL' })
  })

  test('BY-06 of a detached one it is the pid alone, with its namespaces; exec tells of its own', host.needs, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const path = `${bundle.outside}/status`
    const file = openSync(path, 'w')
    try {
      bundle.run(['run', '--detach', '--json-status-fd', '3', bundle.id], {
        stdio: ['ignore', 'ignore', 'ignore', file],
      })
    } finally {
      closeSync(file)
    }
    const said = JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>
    const { pid } = bundle.state() as { pid: number }
    const inode = (kind: string): number => Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))![0])
    expect(said).toMatchObject({ 'child-pid': pid, 'pid-namespace': inode('pid'), 'mnt-namespace': inode('mnt') })
    const exec = told(bundle, ['exec', '--json-status-fd', '3', bundle.id, 'sh', '-c', 'exit 3'])
    expect(exec.status).toBe(3)
    expect(exec.said).toEqual([expect.objectContaining({ 'child-pid': expect.any(Number) }), { 'exit-code': 3 }])
    expect((exec.said[0] as typeof said)['child-pid']).not.toBe(pid)
  })

  test('BY-06 what cannot be told is refused before anything is made', host.needs, () => {
    using bundle = new Bundle(host, sh('exit 0'))
    for (const fd of ['77', 'x', '-1', ''])
      expect(bundle.run(['run', `--json-status-fd=${fd}`, bundle.id]), fd).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('--json-status-fd'),
      })
    const file = openSync('/dev/null', 'r')
    try {
      const { stderr } = bundle.run(['run', '--json-status-fd', '3', bundle.id], {
        stdio: ['ignore', 'pipe', 'pipe', file],
      })
      expect(stderr).toContain('can be written to')
    } finally {
      closeSync(file)
    }
    expect(bundle.left()).toEqual([])
  })
})
