import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { ContainerError } from '@libcontainer/container'
import {
  acceptUnix,
  decodeUtf8,
  listenUnix,
  POLLIN,
  poll,
  receiveMessage,
  SOCK_STREAM,
  SyscallError,
} from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { alive, requires } from '../../../test/support/index.js'
import { withFreezerHint } from '../src/freezer-hint.js'
import { Bundle, either, specOf, until } from './hosts.js'

const CAP_NET_ADMIN = 1n << 12n
const EPERM = 1

/** The pid behind the pidfd that a command sends over a socket, and the word that goes with it. */
async function sentPidfd(bundle: Bundle, command: (socket: string) => readonly string[]): Promise<[string, number]> {
  const path = bundle.file('pidfd.sock')
  using listener = listenUnix(path, SOCK_STREAM)
  const running = bundle.start(command(path), { stdio: ['ignore', 'ignore', 'ignore'] })
  await poll(listener.fd, POLLIN, { signal: AbortSignal.timeout(30_000) })
  using connection = acceptUnix(listener).connection
  await poll(connection.fd, POLLIN, { signal: AbortSignal.timeout(30_000) })
  const { bytes, fds } = receiveMessage(connection)!
  const [, pid] = /^Pid:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fds[0]!.fd}`, 'utf8'))!
  for (const each of fds) each.close()
  expect(await running.ended()).toBe(0)
  return [decodeUtf8(bytes), Number(pid)]
}

describe.each(either)('$name', host => {
  test('OL-04 OL-07 --pidfd-socket of create and of exec', host.needs, async () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const { id } = bundle
    const [word, first] = await sentPidfd(bundle, socket => ['create', '--pidfd-socket', socket, id])
    expect([word, first]).toEqual(['standard', bundle.state()!.pid])
    expect(bundle.run(['start', id])).toMatchObject({ status: 0 })
    spawnSync('rm', [bundle.file('pidfd.sock')])
    const exec = (socket: string) => ['exec', '-d', '--pidfd-socket', socket, '--pid-file', 'pid', id, 'sleep', '1000']
    const [other, further] = await sentPidfd(bundle, exec)
    expect([other, further]).toEqual(['setns', Number(readFileSync(bundle.file('pid'), 'utf8'))])
  })

  test('OL-04 OL-06 KY-04 a session keyring of the container, and with --no-new-keyring none', {
    ...host.needs,
    ...requires('root', 'rootfs', 'file:/proc/keys'),
  }, () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const named = (id: string) => readFileSync('/proc/keys', 'utf8').includes(` _ses.${id}:`)
    const [own, shared] = [`${bundle.id}-own`, `${bundle.id}-shared`]
    expect(bundle.detached(['run', '-d', own])).toMatchObject({ status: 0 })
    expect(bundle.detached(['run', '-d', '--no-new-keyring', shared])).toMatchObject({ status: 0 })
    expect([named(own), named(shared)]).toEqual([true, false])
  })

  test('OL-07 --cap becomes ambient where it is inheritable already', host.needs, () => {
    const names = ['CAP_NET_ADMIN']
    const capabilities = { bounding: names, effective: [], permitted: names, inheritable: names, ambient: [] }
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000'], { process: { capabilities } }))
    expect(bundle.detached(['run', '-d', bundle.id])).toMatchObject({ status: 0 })
    const { stdout } = bundle.run(['exec', '-c', 'CAP_NET_ADMIN', bundle.id, 'cat', '/proc/self/status'])
    expect(BigInt(`0x${/^CapAmb:\s*(\w+)/m.exec(stdout)![1]}`)).toBe(CAP_NET_ADMIN)
  })

  test('OL-07 PP-21 --preserve-fds of exec', host.needs, () => {
    const [first, ...words] = host.command
    using bundle = new Bundle({
      ...host,
      command: ['/bin/sh', '-c', 'exec 3< given; exec "$@"', 'sh', first, ...words],
    })
    writeFileSync(bundle.file('given'), 'what was given\n')
    bundle.sleeping()
    expect(bundle.run(['exec', '--preserve-fds', '1', bundle.id, 'cat', '/proc/self/fd/3'])).toEqual({
      status: 0,
      stdout: 'what was given\n',
      stderr: '',
    })
    expect(bundle.run(['exec', bundle.id, 'test', '-e', '/proc/self/fd/3'])).toMatchObject({ status: 1 })
  })

  test('OL-08 kill sends TERM when it is told no signal', host.needs, async () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sh', '-c', 'trap "exit 15" TERM; echo ready; while :; do sleep 0.1; done']),
    )
    const run = bundle.start(['run', bundle.id])
    await run.wrote('ready')
    expect(bundle.run(['kill', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(await run.ended()).toBe(15)
  })

  test('OL-09 delete --force ends a paused container', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const { pid } = bundle
    expect(bundle.run(['pause', bundle.id])).toMatchObject({ status: 0 })
    expect(bundle.run(['delete', '--force', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
    expect([alive(pid), bundle.left()]).toEqual([false, []])
  })

  test('OL-11 a state root that nobody named and that is not there has no containers', {
    ...host.asks,
    ...requires('root', 'program:unshare'),
  }, () => {
    const listed = (...args: string[]) => {
      const script = 'mount -t tmpfs none /run && "$@"'
      const words = ['--mount', 'sh', '-c', script, 'sh', ...host.command, 'list', ...args]
      const { status, stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' })
      return { status, stdout, stderr }
    }
    expect(listed('-f', 'json')).toEqual({ status: 0, stdout: '[]\n', stderr: '' })
    expect(listed('-q')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(listed()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^ID .*\n$/) })
  })

  test('OL-05 start of a container that is paused', host.needs, async () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    bundle.run(['pause', bundle.id])
    expect(bundle.run(['start', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it is paused'),
    })
    bundle.run(['resume', bundle.id])
    await until('its going on', () => (bundle.state()?.status === 'running' ? true : undefined))
    expect(existsSync(bundle.stateRoot)).toBe(true)
  })
})

test('OL-13 who may not stop a cgroup is told how it comes into his hands', async () => {
  const refused = (cause: unknown) => () => Promise.reject(new ContainerError('SystemError', 'cannot pause', { cause }))
  const denied = new SyscallError(EPERM, 'write', { path: '/sys/fs/cgroup/x/cgroup.freeze' })
  await expect(withFreezerHint(refused(denied))).rejects.toMatchObject({
    message: 'cannot pause',
    hint: expect.stringMatching(/Delegate/),
  })
  await expect(withFreezerHint(refused(new Error('other')))).rejects.toMatchObject({ hint: undefined })
})
