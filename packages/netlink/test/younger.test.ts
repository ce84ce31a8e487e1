import { expect, test } from 'vitest'
import { checkTaken, youngerLinkOptions, youngerQdiscOptions } from '../src/message/younger.js'

const names = (options: readonly { part: string; name: string }[]) => options.map(({ part, name }) => `${part}.${name}`)

test('NL-24 options that a kernel may ignore are those that are younger, and that it would tell', () => {
  expect(names(youngerLinkOptions('bridge', { data: { stpState: 1, maxLearnedEntries: 9 } }))).toEqual([
    'data.maxLearnedEntries',
  ])
  const vlans = { vlanFiltering: true, vlanDefaultPvid: 0 }
  expect(names(youngerLinkOptions('bridge', { data: vlans }))).toEqual(['data.vlanDefaultPvid'])
  expect(names(youngerLinkOptions('macvlan', { data: { broadcastQueueLength: 9, broadcastCutoff: 1 } }))).toEqual([
    'data.broadcastQueueLength',
  ])
  expect(names(youngerLinkOptions('bond', { data: { nsIp6Targets: [], missedMax: undefined } }))).toEqual([])
  expect(names(youngerLinkOptions(undefined, { bridgePort: { locked: true, backupNexthop: 0 } }))).toEqual([
    'bridgePort.locked',
  ])
  expect(names(youngerLinkOptions('toString', { data: new Uint8Array(4) }))).toEqual([])
  expect(names(youngerQdiscOptions({ dev: 1, netem: { delayUs: 1, seed: 7n } }))).toEqual(['netem.seed'])
  expect(names(youngerQdiscOptions({ dev: 'a', kind: 'pfifo', options: Uint8Array.of(1, 0, 0, 0) }))).toEqual([])
})

test('NL-24 one that the kernel does not tell afterwards was ignored: EOPNOTSUPP, and since when there is it', () => {
  const options = youngerLinkOptions('vxlan', { data: { localBypass: false } })
  checkTaken(options, { data: { localBypass: true } }, 'v0')
  for (const told of [{ data: { id: 1 } }, {}])
    expect(() => checkTaken(options, told, 'v0')).toThrow(
      expect.objectContaining({
        code: 'EOPNOTSUPP',
        path: 'v0',
        message: expect.stringContaining('this kernel ignores data.localBypass'),
        hint: 'data.localBypass came with Linux 6.5',
      }),
    )
})

test('NL-24 one that the kernel is not built with: EOPNOTSUPP, and what it would have to be built with', () => {
  const options = youngerLinkOptions('bridge', { data: { vlanDefaultPvid: 7 } })
  expect(() => checkTaken(options, { data: { stpState: 0 } }, 'br0')).toThrow(
    expect.objectContaining({
      code: 'EOPNOTSUPP',
      hint: 'data.vlanDefaultPvid takes a kernel that is built with CONFIG_BRIDGE_VLAN_FILTERING',
    }),
  )
})
