import { parse } from '@libcontainer/cli'
import type { ContainerConfig } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import type { Profile } from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { applyFlags } from '../src/apply-flags.js'
import { wordsOf } from '../src/called-as.js'
import { table } from '../src/commands.js'
import { template } from '../src/template.js'

const minimal = { config: { rootfs: '/r' } as ContainerConfig, process: {} }

/** The config that flags make of a minimal one. */
const applied = (...flags: string[]): ContainerConfig => applyFlags(minimal, parse(['exec', ...flags], table)).config
const ofTemplate = (...flags: string[]): ContainerConfig =>
  applyFlags(template('/r', 'box'), parse(['exec', ...flags], table)).config

function problem(...flags: string[]): string {
  try {
    applied(...flags)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as ConfigInvalid).message
  }
  throw new Error(`${flags.join(' ')} was taken`)
}

describe('CL-12', () => {
  test('CL-12 unset means unset: without flags nothing changes, neither swappiness nor the death signal', () => {
    expect(applied()).toEqual({ rootfs: '/r' })
    expect(ofTemplate()).toEqual(template('/r', 'box').config)
    expect(ofTemplate().cgroups).not.toHaveProperty('memory')
  })

  test('CL-12 numbers and switches', () => {
    expect(
      applied(
        ...['--read-only', '--cpushares', '512', '--memory-limit', '1073741824', '--memory-swap=-1'],
        ...['--memory-swappiness', '0', '--parent-death-signal', '15'],
      ),
    ).toEqual({
      rootfs: '/r',
      readonlyRootfs: true,
      parentDeathSignal: 15,
      cgroups: { memory: { max: 1073741824, memswMax: 'max', swappiness: 0 }, cpu: { shares: 512 } },
    })
    expect(applied('--memory-swappiness', '-1')).toEqual({ rootfs: '/r' })
    expect(ofTemplate('--parent-death-signal', '0').parentDeathSignal).toBeUndefined()
    expect(ofTemplate('--parent-death-signal', 'SIGTERM').parentDeathSignal).toBe(15)
    expect(applied('--memory-limit', '9223372036854775807').cgroups?.memory?.max).toBe(9223372036854775807n)
  })

  test('CL-12 limits come beside those that the config has', () => {
    const config = { rootfs: '/r', cgroups: { path: '/x', memory: { low: 5 }, pids: { max: 7 } } }
    const { flags, lists, operands } = parse(['exec', '--memory-limit', '9'], table)
    expect(applyFlags({ config, process: {} }, { flags, lists, operands } as never).config.cgroups).toEqual({
      path: '/x',
      memory: { low: 5, max: 9 },
      pids: { max: 7 },
    })
  })

  test('CL-12 --cgroup adds the mount once, read-only', () => {
    const cgroup = ofTemplate('--cgroup').mounts?.filter(({ type }) => type === 'cgroup')
    expect(cgroup).toEqual([
      expect.objectContaining({ destination: '/sys/fs/cgroup', options: expect.arrayContaining(['ro']) }),
    ])
    expect(applied('--cgroup')).toEqual({ rootfs: '/r' })
  })

  test.each([
    ['--cpushares', '1', /^--cpushares: must be a whole number from 2 to 262144 \(got "1"\)$/],
    ['--cpushares', 'many', /^--cpushares: must be a whole number/],
    ['--memory-limit', '1g', /^--memory-limit: must be a number of bytes, or -1 for no limit/],
    ['--memory-limit', '-2', /^--memory-limit: /],
    ['--memory-swap', '', /^--memory-swap: /],
    ['--memory-swappiness', '101', /^--memory-swappiness: must be a whole number from 0 to 100/],
    ['--parent-death-signal', 'NONE', /^--parent-death-signal: must be a signal/],
    ['--parent-death-signal', '-9', /^--parent-death-signal: must be a signal/],
    ['--userns-root-uid', '2147483647', /^--userns-root-uid: must be a whole number from 0 to 2147483646/],
    ['--userns-root-uid', '0x10', /^--userns-root-uid: /],
  ])('CL-12 refuses %s %j', (flag, value, message) => {
    expect(problem(`${flag}=${value}`)).toMatch(message)
  })
})

describe('CL-13', () => {
  test('CL-13 processors, memory nodes and the hostname', () => {
    expect(applied('--cpuset-cpus', '0-1', '--cpuset-mems', '0', '--hostname', 'box')).toEqual({
      rootfs: '/r',
      hostname: 'box',
      cgroups: { cpuset: { cpus: '0-1', mems: '0' } },
    })
  })

  test('CL-13 namespaces: host, private, empty, or a path', () => {
    expect(applied('--net', 'host', '--pid', '/proc/1/ns/pid', '--ipc', 'private', '--mnt=').namespaces).toEqual([
      'uts',
      'ipc',
      'mnt',
      { kind: 'pid', path: '/proc/1/ns/pid' },
    ])
    expect(problem('--net', 'hots')).toBe('--net: must be host, private, or an absolute path (got "hots")')
  })

  test('CL-13 a shared uts namespace gets no name that nobody has asked for', () => {
    expect(ofTemplate('--uts', 'host')).not.toHaveProperty('hostname')
    expect(ofTemplate('--uts', '/x/uts', '--hostname', 'other').hostname).toBe('other')
  })

  test('CL-13 --apparmor-profile, which --security keeps; empty is none', () => {
    expect(applied('--apparmor-profile', 'docker-default', '--security', 'low').apparmorProfile).toBe('docker-default')
    expect(applied('--apparmor-profile', '')).toEqual({ rootfs: '/r' })
  })

  test('CL-13 --process-label and --mount-label, which --security keeps; empty is none', () => {
    const labels = ['--process-label', 'a:b:c:s0', '--mount-label', 'a:b:d:s0']
    expect(applied(...labels, '--security', 'low')).toMatchObject({ selinuxLabel: 'a:b:c:s0', mountLabel: 'a:b:d:s0' })
    for (const flag of ['--process-label', '--mount-label']) expect(applied(flag, '')).toEqual({ rootfs: '/r' })
  })
})

describe('CL-14', () => {
  test('CL-14 binds, memory, parameters and groups, each as often as it is given', () => {
    const { config, process } = applyFlags(
      minimal,
      parse(
        [
          ...['exec', '--bind', '/a:/b', '--bind', '/c:/d:ro', '--bind=/e:/f:rw', '--tmpfs', '/g', '--tmpfs', '/h'],
          ...['--sysctl', 'net.a=1', '--sysctl', 'net.b=x=y', '--groups', 'audio', '--groups', '29'],
        ],
        table,
      ),
    )
    const tmpfs = { type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec'] }
    expect(config.mounts).toEqual([
      ...defaultMounts,
      { destination: '/g', ...tmpfs },
      { destination: '/h', ...tmpfs },
      { destination: '/b', type: 'bind', source: '/a', options: ['rbind', 'rw'] },
      { destination: '/d', type: 'bind', source: '/c', options: ['rbind', 'ro'] },
      { destination: '/f', type: 'bind', source: '/e', options: ['rbind', 'rw'] },
    ])
    expect(config.sysctl).toEqual({ 'net.a': '1', 'net.b': 'x=y' })
    expect(process.additionalGroups).toEqual(['audio', 29])
  })

  test.each(['/a', '/a:/b:ro:x', '/a:/b:rx', ':/b', '/a:', 'a:/b', '/a:b', ''])('EV-088 CL-14 --bind %j', text => {
    expect(problem('--bind', text)).toMatch(/^--bind: (must be SRC:DST|is ro or rw|must name absolute paths)/)
  })

  test.each(['kernel.domainname', '=x', ''])('EV-057 CL-14 --sysctl %j', text => {
    expect(problem('--sysctl', text)).toBe(`--sysctl: must be KEY=VALUE (got ${JSON.stringify(text)})`)
  })

  test('CL-14 --tmpfs and --groups', () => {
    expect(problem('--tmpfs', 'x')).toMatch(/^--tmpfs: must be an absolute path/)
    expect(problem('--groups', '')).toMatch(/^--groups: must name a group/)
  })
})

describe('CL-15', () => {
  const map = (uid: number): unknown => applied('--userns-root-uid', String(uid)).uidMappings

  test('CL-15 root is that user, and all others are themselves', () => {
    const config = applied('--userns-root-uid', '1000')
    expect(config.namespaces).toEqual(['user', 'mnt', 'pid', 'ipc', 'uts', 'net'])
    expect(config.gidMappings).toEqual(config.uidMappings)
    expect(config.uidMappings).toEqual([
      { containerId: 0, hostId: 1000, size: 1 },
      { containerId: 1, hostId: 1, size: 999 },
      { containerId: 1001, hostId: 1001, size: 2147482647 },
    ])
  })

  test('CL-15 at the ends of the range no map is empty', () => {
    expect(map(1)).toEqual([
      { containerId: 0, hostId: 1, size: 1 },
      { containerId: 2, hostId: 2, size: 2147483646 },
    ])
    expect(map(2147483646)).toHaveLength(3)
    expect(map(0)).toBeUndefined()
  })
})

test('CL-16 a network by a bridge', () => {
  const flags = [
    '--veth-bridge',
    'br0',
    '--veth-address',
    '10.0.0.2/24',
    '--veth-gateway',
    '10.0.0.1',
    '--veth-mtu',
    '1400',
  ]
  expect(applied(...flags).networks).toEqual([
    { type: 'veth', bridge: 'br0', address: '10.0.0.2/24', gateway: '10.0.0.1', mtu: 1400 },
  ])
  expect(applied('--veth-bridge', 'br0', '--veth-mtu', '0').networks).toEqual([{ type: 'veth', bridge: 'br0' }])
  expect(problem('--veth-address', '10.0.0.2/24')).toMatch(/^--veth-address: is of a network by a bridge/)
  expect(problem('--veth-bridge', 'br0', '--veth-mtu', 'x')).toMatch(/^--veth-mtu: must be a whole number/)
})

test('CL-18 the template', () => {
  const { config, process } = template('/r', 'box')
  expect(config.capabilities).toHaveLength(14)
  expect(config.namespaces).toHaveLength(5)
  expect(config.mounts?.map(({ destination }) => destination)).toEqual([
    ...['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/sys'],
  ])
  expect(config.devices).toHaveLength(6)
  expect(config.maskedPaths).toContain('/proc/kcore')
  for (const name of ['sys', 'sysrq-trigger', 'irq', 'bus']) expect(config.readonlyPaths).toContain(`/proc/${name}`)
  expect(config).toMatchObject({ hostname: 'nsinit', parentDeathSignal: 'SIGKILL' })
  if (globalThis.process.getuid?.() === 0) expect(config.cgroups).toEqual({ path: '/nsinit/box' })
  expect(process.env).toEqual([expect.stringMatching(/^PATH=/), 'HOSTNAME=nsinit', 'TERM=xterm'])
})

describe('CL-20', () => {
  const refusedBy = (level: string): string[] =>
    (ofTemplate('--security', level).seccomp as Profile).syscalls?.[0]?.names.slice() as string[]

  test('CL-20 high', () => {
    const config = ofTemplate('--security', 'high', '--read-only')
    expect(config.capabilities).toEqual(['CAP_NET_BIND_SERVICE', 'CAP_KILL', 'CAP_AUDIT_WRITE'])
    expect(config.rlimits).toEqual([{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }])
    expect(config).toMatchObject({ readonlyRootfs: true, hostname: 'nsinit' })
    expect(refusedBy('high')).toEqual(expect.arrayContaining(['capset', 'unshare', 'chown', 'unlink', 'chroot']))
  })

  test('CL-20 medium and low', () => {
    const [medium, low] = ['medium', 'low'].map(level => ofTemplate('--security', level).capabilities as string[])
    expect(medium).toHaveLength(11)
    for (const name of ['CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SYS_CHROOT']) expect(medium).not.toContain(name)
    expect([...low!].sort()).toEqual([...medium!, 'CAP_SYS_CHROOT'].sort())
    expect(refusedBy('medium')).toEqual(expect.arrayContaining(['chroot', 'sethostname', 'mount']))
    expect(refusedBy('medium')).not.toContain('unlink')
    expect(refusedBy('low')).not.toContain('chroot')
  })

  test('CL-20 an unknown level', () => {
    expect(problem('--security', 'none')).toBe('--security: must be one of high, medium, low (got "none")')
    expect(problem('--security', '__proto__')).toMatch(/^--security: must be one of/)
  })

  test('CL-20 other limits than that of open files survive', () => {
    const { flags, lists } = parse(['exec', '--security', 'low'], table)
    const rlimits = [
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      { type: 7, soft: 5, hard: 5 },
    ]
    const { config } = applyFlags({ config: { rootfs: '/r', rlimits }, process: {} }, { flags, lists })
    expect(config.rlimits).toEqual([rlimits[0], { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }])
  })
})

test('CL-07 a name tells the function', () => {
  expect(wordsOf('/usr/bin/nsenter-mknod', ['--nspid', '5'])).toEqual(['exec', '--func', 'mknod', '--nspid', '5'])
  expect(wordsOf('nsinit', ['state'])).toEqual(['state'])
  expect(wordsOf('/opt/nsenter-x/nsinit', ['state'])).toEqual(['state'])
})
