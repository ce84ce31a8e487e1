import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CAPABILITIES } from '@libcontainer/capabilities'
import { type ContainerConfig, Factory } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires, temporaryDirectory, until } from '../support/index.js'
import { Jail } from './jail.js'
import { replace, without } from './weaken.js'

const needs = requires('root', 'rootfs')
const CLONE_NEWUSER = 0x10000000
const hostIds = [{ containerId: 0, hostId: 100000, size: 65536 }]
const somebody = { uid: 1000, gid: 1000 }
const allKinds = ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'] as const

let jail: Jail

beforeAll(async () => {
  jail = await Jail.open()
  const source = join(import.meta.dirname, 'attacker.c')
  execFileSync('gcc', ['-static', '-O1', '-o', join(jail.victim.place, 'attacker'), source])
  plant('bin/attacker')
})
afterAll(async () => await jail[Symbol.asyncDispose]())
beforeEach(() => {
  jail.directory('mnt')
  jail.victim.restore()
})

/** A program of the image: see attacker.c. (busybox itself gives up what a set-user-ID bit gives.) */
const plant = (path: string): void => copyFileSync(join(jail.victim.place, 'attacker'), join(jail.rootfs, path))

/** The plan that would be for other sets of capabilities. */
const sets = (names: readonly string[], more: 'ambient' | 'inheritable') => {
  const all = { bounding: names, effective: names, permitted: names }
  return more === 'ambient' ? { ...all, inheritable: names, ambient: names } : { ...all, inheritable: names }
}

test('CVE-2016-8867 somebody who is not root has no capability that nobody asked for', needs, async () => {
  jail.file('mine', '')
  const names = ['CAP_CHOWN', 'CAP_NET_RAW']
  const script = 'grep -E "Cap(Prm|Eff|Amb)" /proc/self/status; chown 0 /mine && echo chowned; true'
  chownSync(join(jail.rootfs, 'mine'), 1000, 1000)
  const weak = await jail.run(script, { spec: { user: somebody, capabilities: sets(names, 'ambient') } })
  expect(weak.stdout).toMatch(/CapAmb:\t0*2001\nchowned\n/)
  chownSync(join(jail.rootfs, 'mine'), 1000, 1000)
  for (const capabilities of [undefined, names]) {
    const real = await jail.run(script, { spec: { user: somebody, ...(capabilities && { capabilities }) } })
    expect(real.stdout).toBe('CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n')
  }
})

test(
  'CVE-2022-24769 CVE-2022-27649 CVE-2022-27650 CVE-2022-29162 CVE-2025-27612 nothing is inheritable, at the start and in a further process',
  requires('root', 'rootfs', 'program:setcap'),
  async () => {
    // A file that turns what is inherited into rights.
    plant('bin/raising')
    execFileSync('setcap', ['cap_net_bind_service=ei', join(jail.rootfs, 'bin/raising')])
    const names = ['CAP_NET_BIND_SERVICE', 'CAP_CHOWN']
    const script = '/bin/raising status | grep -E "Cap(Inh|Prm)"'
    const trial = { spec: { user: somebody } }
    const weakSpec = { spec: { user: somebody, capabilities: sets(names, 'inheritable') } }
    const none = 'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n'
    const has = 'CapInh:\t0000000000000401\nCapPrm:\t0000000000000400\n'
    expect((await jail.run(script, weakSpec)).stdout).toBe(has)
    expect((await jail.run(script, trial)).stdout).toBe(none)
    expect((await jail.run(script, { spec: { user: somebody, capabilities: names } })).stdout).toBe(none)
    await jail.run('exec sleep 100', {
      during: async pid => {
        expect((await jail.exec(pid, script, weakSpec)).stdout).toBe(has)
        for (const capabilities of [undefined, names])
          expect(
            (await jail.exec(pid, script, { spec: { user: somebody, ...(capabilities && { capabilities }) } })).stdout,
          ).toBe(none)
      },
    })
    jail.remove('bin/raising')
  },
)

test(
  'no_new_privs: neither set-user-ID nor file capabilities give anything',
  requires('root', 'rootfs', 'program:setcap'),
  async () => {
    for (const name of ['setuid', 'raising']) plant(`bin/${name}`)
    chmodSync(join(jail.rootfs, 'bin/setuid'), 0o4755)
    execFileSync('setcap', ['cap_kill=ep', join(jail.rootfs, 'bin/raising')])
    jail.file('theirs', '')
    // As id of the set-user-ID program, and what the other may do.
    const script = '/bin/setuid status | grep ^Uid: | cut -f3; /bin/raising status | grep CapEff'
    const trial = { config: { noNewPrivileges: true, seccomp: null }, spec: { user: somebody } }
    const weak = await jail.run(script, { ...trial, weaken: without('setNoNewPrivileges') })
    expect(weak.stdout).toBe('0\nCapEff:\t0000000000000020\n')
    expect((await jail.run(script, trial)).stdout).toBe('1000\nCapEff:\t0000000000000000\n')
    for (const name of ['setuid', 'raising']) jail.remove(`bin/${name}`)
  },
)

test(
  'devices that nobody gave: a node can be made by who may make nodes, and is not opened',
  requires('root', 'rootfs', 'CAP_MKNOD', 'file:/dev/fuse'),
  async () => {
    using place = temporaryDirectory('devices-')
    const factory = await Factory.open(join(place.path, 'state'))
    const script = 'mknod /made c 10 229 2>/dev/null; { true < /made; } 2>/dev/null && echo open; rm -f /made; exit 0'
    const seen = async (cgroups: ContainerConfig['cgroups']): Promise<string> => {
      const config = { rootfs: jail.rootfs, capabilities: ['CAP_MKNOD', 'CAP_DAC_OVERRIDE'], cgroups }
      const container = await factory.create(`devices-${process.pid}`, config)
      try {
        const child = await container.run({ args: ['/bin/sh', '-c', script], stdio: ['null', 'pipe', 'null'] })
        let text = ''
        for await (const chunk of child.stdout!) text += chunk
        expect(await child.wait()).toMatchObject({ code: 0 })
        return text
      } finally {
        await container.destroy({ force: true })
      }
    }
    expect(await seen({ devices: [{ type: 'a', access: 'rwm', allow: true }] })).toBe('open\n')
    expect(await seen({})).toBe('')
  },
)

describe('CVE-2022-0492 the release_agent of cgroup v1', () => {
  const mounting = 'mkdir -p /tmp/c; mount -t cgroup -o pids none /tmp/c 2>/dev/null'
  const writing = '{ true >> /tmp/c/release_agent; } 2>/dev/null && echo open'

  test(
    'CVE-2022-0492 neither mounted nor opened, in no namespace that a container can make',
    requires('root', 'rootfs', 'cgroup1:pids'),
    async () => {
      const script = `${mounting} && ${writing}; true`
      const open = { capabilities: null, seccomp: null }
      expect((await jail.run(script, { config: open })).stdout).toBe('open\n')
      expect((await jail.run(script)).stdout).toBe('')
      // The flaw itself: a user namespace of its own was enough. Kernels since 5.17 ask for CAP_SYS_ADMIN of the first one; ours has no way there.
      const unshared = `attacker unshare sh -c '${script}' 2>/dev/null; true`
      expect((await jail.run(unshared)).stdout).toBe('')
      expect(
        (
          await jail.run('attacker unshare true && echo unshared; true', {
            config: { seccomp: null },
            spec: { user: somebody },
          })
        ).stdout,
      ).toBe('unshared\n')
      expect(
        (await jail.run('attacker unshare true && echo unshared; true', { spec: { user: somebody } })).stdout,
      ).toBe('')
    },
  )

  test(
    'CVE-2022-0492 the mounts that a container has are read-only',
    requires('root', 'rootfs', 'cgroup'),
    async () => {
      const script =
        'for d in $(find /sys/fs/cgroup -name cgroup.procs | sed s,/cgroup.procs,,); do mkdir $d/made 2>/dev/null && rmdir $d/made && echo made; done; true'
      const writable = defaultMounts.map(mount =>
        mount.type === 'cgroup' ? { ...mount, options: ['nosuid', 'noexec', 'nodev'] } : mount,
      )
      expect((await jail.run(script, { config: { mounts: writable } })).stdout).toMatch(/made/)
      expect((await jail.run(script)).stdout).toBe('')
    },
  )
})

test(
  'CVE-2023-25809 the cgroups of whoever starts a container are not its own to change',
  requires('root', 'rootfs', 'cgroup2', 'namespace:user'),
  async () => {
    // Handed over, as the user's own slice is.
    jail.own(100_000)
    const script = `
      for f in $(find /sys/fs/cgroup -name cgroup.procs); do { true >> $f; } 2>/dev/null && echo "$f can be written"; done
      for d in $(find /sys/fs/cgroup -name cgroup.procs | sed s,/cgroup.procs,,); do mkdir $d/made 2>/dev/null && rmdir $d/made && echo "made in $d"; done; true`
    const user = { namespaces: allKinds, uidMappings: hostIds, gidMappings: hostIds }
    const cgroup = defaultMounts.find(({ type }) => type === 'cgroup')!
    const rest = defaultMounts.filter(({ destination }) => !destination.startsWith('/sys'))
    const bound = { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'ro'] }
    for (const config of [
      { ...user, mounts: defaultMounts },
      { mounts: [...rest, bound, cgroup] },
      { namespaces: ['mnt', 'pid', 'ipc', 'uts'] as const, mounts: [...rest, bound, cgroup] },
    ]) {
      const writable = config.mounts.map(mount =>
        mount.type === 'cgroup' ? { ...mount, options: ['nosuid', 'noexec', 'nodev'] } : mount,
      )
      const weak = await jail.run(script, { config: { ...config, mounts: writable } })
      expect(weak.stdout).toMatch(/made in|can be written/)
      const real = await jail.run(script, { config })
      expect(real).toMatchObject({ refused: undefined, stdout: '' })
    }
    jail.own(0)
  },
)

test(
  'user namespaces: a further process has the rights of the container, whatever its first process has become',
  requires('root', 'rootfs', 'namespace:user'),
  async () => {
    const file = jail.victim.file('file')
    chmodSync(file, 0o600)
    const mounts = [...defaultMounts, { destination: '/mnt', type: 'bind', source: jail.victim.path }]
    const user = { namespaces: allKinds, uidMappings: hostIds, gidMappings: hostIds, mounts }
    const config = { ...user, capabilities: null, seccomp: null } as const
    const script = 'cat /mnt/file 2>/dev/null; tr -s " " < /proc/self/uid_map; grep CapEff /proc/self/status'
    /** Everything is joined but the user namespace: the rights are those of the host then. */
    const elsewhere = replace('setProcessNamespaces', step => [
      { ...step, args: step.args.with(1, Number(step.args[1]) & ~CLONE_NEWUSER) },
    ])
    await jail.run('exec sleep 100', {
      config,
      during: async pid => {
        const weak = await jail.exec(pid, script, { config, weaken: elsewhere })
        expect(weak.stdout).toMatch(/^secret of the host\n 0 0 4294967295\n/)
        const real = await jail.exec(pid, script, { config })
        expect(real.stdout).toMatch(/^ 0 100000 65536\nCapEff:\t\w+\n$/)
      },
    })
    const nested = (pid: number) =>
      until('a user namespace for one id', () => / 1\n$/.test(readFileSync(`/proc/${pid}/uid_map`, 'utf8')))
    // It has made one more, in which it maps itself to whom it likes: who joins it is the container's root and no more.
    jail.own(0)
    await jail.run('exec attacker unshare sleep 100', {
      config,
      during: async pid => {
        await nested(pid)
        const real = await jail.exec(pid, script, { config })
        expect(real.stdout).not.toMatch(/secret/)
        expect(real.refused?.code ?? real.stdout).toMatch(/^(E[A-Z]+$| 0 0 1\n)/)
      },
    })
    // And in a container that has none of its own.
    const plain = { mounts, seccomp: null, capabilities: [] }
    await jail.run('exec attacker unshare sleep 100', {
      config: plain,
      spec: { user: somebody },
      during: async pid => {
        await nested(pid)
        const real = await jail.exec(pid, script, { config: plain, spec: { capabilities: CAPABILITIES } })
        expect(real.stdout).not.toMatch(/secret/)
        expect(real.refused?.code ?? real.stdout).toMatch(/^(E[A-Z]+$| 0 1000 1\n)/)
      },
    })
  },
)

test('a container that may make cgroups cannot make itself one that nobody finds, ends or removes', needs, async () => {
  using place = temporaryDirectory('deep-')
  const script = `cd /sys/fs/cgroup; [ -d unified ] && cd unified
    for i in $(seq 150); do mkdir d && cd d || exit 1; done
    echo $$ > cgroup.procs; sleep 1000 & echo below > /tmp/told; exec sleep 1000`
  const mounts = defaultMounts.map(mount => (mount.type === 'cgroup' ? { ...mount, options: ['nosuid', 'rw'] } : mount))
  const id = `deep-${process.pid}`
  const factory = await Factory.open(join(place.path, 'state'))
  const container = await factory.create(id, { rootfs: jail.rootfs, mounts, rootOverlay: { temporary: true } })
  try {
    const { pid } = await container.run({ args: ['/bin/sh', '-c', script], env: ['PATH=/bin', 'HOME=/'] })
    await until('it is deep below', () => /\/d\/d$/m.test(readFileSync(`/proc/${pid}/cgroup`, 'utf8')))
    // As another process finds it, which knows its state alone.
    const found = await factory.load(id)
    await until('both of its processes', async () => (await found.processes()).length === 2)
    await found.signal('CONT', { all: true })
    await found.destroy({ force: true })
    expect(await factory.list()).toEqual([])
  } finally {
    await container.destroy({ force: true })
  }
})
