import { Links, NetlinkSocket, openTun } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { ip, ipJson, namespacesOfThreads, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter', 'file:/dev/net/tun')

test('NL-24 tun and tap devices are made in any namespace, and read as ip reads them', needs, async () => {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const links = new Links(socket)
  {
    using fd = await openTun({ name: 'tun7', mode: 'tun', namespace: netns })
    expect(fd.fd).toBeGreaterThan(2)
    expect(await links.get('tun7')).toMatchObject({
      kind: 'tun',
      type: 'none',
      data: { type: 'tun', packetInformation: false, persistent: false },
    })
    await expect(openTun({ name: 'tun7', mode: 'tun', namespace: netns })).rejects.toMatchObject({
      name: 'SyscallError',
      code: 'EBUSY',
      path: 'tun7',
    })
  }
  // It went with its descriptor.
  expect(await links.find('tun7')).toBeUndefined()
  const persistent = await openTun({
    name: 'tap7',
    mode: 'tap',
    namespace: netns,
    owner: 1234,
    group: 5678,
    persistent: true,
  })
  persistent.close()
  const [theirs] = ipJson<{ linkinfo: { info_kind: string; info_data: object } }[]>(netns, '-d link show dev tap7')
  expect(theirs).toMatchObject({ linkinfo: { info_kind: 'tun', info_data: { type: 'tap', persist: true } } })
  expect(await links.get('tap7')).toMatchObject({
    type: 'ether',
    data: { type: 'tap', owner: 1234, group: 5678, persistent: true },
  })
  await links.delete('tap7')
  ip(netns, 'tuntap add dev tun8 mode tun')
  expect(await links.get('tun8')).toMatchObject({ kind: 'tun', data: { type: 'tun', persistent: true } })
  await expect(links.add({ name: 'x', kind: 'tun' as 'dummy' })).rejects.toMatchObject({
    code: 'ConfigInvalid',
    field: 'kind',
  })
  await expect(openTun({ name: 'x', mode: 'wire' as 'tun' })).rejects.toMatchObject({ field: 'mode' })
  await expect(openTun({ name: 'x/y', mode: 'tun' })).rejects.toMatchObject({ field: 'name' })
  expect(namespacesOfThreads()).toHaveLength(1)
})
