import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ContainerConfig } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bench, inside } from './support.js'

/** What a shell needs, and one place to write to. */
const files: ContainerConfig['landlock'] = {
  paths: [
    { path: '/bin', allow: ['read', 'execute'] },
    { path: '/lib64', allow: ['read', 'execute'], optional: true },
    { path: '/etc', allow: ['read'] },
    { path: '/proc', allow: ['read'] },
    { path: '/tmp', allow: ['read', 'write'] },
    { path: '/dev/null', allow: ['read', 'write'] },
  ],
}
const mounts = [...defaultMounts, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }] as const

describe('BY-20 Landlock', () => {
  test(
    'files: what the rules allow and no more, of the first process and of others, with all rights and with few',
    requires('root', 'rootfs', 'landlock:1'),
    async () => {
      await using bench = await Bench.open('landlock')
      const script = `exec 2>&1
      cat /etc/passwd > /dev/null && echo read
      echo text > /tmp/file && cat /tmp/file
      mkdir -p /tmp/below && mv /tmp/file /tmp/moved && rm -r /tmp/below /tmp/moved && echo changed
      ls / > /dev/null && echo listed
      true > /dev/zero && echo opened
      cp /bin/busybox /tmp/true; /tmp/true && echo executed; rm /tmp/true`
      const free = 'read\ntext\nchanged\nlisted\nopened\nexecuted'
      const held =
        /^read\ntext\nchanged\nls: .*denied\n.*\/dev\/zero: Permission denied\n.*\/tmp\/true: Permission denied$/
      expect(await bench.text(script, { mounts, capabilities: null })).toBe(free)
      expect(await bench.text(script, { mounts, landlock: files, capabilities: null })).toMatch(held)

      const { container } = await bench.running({ mounts, landlock: files })
      for (const spec of [{}, { noNewPrivileges: true }, { capabilities: [] }])
        expect(await inside(container, script, spec), JSON.stringify(spec)).toMatch(held)
      expect(await inside(container, 'ls / 2>&1; true', { user: { uid: 1000, gid: 1000 } })).toMatch(/denied/)
    },
  )

  test(
    'of the container’s own mounts nothing more is made or taken away',
    requires('root', 'rootfs', 'landlock:1'),
    async () => {
      await using bench = await Bench.open('landlock-mount')
      const script = 'mount -t tmpfs none /tmp 2>&1; umount /tmp 2>&1; true'
      const config = { mounts, capabilities: null, seccomp: null } as const
      expect(await bench.text(script, config)).toBe('')
      expect(await bench.text(script, { ...config, landlock: files })).toMatch(/denied.*\n.*not permitted/)
    },
  )

  test(
    'a path that is not there ends the start, and names itself',
    requires('root', 'rootfs', 'landlock:1'),
    async () => {
      await using bench = await Bench.open('landlock-absent')
      const landlock = { paths: [{ path: '/no/such', allow: ['read'] }] } as const
      await expect(bench.run('true', { landlock })).rejects.toMatchObject({
        errno: -2,
        path: '/no/such',
        message: expect.stringContaining('allow read beneath /no/such'),
      })
    },
  )

  test('ports: those that are named, and no others', requires('root', 'rootfs', 'landlock:4'), async () => {
    const servers = [createServer(socket => socket.end('hello')), createServer()]
    const ports = await Promise.all(
      servers.map(async server => {
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        onTestFinished(() => void server.close())
        return (server.address() as { port: number }).port
      }),
    )
    await using bench = await Bench.open('landlock-ports')
    const config = { namespaces: ['mnt', 'pid', 'ipc', 'uts'] } as const
    const connect = (port: number): string => `busybox nc 127.0.0.1 ${port} < /dev/null 2>&1; true`
    expect(await bench.text(connect(ports[0]!), config)).toBe('hello')
    const landlock = { connectTcp: [ports[0]!], bindTcp: [] }
    expect(await bench.text(connect(ports[0]!), { ...config, landlock })).toBe('hello')
    expect(await bench.text(connect(ports[1]!), { ...config, landlock })).toMatch(/Permission denied/)
    expect(await bench.text('busybox nc -l -p 0 2>&1; true', { ...config, landlock })).toMatch(/Permission denied/)
  })

  test('scopes: signals to whoever is outside', requires('root', 'rootfs', 'landlock:6'), async () => {
    const outside = spawn('sleep', ['1000'])
    onTestFinished(() => void outside.kill('SIGKILL'))
    await using bench = await Bench.open('landlock-scope')
    const config = { namespaces: ['mnt', 'ipc', 'uts'], capabilities: ['CAP_KILL'] } as const
    const script = `sleep 100 & kill -0 $! && echo own; kill $!; kill -0 ${outside.pid} 2>&1 && echo other; true`
    expect(await bench.text(script, config)).toBe('own\nother')
    expect(await bench.text(script, { ...config, landlock: { scope: ['signal'] } })).toMatch(/^own\n.*not permitted$/)
  })
})
