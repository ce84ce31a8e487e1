import {
  addStrategy,
  changeInterfaceName,
  confirmHelper,
  createVethPair,
  features,
  findHelper,
  interfaceUp,
  networkProblems,
  networkTypes,
  planNetworks,
  setDefaultGateway,
  setInterfaceIp,
  setMtu,
  statsOf,
  strategyOf,
} from '@libcontainer/network'
import { expect, onTestFinished, test } from 'vitest'

test('NW-01 an embedder’s type has its turn beside ours: checked, planned, and once alone', () => {
  const type = 'test-tunnel'
  const remove = addStrategy<{ type: 'test-tunnel'; to: string }>({
    type,
    named: true,
    check: ({ to }, field) => {
      if (to !== 'there') throw new TypeError(field)
    },
    create: ({ to }, { name }) => [{ act: 'run', about: `dig ${name} to ${to}`, run: async () => async () => {} }],
    initialize: (_, { name }) => [{ act: 'set', about: `bring ${name} up`, name, up: true }],
  })
  onTestFinished(remove)
  expect(networkTypes()).toContain(type)
  expect(strategyOf({ type }, 'networks[0]').type).toBe(type)
  expect(() => addStrategy({ ...strategyOf({ type }, 'x') })).toThrow(/is a type of networks already/)
  const networks = [{ type, to: 'there' }] as never
  expect(networkProblems({ networks }, 'new')).toEqual([])
  expect(planNetworks({ networks }, count => new Uint8Array(count)).acts.map(({ about }) => about)).toEqual([
    'dig eth0 to there',
    'bring lo up',
    'bring eth0 up',
  ])
  remove()
  expect(networkTypes()).not.toContain(type)
})

test('NW-02 a type that there is not', () => {
  expect(() => strategyOf({ type: 'bridge' }, 'networks[3]')).toThrow(
    /^networks\[3\]\.type: must be one of loopback, veth/,
  )
})

test('NW-20 counters are the container’s: what the host’s end receives it has sent', () => {
  const counted = {
    rxBytes: 1,
    rxPackets: 2,
    rxErrors: 3,
    rxDropped: 4,
    txBytes: 5,
    txPackets: 6,
    txErrors: 7,
    txDropped: 8n,
  }
  expect(statsOf({ name: 'veth0', statistics: counted as never })).toEqual({
    name: 'veth0',
    rxBytes: 5,
    rxPackets: 6,
    rxErrors: 7,
    rxDropped: 8n,
    txBytes: 1,
    txPackets: 2,
    txErrors: 3,
    txDropped: 4,
  })
  // As ever: zeros for what counts nothing.
  expect(statsOf({ name: '' })).toMatchObject({ name: '', rxBytes: 0, txDropped: 0 })
})

test('NW-23 a helper that is not installed is called by its name, and where it was looked for', async () => {
  for (const helper of ['pasta', 'slirp4netns'] as const) {
    const found = await findHelper(helper)
    if (found !== undefined) expect(found.path).toMatch(/^\/.*\/(pasta|slirp4netns)$/)
    else
      await expect(confirmHelper(helper)).rejects.toMatchObject({
        code: 'ENOENT',
        message: expect.stringMatching(new RegExp(`${helper} not found in /usr/bin`)),
        hint: expect.stringContaining('install'),
      })
  }
})

test('NW-10 NL-31 EV-064 the classic functions refuse what no interface can have, before anything is asked of the kernel', async () => {
  for (const name of ['', '.', '..', 'a/b', 'a:b', 'a b', 'sixteen-bytes-ab', 'eth%d']) {
    await expect(interfaceUp(name), name).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
    await expect(changeInterfaceName('a', name), name).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'newName',
    })
    await expect(createVethPair('a', name), name).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'other' })
  }
  await expect(createVethPair('a', 'b', -1)).rejects.toMatchObject({ field: 'txQueueLen' })
  await expect(createVethPair('a', 'a')).rejects.toMatchObject({ field: 'other' })
  await expect(setMtu('a', 67)).rejects.toMatchObject({ field: 'mtu' })
  await expect(setInterfaceIp('a', '10.0.0.1')).rejects.toMatchObject({ field: 'address' })
  await expect(setDefaultGateway('gateway', 'a')).rejects.toMatchObject({ field: 'gateway' })
})

test('D-10 what the package can do', () => {
  expect(features().networks).toEqual(
    expect.arrayContaining(['loopback', 'veth', 'macvlan', 'ipvlan', 'vlan', 'phys', 'netns', 'none', 'host', 'user']),
  )
  expect(features().helpers).toEqual(['pasta', 'slirp4netns'])
})
