import { existsSync, readdirSync } from 'node:fs'
import { type DeviceRequest, makeDevices, namedDevice } from '@libcontainer/devices'
import { openDirectory } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, inside } from './support.js'

const fuse: DeviceRequest = { ...namedDevice('fuse'), mode: 0o640, uid: 7, gid: 8 }
const zero: DeviceRequest = { path: '/dev/z', type: 'c', major: 1, minor: 5 }
const owner = { user: { uid: 7, gid: 8 } }
const opens = (path: string): string => `( : < ${path} ) 2>&1 && echo open || true`
const needs = requires('root', 'rootfs', 'cgroup', 'file:/dev/fuse')

describe('DV-19 devices of a running container', () => {
  test('DV-19 a node and its rule come together, and go together', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running()
    expect(await inside(container, opens('/dev/fuse'))).toMatch(/no such file/i)
    await container.addDevices([fuse, { path: '/dev/log', type: 'p', mode: 0o622 }])
    expect(
      await inside(container, `stat -c '%F %t:%T %a %u:%g' /dev/fuse /dev/log; ${opens('/dev/fuse')}`, owner),
    ).toBe('character special file a:e5 640 7:8\nfifo 0:0 622 0:0\nopen')
    const rules = async (of = container) => (await of.config()).cgroups.devices
    expect(await rules()).toEqual([{ type: 'c', major: 10, minor: 229, access: 'rwm', allow: true }])
    // Kept when other limits change, and by who loads it.
    await container.set({ cgroups: { pids: { max: 50 } } })
    const other = await bench.factory.load(container.id)
    expect(await inside(other, opens('/dev/fuse'), owner)).toBe('open')

    await other.removeDevices([fuse, { path: '/dev/log', type: 'p' }])
    expect(await rules(other)).toEqual([])
    expect(await inside(container, 'ls /dev')).not.toMatch(/fuse|log/)
    // A node alone, as one with CAP_MKNOD can make it, gives nothing.
    await inside(container, 'mknod /dev/fuse c 10 229', { capabilities: ['CAP_MKNOD'] })
    expect(await inside(container, opens('/dev/fuse'))).toMatch(/not permitted/i)
  })

  test('DV-19 all or none: what was made is taken back, what was there stays, and no rule remains', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running()
    await container.addDevices([zero])
    const before = await inside(container, 'ls -ln /dev')
    const wrong = { path: '/dev/null', type: 'c', major: 1, minor: 5 } as const
    await expect(container.addDevices([zero, fuse, wrong])).rejects.toMatchObject({
      code: 'SystemError',
      message: expect.stringMatching(/cannot make devices in .*another file is there/),
      path: '/dev/null',
    })
    expect(await inside(container, 'ls -ln /dev')).toBe(before)
    expect((await container.config()).cgroups.devices).toHaveLength(1)
    // Twice allowed is allowed until it is taken away twice.
    await container.addDevices([zero])
    await expect(container.removeDevices([{ ...zero, path: '/dev/null' }])).rejects.toMatchObject({
      code: 'SystemError',
      hint: expect.stringMatching(/another file, and stays/),
    })
    expect((await container.config()).cgroups.devices).toHaveLength(1)
    expect(await inside(container, 'ls -ln /dev')).toBe(before)
    await container.removeDevices([zero])
    await expect(container.removeDevices([zero])).rejects.toMatchObject({ code: 'SystemError' })
    expect((await container.config()).cgroups.devices).toEqual([])
  })

  test(
    'DV-12 DV-19 in a user namespace the host’s node is bound, and unbound again',
    requires('root', 'rootfs', 'cgroup', 'reachable', 'namespace:user', 'file:/dev/fuse'),
    async () => {
      await using bench = await Bench.open('live-devices')
      const map = [{ containerId: 0, hostId: 100000, size: 1000 }]
      const { container } = await bench.running({
        namespaces: ['mnt', 'pid', 'net', 'ipc', 'uts', 'user'],
        uidMappings: map,
        gidMappings: map,
      })
      const dev = await inside(container, 'ls /dev')
      using place = temporaryDirectory('live-devices-')
      // A node of the host that everybody may open.
      const source = `${place.path}/dev/fuse`
      using root = await openDirectory(place.path, { handle: true })
      await makeDevices(root, [{ ...namedDevice('fuse'), mode: 0o666 }])
      const open = { ...namedDevice('fuse'), source }
      await container.addDevices([open, { ...zero, source: '/dev/zero' }])
      await container.addDevices([open])
      expect(await inside(container, `${opens('/dev/fuse')}; head -c 2 /dev/z | od -An -tx1`)).toBe('open\n 00 00')
      expect(await inside(container, 'grep -c " /dev/fuse " /proc/self/mountinfo')).toBe('1')
      await expect(container.addDevices([{ ...open, path: '/dev/f2', source: '/dev/zero' }])).rejects.toMatchObject({
        code: 'SystemError',
        hint: '/dev/zero of the host is another device',
      })
      await container.removeDevices([open, zero])
      expect(await inside(container, 'ls /dev')).toBe(dev)
      expect(await inside(container, 'grep -c " /dev/fuse " /proc/self/mountinfo || true')).toBe('0')
    },
  )

  test('DV-19 CVE-2026-47766 links of the container lead nowhere out of its /dev', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running({ capabilities: [] })
    const host = readdirSync('/dev')
    await inside(container, 'ln -s ../../../../tmp /dev/net; ln -s /proc/1/root /dev/up')
    await container.addDevices([namedDevice('tun'), { ...zero, path: '/dev/up/z' }])
    expect(await inside(container, 'ls /dev/tmp /dev/proc/1/root; ls /tmp')).toBe(
      '/dev/proc/1/root:\nz\n\n/dev/tmp:\ntun',
    )
    expect(readdirSync('/dev')).toEqual(host)
    expect(existsSync('/tmp/tun')).toBe(false)
    await inside(container, 'ln -s /dev/zero /dev/linked')
    await expect(container.addDevices([{ ...zero, path: '/dev/linked' }])).rejects.toMatchObject({
      code: 'SystemError',
    })
  })

  test('DV-19 EV-154 what cannot be is refused first, and a container that does not run by name', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running()
    const invalid = (field: string) => ({ code: 'ConfigInvalid', field })
    await expect(container.addDevices([zero, { ...zero, major: -1 }])).rejects.toMatchObject(
      invalid('devices[1].major'),
    )
    await expect(container.addDevices([{ ...zero, path: 'dev/z' }])).rejects.toMatchObject(invalid('devices[0].path'))
    await expect(container.removeDevices([{ ...zero, type: 'a' as 'c' }])).rejects.toMatchObject(
      invalid('devices[0].type'),
    )
    await container.signal('KILL')
    await container.wait()
    await expect(container.addDevices([zero])).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await expect(container.removeDevices([zero])).rejects.toMatchObject({ code: 'ContainerNotRunning' })
  })
})
