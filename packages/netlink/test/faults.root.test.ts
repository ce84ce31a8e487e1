import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Netlink, type Netns } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { Running, requires, until } from '../../../test/support/index.js'
import { ipJson, openDescriptors, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')
const module = new URL('../dist/index.js', import.meta.url).href

async function lab(): Promise<{ netns: Netns; net: Netlink; names: () => string[] }> {
  const netns = await ownNetns()
  const net = await Netlink.open({ namespace: netns })
  onTestFinished(() => net.close())
  const names = () =>
    ipJson<{ ifname: string }[]>(netns, 'link')
      .map(({ ifname }) => ifname)
      .sort()
  return { netns, net, names }
}

const fault = (code: string, more: object) => expect.objectContaining({ name: 'SyscallError', code, ...more })
const hint = (text: string | RegExp) => ({ hint: expect.stringMatching(text) })

test(
  'NL-03 NL-10 EV-060 what the kernel refuses names the link and what may be wrong, and nothing is made',
  needs,
  async () => {
    const { net, names } = await lab()
    const { links } = net
    await links.add({ kind: 'veth', name: 'left', peer: 'right' })
    const refused = async (act: Promise<unknown>, error: unknown) => await expect(act).rejects.toEqual(error)
    const veth = { kind: 'veth', name: 'made', peer: 'other' } as const
    await refused(links.add({ ...veth, peer: 'right' }), fault('EEXIST', { path: 'made', ...hint('made or right') }))
    await refused(links.add({ ...veth, peer: 'made' }), fault('EEXIST', { path: 'made' }))
    await refused(links.add({ ...veth, mtu: 65536 }), expect.objectContaining({ field: 'mtu' }))
    await refused(
      links.add({ ...veth, peer: { name: 'other', mtu: 67 } }),
      expect.objectContaining({ field: 'peer.mtu' }),
    )
    await refused(links.add({ ...veth, master: 'br0' }), fault('ENODEV', { path: 'br0', ...hint('what master names') }))
    await refused(
      links.add({ ...veth, master: 'left' }),
      fault('EOPNOTSUPP', { path: 'made', ...hint('takes no ports') }),
    )
    await refused(
      links.add({ kind: 'nosuchkind', name: 'made' }),
      fault('EOPNOTSUPP', { path: 'made', ...hint('no links of the kind nosuchkind') }),
    )
    await refused(
      links.add({ kind: 'bridge', name: 'made', data: { stp: 1 } as object }),
      expect.objectContaining({ field: 'data.stp', message: expect.stringContaining('there are forwardDelay') }),
    )
    await refused(links.delete('lo'), fault('EOPNOTSUPP', { path: 'lo', ...hint('cannot be deleted') }))
    await refused(links.set('left', { name: 'right' }), fault('EEXIST', { path: 'left', ...hint('the name right') }))
    await refused(links.set('left', { mtu: 10 }), fault('EINVAL', { message: expect.stringMatching(/left.*mtu/) }))
    await refused(
      net.addresses.add('br0', '192.0.2.1/24'),
      fault('ENODEV', { path: 'br0', ...hint('what link names') }),
    )
    expect(names()).toEqual(['left', 'lo', 'right'])
  },
)

test(
  'NL-08 NL-22 EV-060 a namespace that has gone, or is none, is told of, and the link stays where it is',
  needs,
  async () => {
    const { net, names } = await lab()
    const { links } = net
    const program = new Running(spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 1000']))
    try {
      await program.wrote('ready')
      await links.add({ kind: 'veth', name: 'left', peer: { name: 'gone', namespace: program.pid } })
    } finally {
      await program.killed()
    }
    // The kernel takes a namespace down some time after its last process, and both ends with it.
    const dead = fault('ESRCH', { ...hint('may have ended') })
    await expect(links.add({ kind: 'veth', name: 'a', peer: { name: 'b', namespace: program.pid } })).rejects.toEqual(
      dead,
    )
    await links.add({ kind: 'veth', name: 'a', peer: 'b' })
    await expect(links.move('a', program.pid)).rejects.toEqual(dead)
    await expect(links.move('a', { fd: 9999 })).rejects.toEqual(fault('EBADF', { path: 'a', ...hint('descriptor') }))
    const before = openDescriptors()
    await expect(links.move('a', '/proc/self/ns/uts')).rejects.toMatchObject({ field: 'namespace' })
    expect(openDescriptors()).toEqual(before)
    expect(names().filter(name => name !== 'left')).toEqual(['a', 'b', 'lo'])
  },
)

test(
  'NL-08 NL-10 EV-060 who is killed while it makes veths with an end elsewhere leaves no end behind',
  needs,
  async () => {
    const [here, there] = [await lab(), await lab()]
    const path = (netns: Netns) => `/proc/${process.pid}/fd/${netns.fd.fd}`
    const script = `
    import { Netlink } from '${module}'
    const net = await Netlink.open({ namespace: '${path(here.netns)}' })
    console.log('ready')
    for (let i = 0; ; i++)
      await net.links.add({ kind: 'veth', name: 'left' + i, peer: { name: 'right' + i, namespace: '${path(there.netns)}' } })`
    const maker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void maker.kill('SIGKILL'))
    await once(maker.stdout, 'data')
    await until('some are made', () => here.names().length > 20)
    maker.kill('SIGKILL')
    await once(maker, 'exit')
    const left = here.names().filter(name => name !== 'lo')
    expect(left.every(name => name.startsWith('left'))).toBe(true)
    expect(there.names().filter(name => name !== 'lo')).toEqual(left.map(name => name.replace('left', 'right')))
  },
)
