import { execFileSync } from 'node:child_process'
import { Netns } from '@libcontainer/netlink'
import {
  changeInterfaceName,
  createVethPair,
  interfaceDown,
  interfaceUp,
  Side,
  setDefaultGateway,
  setInterfaceInNamespacePid,
  setInterfaceIp,
  setInterfaceMaster,
  setMtu,
} from '@libcontainer/network'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const needs = requires('root', 'program:ip', 'program:nsenter')

test('NW-10 the classic functions, each seen by ip(8), in a namespace of the test’s own', needs, async () => {
  using netns = await Netns.create()
  const place = { namespace: netns.fd }
  const ip = (...args: string[]) => {
    const text = execFileSync('nsenter', [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, 'ip', '-j', '-d', ...args], {
      encoding: 'utf8',
    })
    return JSON.parse(text.trim() || '[]')
  }
  await createVethPair('one', 'other', 42, place)
  expect(ip('link', 'show', 'dev', 'one')[0]).toMatchObject({ txqlen: 42, linkinfo: { info_kind: 'veth' } })
  expect(ip('link', 'show', 'dev', 'other')[0]).toMatchObject({ txqlen: 42 })
  await changeInterfaceName('one', 'eth0', place)
  await setMtu('eth0', 1400, place)
  await setInterfaceIp('eth0', '10.1.0.2/24', place)
  await interfaceUp('eth0', place)
  await interfaceUp('other', place)
  await setDefaultGateway('10.1.0.1', 'eth0', place)
  expect(ip('addr', 'show', 'dev', 'eth0')[0]).toMatchObject({
    mtu: 1400,
    addr_info: expect.arrayContaining([expect.objectContaining({ local: '10.1.0.2', prefixlen: 24 })]),
  })
  expect(ip('route')).toEqual(
    expect.arrayContaining([expect.objectContaining({ dst: 'default', gateway: '10.1.0.1', dev: 'eth0' })]),
  )
  const side = await Side.open(netns.fd)
  try {
    await side.links.add({ kind: 'bridge', name: 'br0' })
  } finally {
    side.close()
  }
  await setInterfaceMaster('other', 'br0', place)
  expect(ip('link', 'show', 'dev', 'other')[0]).toMatchObject({ master: 'br0' })
  await interfaceDown('eth0', place)
  expect(ip('link', 'show', 'dev', 'eth0')[0].flags).not.toContain('UP')
  await expect(setInterfaceInNamespacePid('eth0', 0x3ffffff, place)).rejects.toMatchObject({
    code: expect.stringMatching(/ESRCH|EINVAL|ENOENT/),
  })
  await expect(interfaceUp('nobody', place)).rejects.toMatchObject({ code: 'ENODEV' })
  await expect(createVethPair('eth0', 'third', 0, place)).rejects.toMatchObject({ code: 'EEXIST' })
})
