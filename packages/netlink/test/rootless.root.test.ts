import { Netns } from '@libcontainer/netlink'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { OrdinaryUser, requires } from '../../../test/support/index.js'

const needs = requires('root', 'rootfs', 'program:setpriv', 'program:unshare', 'namespace:user', 'namespace:net')
let user: OrdinaryUser
beforeAll(() => {
  if (!needs.skip) user = new OrdinaryUser()
})
afterAll(() => user?.[Symbol.dispose]())

/** Runs the text of a module that has this package, and answers what it calls `tell` with. */
const told = <T>(text: string): T =>
  user.evaluate<T>(
    `import { spawn } from 'node:child_process'
    import { readlinkSync } from 'node:fs'
    import { Netlink } from '${user.module('@libcontainer/netlink')}'
    const tell = value => console.log(JSON.stringify(value))
    ${text}`,
  )

test('NL-22 an ordinary user has the network of a user namespace of its own, and stays outside of it', needs, () => {
  const [names, up, same] = told<[string[], boolean, boolean]>(`
    const before = readlinkSync('/proc/self/ns/user')
    const child = spawn('unshare', ['-Urn', 'sh', '-c', 'echo ready; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await new Promise(resolve => child.stdout.once('data', resolve))
      const net = await Netlink.open({ namespace: child.pid })
      await net.links.set('lo', { up: true })
      await net.links.add({ kind: 'veth', name: 'left', peer: { name: 'right' } })
      const links = await net.links.list()
      net.close()
      tell([
        links.map(({ name }) => name).sort(),
        links.find(({ name }) => name === 'lo').up,
        before === readlinkSync('/proc/self/ns/user'),
      ])
    } finally {
      child.kill('SIGKILL')
    }`)
  expect([names, up, same]).toEqual([['left', 'lo', 'right'], true, true])
})

test(
  'NL-22 that of somebody else is EPERM, with what it needs; one’s own may be read, and not changed',
  needs,
  async () => {
    const name = `lc-test-${process.pid}`
    const netns = await Netns.create({ name })
    onTestFinished(async () => {
      netns.close()
      await Netns.delete(name)
    })
    const [other, own] = told<{ code: string; syscall: string; hint: string }[]>(`
    const refused = async act => {
      try { await act() } catch ({ code, syscall, hint }) { return { code, syscall, hint } }
    }
    const net = await Netlink.open()
    await net.links.get('lo')
    tell([
      await refused(() => Netlink.open({ namespace: '${name}' })),
      await refused(() => net.links.set('lo', { mtu: 60000 })),
    ])
    net.close()`)
    expect(other).toMatchObject({ code: 'EPERM', syscall: 'setns', hint: expect.stringContaining('CAP_SYS_ADMIN') })
    expect(own).toMatchObject({ code: 'EPERM' })
  },
)
