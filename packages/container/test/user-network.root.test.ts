import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { ensureBridge } from '@libcontainer/network'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OrdinaryUser, requires, together, until } from '../../../test/support/index.js'

const needs = requires('root', 'rootfs', 'namespace:user', 'program:ip')
const bridge = `t${process.pid}u`
const address = '10.231.9.1'
let user: OrdinaryUser
let server: Server
let port: number

beforeAll(async () => {
  if (needs.skip) return
  user = new OrdinaryUser()
  execFileSync('mknod', [join(user.path, 'tun'), 'c', '10', '200'])
  await ensureBridge({ name: bridge, addresses: [`${address}/24`] })
  server = createServer(socket => socket.end('reached\n'))
  await once(server.listen(0, address), 'listening')
  port = (server.address() as { port: number }).port
})
afterAll(() => {
  if (needs.skip) return
  server?.close()
  execFileSync('ip', ['link', 'delete', bridge])
  user?.[Symbol.dispose]()
})

interface Answer {
  readonly out?: string
  readonly helpers?: { readonly pid: number }[]
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** What a script says in an ordinary user's container with a network of this kind; and what its record says of it. */
async function said(network: object, script: string, mode: string): Promise<Answer> {
  const file = join(user.path, 'tun')
  const text = `
import { Factory } from '${user.module('@libcontainer/container')}'
import { readFileSync } from 'node:fs'
const factory = await Factory.open('${user.runtime}/libcontainer')
let container
const answer = {}
try {
  container = await factory.create('one', { rootfs: '${user.rootfs}', networks: [${JSON.stringify(network)}] })
  const process = await container.run({ args: ['/bin/sh', '-c', ${JSON.stringify(script)}], stdio: ['null', 'pipe', 'inherit'] })
  const parts = []
  for await (const part of process.stdout) parts.push(part)
  answer.out = Buffer.concat(parts).toString()
  await process.wait()
  answer.helpers = JSON.parse(readFileSync('${user.runtime}/libcontainer/one/network.json', 'utf8')).helpers
} catch (error) {
  answer.error = { code: error.code, message: error.message, hint: error.hint }
} finally {
  await container?.destroy({ force: true })
}
console.log(JSON.stringify(answer))`
  const before = `chmod ${mode} ${file}\nmount --bind ${file} /dev/net/tun`
  const child = user.start([process.execPath, '--input-type=module', '-e', text], { before })
  const parts: [string, string] = ['', '']
  for (const [i, stream] of [child.stdout!, child.stderr!].entries())
    stream.on('data', (part: Buffer) => (parts[i as 0 | 1] += part))
  await once(child, 'close')
  expect(parts[1]).toBe('')
  return JSON.parse(parts[0]) as Answer
}

/** Programs of a name that this user has. */
const running = (name: string): string[] =>
  readdirSync('/proc').filter(pid => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return new RegExp(`^Name:\\t${name}.*^Uid:\\t${user.uid}\\t`, 'ms').test(status)
    } catch {
      return false
    }
  })

for (const helper of ['pasta', 'slirp4netns'] as const) {
  const installed = together(needs, requires(`program:${helper}`))

  test(
    `NW-23 ${helper} passes the traffic of an ordinary user’s container on, and ends with it`,
    installed,
    async context => {
      // It gives the container what the host has: without a way out there is nothing.
      const out = JSON.parse(execFileSync('ip', ['-j', 'route', 'show', 'default'], { encoding: 'utf8' })) as unknown[]
      context.skip(helper === 'pasta' && out.length === 0, 'this machine has no default route')
      const script = `ip -o addr show dev net0; cat /sys/class/net/net0/mtu; ip route; mkfifo /dev/shm/open; nc -w 20 ${address} ${port} <>/dev/shm/open`
      const answer = await said({ type: 'user', helper, name: 'net0', mtu: 1400 }, script, '666')
      expect(answer.error).toBeUndefined()
      expect(answer.out).toMatch(/inet [\d.]+.*\n1400\n.*^default via [\d.]+ dev net0.*^reached\n$/ms)
      expect(answer.helpers).toHaveLength(1)
      await until(`the end of ${helper}`, () => running(helper).length === 0)
    },
  )

  test(
    `NW-23 ${helper} that may not make an interface is told of in its own words, and nothing is left`,
    installed,
    async () => {
      const { error } = await said({ type: 'user', helper }, 'true', '600')
      expect(error?.message).toMatch(new RegExp(`/usr/bin/${helper} made no network: .*\\S`, 's'))
      expect(error?.hint).toContain('/dev/net/tun')
      expect(running(helper)).toEqual([])
      expect(readdirSync(join(user.runtime, 'libcontainer'))).toEqual([])
    },
  )
}
