import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Netlink, Netns } from '@libcontainer/netlink'
import { ensureBridge, type MadeNetworks, type NetworkConfig, releaseNetworks } from '@libcontainer/network'
import { openFile } from '@libcontainer/sys'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'

const needs = requires('root', 'program:ip')
const own = `t${process.pid}`
const bridge = `${own}b`
const links = (): string[] => readdirSync('/sys/class/net')
let before: string[] = []

beforeEach(async () => {
  if (needs.skip) return
  before = links()
  await ensureBridge({ name: bridge })
})
afterEach(() => {
  if (needs.skip) return
  execFileSync('ip', ['link', 'delete', bridge])
  expect(links().filter(name => !before.includes(name))).toEqual([])
})

/**
 * Makes networks in a process that is killed when it records for the nth time, which is after it has made what it then knows of, or when its first pair is
 * there: what the record said before is all that is left of it.
 */
async function killed(config: NetworkConfig, netns: Netns, when: number | 'paired'): Promise<MadeNetworks> {
  using directory = temporaryDirectory('network-')
  const path = `/proc/${process.pid}/fd/${netns.fd.fd}`
  const file = join(directory.path, 'record')
  const at = (name: string) => fileURLToPath(new URL(`../../${name}/dist/index.js`, import.meta.url))
  const text = `
import { applyNetworks, planNetworks } from '${at('network')}'
import { openFile } from '${at('sys')}'
import { writeFileSync } from 'node:fs'
const config = ${JSON.stringify(config)}
const die = () => process.kill(process.pid, 'SIGKILL')
const { acts } = planNetworks(config, count => crypto.getRandomValues(new Uint8Array(count)))
const [pair, ...rest] = acts
let times = 0
await applyNetworks(config, { acts: ${when === 'paired'} ? [pair, { act: 'run', about: 'die', run: die }, ...rest] : acts }, {
  namespace: await openFile('${path}'),
  kind: 'new',
  directory: '${directory.path}',
  keep: async () => '${path}',
  record: async made => {
    if (++times === ${when === 'paired' ? 0 : when}) die()
    writeFileSync('${file}', JSON.stringify(made))
  },
})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'ignore', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  return JSON.parse(readFileSync(file, 'utf8')) as MadeNetworks
}

test(
  'NW-04 NW-22 whoever is killed when a pair is made leaves none that is half-moved, and none that is not found',
  needs,
  async () => {
    using netns = await Netns.create()
    const made = await killed({ networks: [{ type: 'veth', bridge, hostInterfaceName: `${own}h` }] }, netns, 'paired')
    expect(made.pairs).toEqual([{ hostName: `${own}h`, hostMac: expect.any(String) }])
    expect(links()).toContain(`${own}h`)
    await using inside = await Netlink.open({ namespace: netns.fd })
    expect((await inside.links.list()).map(({ name }) => name)).toContain('eth0')
    const warnings: string[] = []
    const release = { open: openFile, warn: (text: string) => void warnings.push(text) }
    await releaseNetworks(made, release)
    expect(links()).not.toContain(`${own}h`)
    // Once more is fine.
    await releaseNetworks(made, release)
    expect(warnings).toEqual([])
  },
)

test('NW-11 NW-22 a device is given back by whoever removes what a killed process has lent', needs, async () => {
  const [device, peer] = [`${own}d`, `${own}e`]
  execFileSync('ip', ['link', 'add', device, 'mtu', '1400', 'type', 'veth', 'peer', 'name', peer])
  try {
    using netns = await Netns.create()
    // When nothing is moved yet, and when it is in there under another name.
    for (const nth of [2, 3]) {
      const networks = [{ type: 'phys', device, name: 'eth7', mtu: 1300 }] as const
      const made = await killed({ networks }, netns, nth)
      expect(made.lent).toMatchObject([{ name: device, giveBack: true }])
      expect(links().includes(device)).toBe(nth === 2)
      const warnings: string[] = []
      await releaseNetworks(made, { open: openFile, warn: text => void warnings.push(text) })
      expect(warnings).toEqual([])
      const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'dev', device], { encoding: 'utf8' }))
      expect(link).toMatchObject({ mtu: 1400 })
    }
  } finally {
    execFileSync('ip', ['link', 'delete', peer])
  }
})

test('NW-22 what cannot be taken back is told, and stops nothing', needs, async () => {
  const lent = { name: `${own}x`, index: 99999, mtu: 1500, txQueueLength: 0, up: false, addresses: [], giveBack: true }
  const made: MadeNetworks = {
    pairs: [{ hostName: bridge, hostMac: '02:00:00:00:00:01' }],
    lent: [lent],
    inside: [],
    helpers: [{ program: '/usr/bin/pasta', pid: 0x3ffffff, startTime: '1' }],
    path: '/no/such/namespace',
  }
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  await releaseNetworks(made, { open: async () => undefined, warn })
  expect(warnings).toEqual([`${own}x is not given back: the namespace of the container is gone`])
  await releaseNetworks(made, { open: openFile, warn })
  expect(warnings.slice(1)).toEqual([expect.stringMatching(/^what is in the container stays there: .*no\/such/)])
  expect(links()).toContain(bridge)
})
