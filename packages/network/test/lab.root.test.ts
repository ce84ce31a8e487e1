import { readdirSync } from 'node:fs'
import { Lab } from '@libcontainer/network/lab'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'

const needs = requires('root', 'program:ip', 'program:ping')
const ended = { status: { code: 0 } }

test(
  'a lab: hosts reach each other through a switch, and over a line of their own; then all is gone',
  needs,
  async () => {
    const before = readdirSync('/sys/class/net')
    const lab = new Lab()
    try {
      const [a, b, s] = [await lab.host('a'), await lab.host('b'), await lab.switch('s')]
      await lab.link(a, s, { addresses: ['10.0.0.1/24'] })
      await lab.link(s, b, { addresses: [undefined, ['10.0.0.2/24', 'fd00:1::2/64']] })
      await lab.link(a, b, { addresses: ['10.0.1.1/30', '10.0.1.2/30'], names: ['direct', undefined], mtu: 1400 })
      expect(await a.run(['ping', '-c', '1', '-w', '10', '10.0.0.2'])).toMatchObject(ended)
      expect(await b.run(['ping', '-c', '1', '-w', '10', '10.0.1.1'])).toMatchObject(ended)
      const { stdout } = await a.run(['ip', '-j', 'link'])
      const links = JSON.parse(stdout) as { ifname: string; mtu: number }[]
      expect(links.map(({ ifname }) => ifname).sort()).toEqual(['direct', 'eth0', 'lo'])
      expect(links.find(({ ifname }) => ifname === 'direct')).toMatchObject({ mtu: 1400 })
      expect((await s.links.list()).map(({ name }) => name).sort()).toEqual(['a', 'b', 'br0', 'lo'])
      expect(lab.svg()).toContain('10.0.1.1/30')
      await a.net.addresses.add('direct', '10.0.2.1/24')
      expect((await a.net.addresses.list({ link: 'direct', family: 'inet' })).map(({ address }) => address)).toEqual([
        '10.0.1.1',
        '10.0.2.1',
      ])
      // The host's own network has none of it.
      expect(readdirSync('/sys/class/net')).toEqual(before)
    } finally {
      await lab.close()
    }
    await lab.close()
  },
)

test('a host between two networks is a router, once it forwards', needs, async () => {
  await using lab = new Lab()
  const [a, r, b] = [await lab.host('a'), await lab.host('r'), await lab.host('b')]
  await lab.link(a, r, { addresses: ['10.0.0.2/24', '10.0.0.1/24'] })
  await lab.link(r, b, { addresses: ['10.0.1.1/24', '10.0.1.2/24'] })
  await a.routes.addDefault('10.0.0.1')
  await b.routes.addDefault('10.0.1.1')
  expect(await r.run(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])).toMatchObject(ended)
  expect(await a.run(['ping', '-c', '1', '-w', '10', '10.0.1.2'])).toMatchObject(ended)
})

test('what cannot be is refused before anything is made', needs, async () => {
  await using lab = new Lab()
  const [a, s] = [await lab.host('a'), await lab.switch('s')]
  await expect(lab.host('a')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
  await expect(lab.host('a/b')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
  await expect(lab.link(a, s, { addresses: ['10.0.0.1'] })).rejects.toMatchObject({ field: 'link.addresses[0][0]' })
  await expect(lab.link(a, s, { addresses: [undefined, '10.0.0.1/8'] })).rejects.toMatchObject({
    field: 'link.addresses[1][0]',
  })
  await expect(lab.link(a, s, { names: ['a b', undefined] })).rejects.toMatchObject({ field: 'link.names' })
  await expect(lab.link(a, s, { names: ['lo', undefined] })).rejects.toMatchObject({ code: 'EEXIST' })
  expect((await a.links.list()).map(({ name }) => name)).toEqual(['lo'])
  // Of two at the same time one has the name.
  const both = await Promise.allSettled([lab.host('b'), lab.host('b')])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const late = lab.host('c')
  await lab.close()
  await expect(late).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
})

test(
  'a line that is late is seen by a ping, and one that loses all has no answer',
  requires('root', 'program:ping', 'qdisc:netem'),
  async () => {
    await using lab = new Lab()
    const [a, b] = [await lab.host('a'), await lab.host('b')]
    await lab.link(a, b, { addresses: ['10.0.0.1/30', '10.0.0.2/30'], line: { delayUs: 50_000 } })
    const { stdout } = await a.run(['ping', '-c', '2', '-w', '20', '10.0.0.2'])
    // Both ends are late: a way there and one back.
    expect(Number(/= ([\d.]+)\//.exec(stdout)?.[1])).toBeGreaterThanOrEqual(99)
    await lab.link(a, b, { addresses: ['10.0.1.1/30', '10.0.1.2/30'], line: { lossPercent: 100 } })
    const lost = await a.run(['ping', '-c', '1', '-w', '1', '10.0.1.2'])
    expect(lost).toMatchObject({ status: { code: 1 }, stdout: expect.stringContaining('100% packet loss') })
    expect(lab.topology().links.map(({ note }) => note)).toEqual(['50 ms', '100 % lost'])
  },
)
