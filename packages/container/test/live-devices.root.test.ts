import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { withEdits } from '@libcontainer/container'
import {
  accessUnion,
  allowedAccess,
  cdiEdits,
  DEFAULT_RULES,
  DENY_ALL,
  type DeviceRequest,
  namedDevice,
  parseRule,
  readCdi,
} from '@libcontainer/devices'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, inside } from './support.js'

/** Everywhere, and nobody needs a capability to write to it. */
const kmsg: DeviceRequest = { ...namedDevice('kmsg'), mode: 0o640, uid: 7, gid: 8, access: 'w' }
const zero: DeviceRequest = { path: '/dev/z', type: 'c', major: 1, minor: 5 }
const owner = { user: { uid: 7, gid: 8 } }
const opens = (path: string): string =>
  `if [ -e ${path} ]; then ( : >> ${path} ) 2>&1 && echo open || true; else echo absent; fi`
const needs = requires('root', 'rootfs', 'cgroup')

describe('DV-19 devices of a running container', () => {
  test('DV-19 BY-18 a node and its rule come together, and go together', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running()
    expect(await inside(container, opens('/dev/kmsg'))).toBe('absent')
    await container.addDevices([kmsg, { path: '/dev/log', type: 'p', mode: 0o622 }])
    expect(
      await inside(container, `stat -c '%F %t:%T %a %u:%g' /dev/kmsg /dev/log; ${opens('/dev/kmsg')}`, owner),
    ).toBe('character special file 1:b 640 7:8\nfifo 0:0 622 0:0\nopen')
    const rules = async (of = container) => (await of.config()).cgroups.devices
    expect(await rules()).toEqual([{ type: 'c', major: 1, minor: 11, access: 'w', allow: true }])
    // Kept when other limits change, and by who loads it.
    await container.set({ cgroups: { pids: { max: 50 } } })
    const other = await bench.factory.load(container.id)
    expect(await inside(other, opens('/dev/kmsg'), owner)).toBe('open')

    await other.removeDevices([kmsg, { path: '/dev/log', type: 'p' }])
    expect(await rules(other)).toEqual([])
    expect(await inside(container, 'ls /dev')).not.toMatch(/kmsg|log/)
    // A node alone, as one with CAP_MKNOD can make it, gives nothing.
    await inside(container, 'mknod /dev/kmsg c 1 11', { capabilities: ['CAP_MKNOD'] })
    expect(await inside(container, opens('/dev/kmsg'))).toMatch(/not permitted/i)
  })

  test('DV-19 all or none: what was made is taken back, what was there stays, and no rule remains', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running()
    await container.addDevices([zero])
    const before = await inside(container, 'ls -ln /dev')
    const wrong = { path: '/dev/null', type: 'c', major: 1, minor: 5 } as const
    await expect(container.addDevices([zero, kmsg, wrong])).rejects.toMatchObject({
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
    requires('root', 'rootfs', 'cgroup', 'reachable', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('live-devices')
      const map = [{ containerId: 0, hostId: 100000, size: 1000 }]
      const { container } = await bench.running({
        namespaces: ['mnt', 'pid', 'net', 'ipc', 'uts', 'user'],
        uidMappings: map,
        gidMappings: map,
      })
      const dev = await inside(container, 'ls /dev')
      const full: DeviceRequest = { path: '/dev/sub/full', type: 'c', major: 1, minor: 7, source: '/dev/full' }
      await container.addDevices([full, { ...zero, source: '/dev/zero' }])
      await container.addDevices([full])
      expect(await inside(container, `${opens('/dev/sub/full')}; head -c 2 /dev/z | od -An -tx1`)).toBe('open\n 00 00')
      expect(await inside(container, 'grep -c " /dev/sub/full " /proc/self/mountinfo')).toBe('1')
      await expect(container.addDevices([{ ...full, path: '/dev/f2', source: '/dev/zero' }])).rejects.toMatchObject({
        code: 'SystemError',
        hint: '/dev/zero of the host is another device',
      })
      await container.removeDevices([full, zero])
      expect(await inside(container, 'rmdir /dev/sub; ls /dev')).toBe(dev)
      expect(await inside(container, 'grep -c " /dev/sub/full " /proc/self/mountinfo || true')).toBe('0')
    },
  )

  test('DV-19 CVE-2026-47766 links of the container lead nowhere out of its /dev', needs, async () => {
    await using bench = await Bench.open('live-devices')
    const { container } = await bench.running({ capabilities: [] })
    const host = readdirSync('/dev')
    await inside(container, 'ln -s ../../../../tmp /dev/net; ln -s /proc/1/root /dev/up')
    await container.addDevices([namedDevice('tun'), { ...zero, path: '/dev/up/z' }])
    expect(await inside(container, '[ ! -e /tmp/tun ] && ls /dev/tmp /dev/proc/1/root')).toBe(
      '/dev/proc/1/root:\nz\n\n/dev/tmp:\ntun',
    )
    expect(readdirSync('/dev')).toEqual(host)
    expect(existsSync('/tmp/tun')).toBe(false)
    await inside(container, 'ln -s /dev/zero /dev/linked')
    await expect(container.addDevices([{ ...zero, path: '/dev/linked' }])).rejects.toMatchObject({
      code: 'SystemError',
    })
  })

  test('what explain and allowedAccess say of rules is what the kernel does', needs, async () => {
    await using bench = await Bench.open('explained')
    const own = ['c 1:11 w', 'c 10:* m', 'b 7:* r'].map(text => parseRule(text))
    const { container } = await bench.running({ cgroups: { devices: own } })
    const numbers = ['c 1:3', 'c 1:5', 'c 1:11', 'c 1:4', 'c 5:1', 'c 10:229', 'b 7:0', 'b 7:1', 'b 8:0']
    const allowed = (text: string) => {
      const { type, major, minor } = parseRule(`${text} r`)
      return allowedAccess([DENY_ALL, ...own, ...DEFAULT_RULES], { type: type as 'c', major, minor })
    }
    // A driver that is not there has another answer than a rule.
    const script = numbers.map((text, i) => {
      const node = `/dev/t${i}`
      const tried = (letter: string, what: string) =>
        `case "$( ( ${what} ) 2>&1 )" in *'not permitted'*) ;; *) a="$a"${letter};; esac`
      return `a=; ${tried('m', `mknod ${node} ${text.replace(':', ' ')}`)}; ${tried('r', `: < ${node}`)}; ${tried('w', `: >> ${node}`)}; echo $a`
    })
    const capabilities = ['CAP_MKNOD', 'CAP_SYSLOG', 'CAP_SYS_RAWIO', 'CAP_SYS_ADMIN']
    const done = (await inside(container, script.join('\n'), { capabilities })).split('\n')
    expect(done.map(letters => accessUnion(letters, ''))).toEqual(numbers.map(allowed))
    expect(numbers.map(allowed)).toEqual(['rwm', 'rwm', 'wm', 'm', 'm', 'm', 'rm', 'rm', 'm'])
  })

  test('DV-20 a device of the Container Device Interface, with all that belongs to it', needs, async () => {
    await using bench = await Bench.open('cdi')
    using place = temporaryDirectory('cdi-')
    chmodSync(place.path, 0o755)
    const file = {
      cdiVersion: '0.7.0',
      kind: 'vendor.com/gpu',
      containerEdits: {
        env: ['VENDOR=yes'],
        mounts: [{ hostPath: place.path, containerPath: '/opt/vendor', options: ['ro', 'bind'] }],
        hooks: [{ hookName: 'prestart', path: '/bin/touch', args: ['touch', `${place.path}/hooked`] }],
      },
      devices: [
        {
          name: 'card0',
          containerEdits: {
            deviceNodes: [{ path: '/dev/card0', hostPath: '/dev/kmsg', fileMode: 0o200 }],
            additionalGids: [44],
          },
        },
      ],
    }
    writeFileSync(`${place.path}/vendor.json`, JSON.stringify(file))
    const registry = await readCdi({ directories: [place.path] })
    const script = `stat -c '%t:%T %a %u' /dev/card0; ${opens('/dev/card0')}; echo $VENDOR; id -G; ls /opt/vendor; touch /opt/vendor/x`
    const { config, process } = withEdits(
      { config: { rootfs: busyboxRootfs() }, process: { args: ['/bin/sh', '-c', script], user: { uid: 7, gid: 7 } } },
      await cdiEdits(registry, ['vendor.com/gpu=card0']),
    )
    const { stdout, stderr } = await bench.run(process, config)
    expect(stdout).toBe('1:b 200 7\nopen\nyes\n7 44\nhooked\nvendor.json\n')
    expect(stderr).toMatch(/Read-only file system/)
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
