import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs } from '../../../test/support/index.js'
import { Bundle, either, specOf } from './hosts.js'

/** The mount points that a process sees. */
const mountsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4]!)

const sleeper = specOf(['/bin/sleep', '1000'])

describe.each(either)('$name', host => {
  test('XT-04 MT-46 BY-18 mounts add and remove, in the container alone; all of them or none', host.needs, () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const { pid } = bundle
    mkdirSync(bundle.file('shown'))
    writeFileSync(bundle.file('shown/file'), 'of the host')
    const mounts = [
      { destination: '/tmp/shown', source: bundle.file('shown'), type: 'bind', options: ['bind', 'ro'] },
      { destination: '/tmp/memory', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'nosuid'] },
    ]
    const file = bundle.file('mounts.json')
    const silent = { status: 0, stdout: '', stderr: '' }
    writeFileSync(file, JSON.stringify(mounts))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toEqual(silent)
    expect(mountsOf(pid)).toEqual(expect.arrayContaining(['/tmp/shown', '/tmp/memory']))
    expect(mountsOf(process.pid)).not.toContain('/tmp/shown')
    expect(bundle.run(['exec', bundle.id, 'cat', '/tmp/shown/file'])).toMatchObject({
      status: 0,
      stdout: 'of the host',
    })
    expect(bundle.run(['exec', bundle.id, 'touch', '/tmp/shown/new'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Read-only'),
    })
    writeFileSync(file, JSON.stringify({ mounts }))
    expect(bundle.run(['mounts', 'remove', bundle.id, file])).toEqual(silent)
    expect(mountsOf(pid)).not.toContain('/tmp/shown')
    expect(mountsOf(pid)).not.toContain('/tmp/memory')
    expect(bundle.run(['mounts', 'remove', bundle.id, file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('unmount /tmp/shown'),
    })
    writeFileSync(file, JSON.stringify([mounts[0], { ...mounts[0], destination: '/tmp/x', source: '/absent' }]))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/absent'),
    })
    expect(mountsOf(pid)).not.toContain('/tmp/shown')
  })

  test(
    'MT-36 a bundle without a mount namespace is a chroot; what would be mounted is refused by name',
    host.needs,
    () => {
      using bundle = new Bundle(host)
      using rootfs = copyOfBusyboxRootfs()
      execFileSync('mknod', ['-m', '666', `${rootfs.path}/dev/null`, 'c', '1', '3'])
      const before = mountsOf(process.pid)
      const namespaces = sleeper.linux.namespaces.filter(({ type }) => type !== 'mount')
      const spec = { ...sleeper, root: { path: rootfs.path }, mounts: [], linux: { namespaces } }
      bundle.sleeping(bundle.id, spec)
      expect(mountsOf(process.pid)).toEqual(before)
      expect(bundle.run(['exec', bundle.id, 'sh', '-c', 'cd ..; pwd; ls /bin/sh'])).toEqual({
        status: 0,
        stdout: '/\n/bin/sh\n',
        stderr: '',
      })
      bundle.write({ ...spec, mounts: sleeper.mounts, root: sleeper.root })
      const { status, stderr } = bundle.run(['run', `${bundle.id}-2`])
      expect(status).not.toBe(0)
      expect(stderr).toMatch(/mounts: needs a mount namespace of the container’s own/)
      expect(mountsOf(process.pid)).toEqual(before)
    },
  )

  test('MT-46 mounts add in a user namespace of its own, with the flags of the mount', host.needs, () => {
    using bundle = new Bundle(host)
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const namespaces = [...sleeper.linux.namespaces, { type: 'user' }]
    bundle.sleeping(bundle.id, {
      ...sleeper,
      linux: { namespaces, uidMappings: map, gidMappings: map },
    })
    const { pid } = bundle
    const file = bundle.file('mounts.json')
    const bind = { destination: '/tmp/etc', source: '/etc', type: 'bind', options: ['rbind', 'ro', 'nosuid'] }
    writeFileSync(file, JSON.stringify([bind, { destination: '/tmp/memory', type: 'tmpfs', options: ['ro'] }]))
    expect(bundle.run(['mounts', 'add', bundle.id, file])).toEqual({ status: 0, stdout: '', stderr: '' })
    const infos = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    expect(infos).toMatch(/ \/tmp\/etc ro,nosuid,/)
    expect(infos).toMatch(/ \/tmp\/memory ro,/)
  })

  test(
    'XT-04 mounts refuses what would show the host, what is no list, and a container that does not run',
    host.needs,
    async () => {
      using bundle = new Bundle(host)
      bundle.sleeping()
      const file = bundle.file('mounts.json')
      const refused = (mounts: unknown, message: string): void => {
        writeFileSync(file, JSON.stringify(mounts))
        expect(bundle.run(['mounts', 'add', bundle.id, file])).toMatchObject({
          status: 1,
          stderr: expect.stringContaining(message),
        })
      }
      refused([{ destination: '/tmp/p', type: 'proc', source: 'proc' }], 'must be bind or tmpfs')
      refused([{ destination: '/', type: 'tmpfs' }], 'must not be the root')
      refused({ mount: [] }, 'list of mounts')
      refused([{ type: 'tmpfs' }], 'destination')
      expect(bundle.run(['mounts', 'move', bundle.id, file])).toMatchObject({ status: 1 })
      expect(bundle.run(['mounts', 'add', bundle.id, bundle.file('absent')])).toMatchObject({ status: 1 })
      bundle.run(['kill', bundle.id, 'KILL'])
      await bundle.stopped()
      refused([{ destination: '/tmp/t', type: 'tmpfs' }], 'not running')
    },
  )
})
