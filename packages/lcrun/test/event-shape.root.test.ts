import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { Bundle, hosts, specOf } from './hosts.js'

/** Where a value is and of what type: `data.memory.usage.limit number`. Of lists all elements together. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap(one => shapeOf(one, `${path}[]`))
  if (typeof value !== 'object' || value === null) return [`${path} ${value === null ? 'null' : typeof value}`]
  return Object.entries(value).flatMap(([key, one]) => shapeOf(one, path === '' ? key : `${path}.${key}`))
}

test('OL-14 events --stats has every field of runc, where runc has it', {
  ...together(hosts[0]!.needs, requires('root', 'rootfs', 'program:runc')),
  timeout: 60_000,
}, () => {
  const resources = {
    memory: { limit: 64 << 20 },
    pids: { limit: 20 },
    cpu: { shares: 512, quota: 50_000, period: 100_000 },
  }
  const { linux, ...rest } = specOf(['/bin/sleep', '1000'])
  using bundle = new Bundle(hosts[0]!)
  const id = `${bundle.id}-runc`
  const spec = { ...rest, linux: { ...linux, resources } }
  bundle.sleeping(bundle.id, spec)
  const root = join(bundle.outside, 'runc')
  const runc = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('runc', ['--root', root, ...args], {
      encoding: 'utf8',
      stdio: args[0] === 'run' ? ['ignore', 'ignore', 'ignore'] : ['ignore', 'pipe', 'pipe'],
    })
    expect({ args: args[0], status, stderr: stderr ?? '' }).toMatchObject({ status: 0 })
    return stdout ?? ''
  }
  let theirs: { data: Record<string, unknown> }
  try {
    runc('run', '--detach', '--bundle', join(bundle.file('config.json'), '..'), id)
    theirs = JSON.parse(runc('events', '--stats', id))
  } finally {
    spawnSync('runc', ['--root', root, 'delete', '--force', id])
  }
  const { stdout } = bundle.run(['events', '--stats', bundle.id])
  const ours = JSON.parse(stdout) as { data: Record<string, unknown> }
  // A count that is 0 is left out by both, and each container counts for itself.
  const counts = /\.(usage|max|cache|total|periods|throttledPeriods|throttledTime|current|value|major|minor|op) /
  const [shape, wanted] = [ours, theirs].map(event => new Set(shapeOf(event)))
  expect([...wanted!].filter(one => !shape!.has(one) && !counts.test(one))).toEqual([])
  expect(Object.keys(ours.data)).toEqual(expect.arrayContaining(Object.keys(theirs.data)))
})
