import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { together } from '../../../test/support/index.js'
import { Bundle, hosts, specOf, type TestHost } from './hosts.js'

const resources = { pids: { limit: 50 } }
const sleeper = specOf(['/bin/sleep', '1000'], { linux: { namespaces: specOf([]).linux.namespaces, resources } })

/** What of an output is the same whenever and by whom it is asked for: no numbers, times or names of places, and no widths of columns. */
const lasting = (text: string, { id, outside }: Bundle): string =>
  text
    .replaceAll(outside, 'PLACE')
    .replaceAll(id, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d+(\.\d+)?/g, 'N')
    .replace(/ {2,}/g, ' ')
    // Node.js raises its own limit of descriptors, and a plan gives the container the one from before.
    .replace(/^ N setSoftLimit .*\n/m, '')

/** Each command in the life of a container, and those beside it: what it says and how it ends. */
async function session(host: TestHost): Promise<unknown[]> {
  using bundle = new Bundle(host, sleeper)
  const { id } = bundle
  const mounts = bundle.file('mounts.json')
  mkdirSync(bundle.file('new'))
  writeFileSync(mounts, JSON.stringify([{ destination: '/tmp/m', type: 'tmpfs', source: 'tmpfs' }]))
  const said: unknown[] = []
  const say = (...args: readonly string[]): void => {
    const { status, stdout, stderr } = args[0] === 'create' ? bundle.detached(args) : bundle.run(args)
    said.push({ args: args[0], status, stdout: lasting(stdout, bundle), stderr: lasting(stderr, bundle) })
  }
  say('features')
  say('spec', '--bundle', bundle.file('new'))
  say('plan', id)
  say('create', id)
  say('start', id)
  say('start', id)
  say('state', id)
  say('list')
  say('list', '--format', 'json')
  say('ps', '--format', 'json', id)
  say('exec', '--env', 'A=b', id, 'sh', '-c', 'echo $A; echo err >&2; exit 3')
  say('update', '--pids-limit', '40', id)
  say('events', '--stats', id)
  say('pause', id)
  say('list', '--quiet')
  say('resume', id)
  say('mounts', 'add', id, mounts)
  say('mounts', 'remove', id, mounts)
  say('kill', id, 'KILL')
  await bundle.stopped()
  say('delete', id)
  say('delete', id)
  say('checkpoint', id)
  say('completion', 'bash')
  return said
}

test('OL-24 every command says and does the same on both hosts', {
  ...together(...hosts.map(({ needs }) => needs)),
  timeout: 300_000,
}, async () => {
  const [byNode, byExecutable] = [await session(hosts[0]!), await session(hosts[1]!)]
  expect(byNode).toEqual(byExecutable)
  expect(byNode.filter(said => (said as { status: number }).status !== 0)).toHaveLength(4)
})
