import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type Container,
  type ContainerConfig,
  defaultMaskedPaths,
  type NamespaceRequest,
} from '@libcontainer/container'
import { defaultMounts, parseMountInfo } from '@libcontainer/mount'
import { kernelAtLeast } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, hostIds, inside, ownRootfs, sleeper } from './support.js'

const needs = requires('root', 'rootfs')
const hostMounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')
const userns = {
  namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user', 'cgroup'],
  uidMappings: hostIds,
  gidMappings: hostIds,
} as const satisfies Partial<ContainerConfig>

const list = (text: string): string[] => text.split('\n').filter(line => line !== '')

describe('namespaces', () => {
  const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const
  const seen = async (bench: Bench, config: Partial<ContainerConfig>): Promise<Map<string, string>> => {
    const lines = list(
      await bench.text(`for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`, config),
    )
    return new Map(lines.map(line => [line.split(':')[0]!, line]))
  }
  const own = (config: Map<string, string>): string[] =>
    kinds.filter(kind => config.get(kind) !== readlinkSync(`/proc/self/ns/${kind}`))

  test('NS-01 those that were asked for are the container’s own, the others the host’s', needs, async () => {
    await using bench = await Bench.open('ns')
    expect(own(await seen(bench, {}))).toEqual(['ipc', 'mnt', 'net', 'pid', 'uts'])
    expect(own(await seen(bench, { namespaces: ['mnt'] }))).toEqual(['mnt'])
    for (const kind of ['cgroup', 'ipc', 'net', 'pid', 'time', 'uts'] as const)
      expect(own(await seen(bench, { namespaces: ['mnt', kind] }))).toEqual([...new Set(['mnt', kind])].sort())
  })

  test('NS-01 all eight at once', requires('root', 'rootfs', 'namespace:user', 'namespace:time'), async () => {
    await using bench = await Bench.open('ns')
    const config = {
      ...userns,
      namespaces: [...userns.namespaces, 'time'] as const,
      timeOffsets: { boottime: { secs: 7_000_000 } },
    }
    expect(own(await seen(bench, config))).toEqual([...kinds])
    expect(Number((await bench.text('cat /proc/uptime', config)).split('.')[0])).toBeGreaterThan(7_000_000)
  })

  test('NS-01 pid: the program is 1, and sees nobody else', needs, async () => {
    await using bench = await Bench.open('pid')
    expect(await bench.text('echo $$; ls /proc | grep -c "^[0-9]"')).toMatch(/^1\n[23]$/)
    expect(Number(await bench.text('echo $$', { namespaces: ['mnt', 'ipc'] }))).toBeGreaterThan(1)
  })

  test('NS-01 net: lo alone, and it is up', needs, async () => {
    await using bench = await Bench.open('net')
    const script =
      'ls /sys/class/net; cat /sys/class/net/lo/flags; ip addr show lo | grep -o "inet 127.0.0.1/8"; cat /proc/net/route | tail -n +2'
    expect(list(await bench.text(script))).toEqual(['lo', '0x9', 'inet 127.0.0.1/8'])
    expect(
      await bench.text('ping -c 1 -W 5 127.0.0.1 | grep -o "1 packets received"', { capabilities: ['CAP_NET_RAW'] }),
    ).toBe('1 packets received')
  })

  test('EV-050 PP-02 uts: names of its own, the host’s unchanged', needs, async () => {
    await using bench = await Bench.open('uts')
    const host = [
      readFileSync('/proc/sys/kernel/hostname', 'utf8'),
      readFileSync('/proc/sys/kernel/domainname', 'utf8'),
    ]
    const names = { hostname: `${'h'.repeat(63)}é`.slice(0, 63), domainname: 'a.domain' }
    expect(await bench.text('hostname; cat /proc/sys/kernel/domainname', names)).toBe(`${names.hostname}\na.domain`)
    expect([
      readFileSync('/proc/sys/kernel/hostname', 'utf8'),
      readFileSync('/proc/sys/kernel/domainname', 'utf8'),
    ]).toEqual(host)
  })

  test('NS-01 cgroup: its own directory is the root that it sees', needs, async () => {
    await using bench = await Bench.open('cgroup')
    const shown = async (namespaces: NonNullable<ContainerConfig['namespaces']>): Promise<string[]> =>
      list(await bench.text('cut -d: -f3 /proc/self/cgroup | sort -u', { namespaces }))
    const kinds = ['mnt', 'pid', 'ipc', 'uts', 'net'] as const
    expect(await shown([...kinds, 'cgroup'])).toEqual(['/'])
    expect((await shown(kinds)).join()).toContain('/libcontainer-cgroup-')
  })

  test('NS-10 joined by path: net, ipc, uts of another container, and nothing else of it', needs, async () => {
    await using bench = await Bench.open('joined')
    const { container: first, init } = await bench.running({ hostname: 'first' })
    const of = (kind: string): string => readlinkSync(`/proc/${init.pid}/ns/${kind}`)
    const joined = (['net', 'ipc', 'uts'] as const).map(kind => ({ kind, path: `/proc/${init.pid}/ns/${kind}` }))
    const config = { namespaces: ['mnt', 'pid', ...joined] as NamespaceRequest[] }
    const mine = await seen(bench, config)
    for (const kind of kinds)
      expect(mine.get(kind) === of(kind), kind).toBe(['net', 'ipc', 'uts', 'user', 'cgroup', 'time'].includes(kind))
    expect(await bench.text('hostname', config)).toBe('first')
    // What is set in a shared namespace is set for both.
    expect(await bench.text('hostname', { ...config, hostname: 'both' })).toBe('both')
    expect(await inside(first, 'hostname')).toBe('both')
    await bench.run('echo 1 > /dev/null', {
      ...config,
      sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '4321' },
    })
    expect(await inside(first, 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax')).toBe('1\n4321')
  })

  test(
    'NS-10 S5 the pid namespace of another container: its processes are there, and outlive ours',
    needs,
    async () => {
      await using bench = await Bench.open('pids')
      const { container: first, init } = await bench.running()
      const config = {
        namespaces: [
          'mnt',
          'ipc',
          'uts',
          'net',
          { kind: 'pid', path: `/proc/${init.pid}/ns/pid` },
        ] as NamespaceRequest[],
      }
      const [pid, comm] = list(await bench.text('echo $$; cat /proc/1/comm', config))
      expect(Number(pid)).toBeGreaterThan(1)
      expect(comm).toBe('sleep')
      expect(await first.status()).toBe('running')
    },
  )

  test(
    'NS-10 the user namespace of another container, and what it owns',
    requires('root', 'rootfs', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('users')
      const { init } = await bench.running({ ...userns, hostname: 'owned' })
      const joined = (['user', 'net', 'ipc', 'uts', 'pid'] as const).map(kind => ({
        kind,
        path: `/proc/${init.pid}/ns/${kind}`,
      }))
      const config = { namespaces: ['mnt', ...joined] as NamespaceRequest[] }
      expect(
        list(await bench.text('hostname; cat /proc/1/comm; id -u; cat /proc/self/uid_map', config)).map(line =>
          line.trim(),
        ),
      ).toEqual(['owned', 'sleep', '0', expect.stringMatching(/^0 +100000 +65536$/)])
    },
  )

  test('EV-032 a namespace whose process has gone between create and start', needs, async () => {
    await using bench = await Bench.open('gone')
    const { container: first, init } = await bench.running()
    const second = await bench.create({ namespaces: ['mnt', { kind: 'net', path: `/proc/${init.pid}/ns/net` }] })
    await first.destroy({ force: true })
    await init.wait()
    await expect(second.run(sleeper)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'namespaces[1].path' })
    expect(await second.processes()).toEqual([])
  })
})

describe('sysctls', () => {
  test(
    'VAL-20 PP-02 those of its namespaces are set, the host’s stay, and /proc/sys is read-only afterwards',
    needs,
    async () => {
      await using bench = await Bench.open('sysctl')
      const keys = {
        'net.ipv4.ip_forward': '1',
        'net/ipv4/conf/lo/rp_filter': '2',
        'kernel.msgmax': '65000',
        'kernel.shm_rmid_forced': '1',
        'fs.mqueue.queues_max': '99',
        'kernel.domainname': 'set',
      }
      const paths = [
        'net/ipv4/ip_forward',
        'net/ipv4/conf/lo/rp_filter',
        'kernel/msgmax',
        'kernel/shm_rmid_forced',
        'fs/mqueue/queues_max',
        'kernel/domainname',
      ]
      const read = (path: string): string => readFileSync(`/proc/sys/${path}`, 'utf8')
      const before = paths.map(read)
      const script = `cd /proc/sys; cat ${paths.join(' ')}; echo 0 > net/ipv4/ip_forward; true`
      const { stdout, stderr } = await bench.run(script, { sysctl: keys })
      expect(list(stdout)).toEqual(Object.values(keys))
      expect(stderr).toContain('Read-only file system')
      expect(paths.map(read)).toEqual(before)
    },
  )

  test(
    'PP-02 what an image has in place of /proc is not what is written to',
    requires('root', 'rootfs', 'program:nsenter'),
    async () => {
      await using bench = await Bench.open('sysctl-fake')
      using rootfs = ownRootfs()
      using outside = temporaryDirectory('outside-')
      // A file that looks like the setting, and a link that leads out.
      mkdirSync(`${rootfs.path}/proc/sys/net/ipv4`, { recursive: true })
      const fake = `${rootfs.path}/proc/sys/net/ipv4/ip_forward`
      writeFileSync(fake, 'fake')
      writeFileSync(`${outside.path}/ip_default_ttl`, 'outside')
      symlinkSync(`${outside.path}/ip_default_ttl`, `${rootfs.path}/proc/sys/net/ipv4/ip_default_ttl`)
      const mounts = defaultMounts.filter(({ destination }) => !destination.startsWith('/proc'))
      const { init } = await bench.running({
        rootfs: rootfs.path,
        mounts,
        sysctl: { 'net.ipv4.ip_forward': '1', 'net.ipv4.ip_default_ttl': '77' },
      })
      const real = (name: string): string =>
        execFileSync('nsenter', [`--net=/proc/${init.pid}/ns/net`, 'cat', `/proc/sys/net/ipv4/${name}`]).toString()
      expect([real('ip_forward'), real('ip_default_ttl')]).toEqual(['1\n', '77\n'])
      expect(readFileSync(fake, 'utf8')).toBe('fake')
      expect(readFileSync(`${outside.path}/ip_default_ttl`, 'utf8')).toBe('outside')
    },
  )

  test(
    'PP-02 EV-054 those of a user namespace of its own',
    requires('root', 'rootfs', 'reachable', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('sysctl-user')
      const before = readFileSync('/proc/sys/user/max_net_namespaces', 'utf8')
      const sysctl = {
        'user.max_net_namespaces': '7',
        'kernel.domainname': 'inner',
        'net.ipv4.ip_forward': '1',
        // Before, they are the host's root's, and the hint says so.
        ...(kernelAtLeast('6.9') ? { 'kernel.msgmax': '65000', 'fs.mqueue.queues_max': '99' } : {}),
      }
      const paths = Object.keys(sysctl).map(key => key.replaceAll('.', '/'))
      const told = await bench.text(`cd /proc/sys; cat ${paths.join(' ')}`, { ...userns, sysctl })
      expect(told.split('\n')).toEqual(Object.values(sysctl))
      expect(readFileSync('/proc/sys/user/max_net_namespaces', 'utf8')).toBe(before)
    },
  )

  test('EV-055 what the kernel refuses is told with the key', needs, async () => {
    await using bench = await Bench.open('sysctl')
    await expect(bench.run('true', { sysctl: { 'net.ipv4.ip_forward': 'maybe' } })).rejects.toMatchObject({
      code: 'SystemError',
      errno: -22,
      hint: expect.stringContaining('no such value'),
      path: '/proc/sys/net/ipv4/ip_forward',
      step: expect.stringContaining('set net.ipv4.ip_forward to maybe'),
    })
    await expect(bench.run('true', { sysctl: { 'net.no.such': '1' } })).rejects.toMatchObject({
      errno: -2,
      path: '/proc/sys/net/no/such',
    })
  })
})

describe('the default file systems', () => {
  test('MT-13 OC-15 each with its type and flags, in a root of its own', needs, async () => {
    await using bench = await Bench.open('mounts')
    const infos = parseMountInfo(await bench.text('cat /proc/self/mountinfo'))
    const at = (path: string) => infos.filter(info => info.mountPoint === path).at(-1)
    const flags = (path: string): string[] =>
      [at(path)!.type, ...at(path)!.options.filter(word => word !== 'relatime')].sort()
    expect(flags('/proc')).toEqual(['nodev', 'noexec', 'nosuid', 'proc', 'rw'])
    expect(flags('/dev')).toEqual(['nosuid', 'rw', 'tmpfs'])
    expect(flags('/dev/pts')).toEqual(['devpts', 'noexec', 'nosuid', 'rw'])
    expect(flags('/dev/shm')).toEqual(['nodev', 'noexec', 'nosuid', 'rw', 'tmpfs'])
    expect(flags('/dev/mqueue')).toEqual(['mqueue', 'nodev', 'noexec', 'nosuid', 'rw'])
    expect(flags('/sys')).toEqual(['nodev', 'noexec', 'nosuid', 'ro', 'sysfs'])
    expect(flags('/sys/fs/cgroup')).toEqual(expect.arrayContaining(['nodev', 'noexec', 'nosuid', 'ro']))
    for (const path of ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']) {
      if (existsSync(path)) expect(at(path)?.options, path).toContain('ro')
    }
    expect(infos[0]!.mountPoint).toBe('/')
    // Nothing of the host's tree is left behind, nor shared with it.
    for (const info of infos) expect([info.mountPoint, info.shared]).toEqual([info.mountPoint, undefined])
  })

  test('MT-45 the host’s mounts are the same before, while and after it runs', needs, async () => {
    await using bench = await Bench.open('host')
    const before = hostMounts()
    const { container } = await bench.running({ readonlyRootfs: true })
    expect(hostMounts()).toBe(before)
    expect(await inside(container, 'echo ran')).toBe('ran')
    expect(hostMounts()).toBe(before)
    await container.destroy({ force: true })
    expect(hostMounts()).toBe(before)
  })

  test('DV-01 DV-13 /dev: six nodes, links, and nothing else', needs, async () => {
    await using bench = await Bench.open('dev')
    const script =
      'ls /dev; for n in null zero full random urandom tty; do stat -c "%n %A %t:%T %u:%g" /dev/$n; done; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink /dev/$l); done'
    const lines = list(await bench.text(script))
    const core = existsSync('/proc/kcore') ? ['core'] : []
    expect(lines.slice(0, -11)).toEqual([
      ...core,
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ])
    expect(lines.slice(-11)).toEqual([
      '/dev/null crw-rw-rw- 1:3 0:0',
      '/dev/zero crw-rw-rw- 1:5 0:0',
      '/dev/full crw-rw-rw- 1:7 0:0',
      '/dev/random crw-rw-rw- 1:8 0:0',
      '/dev/urandom crw-rw-rw- 1:9 0:0',
      '/dev/tty crw-rw-rw- 5:0 0:0',
      'fd /proc/self/fd',
      'stdin /proc/self/fd/0',
      'stdout /proc/self/fd/1',
      'stderr /proc/self/fd/2',
      'ptmx pts/ptmx',
    ])
    const use =
      'echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; echo x > /dev/full; exit 0'
    const ran = await bench.run(use, {})
    expect(ran.stdout).toBe('3\n5\n')
    expect(ran.stderr).toContain('No space left')
  })

  test(
    'DV-01 devices of one’s own, with mode and owner; rules decide what may be made and opened',
    requires('root', 'rootfs', 'CAP_MKNOD'),
    async () => {
      await using bench = await Bench.open('devices')
      const devices = [
        { path: '/dev/null', type: 'c', major: 1, minor: 3 },
        { path: '/dev/mine', type: 'c', major: 1, minor: 5, mode: 0o640, uid: 5, gid: 6 },
        { path: '/run/deep/fifo', type: 'p', mode: 0o600 },
        { path: '/dev/mem-like', type: 'c', major: 1, minor: 1 },
      ] as const
      using rootfs = ownRootfs()
      const config = { rootfs: rootfs.path, devices, capabilities: ['CAP_MKNOD', 'CAP_DAC_OVERRIDE'] }
      const script =
        'stat -c "%n %a %t:%T %u:%g" /dev/mine; ls -l /run/deep/fifo | cut -c1-10; head -c 1 /dev/mine | wc -c; head -c 1 /dev/mem-like; mknod /dev/hd b 3 0'
      const { stdout, stderr } = await bench.run(script, config)
      expect(list(stdout)).toEqual(['/dev/mine 640 1:5 5:6', 'prw-------', '1'])
      expect(stderr).toMatch(/mem-like: Operation not permitted/)
      const allowed = await bench.run('head -c 1 /dev/zero | wc -c; mknod /dev/hd b 3 0 && echo made', {
        ...config,
        devices: [devices[0], { path: '/dev/zero', type: 'c', major: 1, minor: 5 }],
        cgroups: { devices: [{ type: 'b', major: 3, minor: 0, access: 'm', allow: true }] },
      })
      expect(allowed).toMatchObject({ stdout: '1\nmade\n', stderr: '' })
    },
  )

  test('MT-42 without a /dev/null of its own: only where no stream is one', needs, async () => {
    await using bench = await Bench.open('null')
    const devices = [{ path: '/dev/zero', type: 'c', major: 1, minor: 5 }] as const
    using rootfs = ownRootfs()
    await expect(bench.run('true', { rootfs: rootfs.path, devices })).rejects.toMatchObject({
      path: '/dev/null',
      hint: expect.stringContaining('devices'),
    })
    const container = await bench.create({ rootfs: rootfs.path, devices })
    const process = await container.run({
      args: ['/bin/sh', '-c', 'ls /dev/null; wc -c < /proc/sysrq-trigger; exit 3'],
      stdio: 'pipe',
    })
    expect((await process.wait()).code).toBe(3)
  })

  test('MT-13 devpts is an instance of its own; shm and mqueue too', needs, async () => {
    await using bench = await Bench.open('pts')
    using _ = temporaryDirectory('pts-')
    expect(await bench.text('ls /dev/pts; stat -c %a /dev/pts/ptmx')).toBe('ptmx\n666')
    const script =
      'stat -c "%a" /dev/shm /dev/mqueue; ls -A /dev/shm /dev/mqueue | grep -v :; echo x > /dev/shm/mine; cat /dev/shm/mine; df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'
    const lines = list(await bench.text(script))
    expect(lines).toEqual(['1777', '1777', 'x', '65536'])
    expect(existsSync('/dev/shm/mine')).toBe(false)
  })

  test('MT-38 a read-only root: its own mount alone', needs, async () => {
    await using bench = await Bench.open('readonly')
    using rootfs = ownRootfs()
    const script = 'touch /x; mkdir /tmp/x; rm /etc/passwd; touch /dev/x && echo dev; touch /dev/shm/x && echo shm'
    const { stdout, stderr } = await bench.run(script, { rootfs: rootfs.path, readonlyRootfs: true })
    expect(stdout).toBe('dev\nshm\n')
    expect(stderr.match(/Read-only file system/g)).toHaveLength(3)
    expect(existsSync(join(rootfs.path, 'etc/passwd'))).toBe(true)
    expect(await bench.text('touch /x && echo made', { rootfs: rootfs.path })).toBe('made')
    expect(existsSync(join(rootfs.path, 'x'))).toBe(true)
  })

  test(
    'CVE-2015-3630 EV-086 OC-15 masked paths are empty, and can be neither written to nor uncovered',
    needs,
    async () => {
      await using bench = await Bench.open('masked')
      const present = defaultMaskedPaths.filter(path => existsSync(path))
      expect(present.length).toBeGreaterThan(2)
      const script = `for path in ${present.join(' ')}; do
      if [ -d $path ]; then echo "$path dir $(ls -A $path | wc -l)"; touch $path/x 2>/dev/null && echo wrote; else echo "$path file $(wc -c < $path)"; fi
      umount $path 2>/dev/null && echo uncovered
    done; true`
      const lines = list(await bench.text(script))
      expect(lines).toEqual(present.map(path => `${path} ${statSync(path).isDirectory() ? 'dir' : 'file'} 0`))
    },
  )

  test('CVE-2015-3630 EV-087 read-only paths refuse writes; what is missing is passed over', needs, async () => {
    await using bench = await Bench.open('paths')
    const { stderr } = await bench.run(
      'echo h > /proc/sysrq-trigger; echo 1 > /proc/sys/vm/drop_caches; echo 1 > /proc/irq/default_smp_affinity',
    )
    const written = ['/proc/sysrq-trigger', '/proc/sys/vm/drop_caches', '/proc/irq/default_smp_affinity'].filter(path =>
      existsSync(path),
    )
    expect(stderr.match(/Read-only file system|nonexistent directory|Permission denied/g)?.length).toBe(3)
    expect(written.length).toBeGreaterThan(0)
    using rootfs = ownRootfs()
    mkdirSync(join(rootfs.path, 'srv/secret'))
    writeFileSync(join(rootfs.path, 'srv/secret/key'), 'key')
    writeFileSync(join(rootfs.path, 'srv/file'), 'content')
    const config = {
      rootfs: rootfs.path,
      maskedPaths: ['/srv/secret', '/srv/file', '/no/such', '/srv/file'],
      readonlyPaths: ['/etc', '/no/such'],
    }
    const ran = await bench.run(
      'ls /srv/secret | wc -l; wc -c < /srv/file; touch /etc/x; touch /srv/y && echo y',
      config,
    )
    expect(ran.stdout).toBe('0\n0\ny\n')
    expect(ran.stderr).toContain('Read-only')
    expect(await bench.text('cat /srv/secret/key', { rootfs: rootfs.path, maskedPaths: [], readonlyPaths: [] })).toBe(
      'key',
    )
  })

  test(
    'CVE-2022-0492 CVE-2023-25809 its cgroups are shown read-only: it cannot lift its own limits',
    needs,
    async () => {
      await using bench = await Bench.open('limits')
      const script = `
      find /sys/fs/cgroup -name pids.max | head -1 | xargs cat
      for file in $(find /sys/fs/cgroup -name pids.max -o -name cgroup.procs -o -name release_agent -o -name devices.allow); do
        if echo 1 2>/dev/null > $file; then echo wrote $file; fi
      done
      for directory in $(find /sys/fs/cgroup -type d); do mkdir $directory/new 2>/dev/null && echo made $directory; done; true`
      for (const config of [{}, { namespaces: ['mnt', 'pid', 'cgroup', 'net', 'ipc', 'uts'] as const }]) {
        const ran = await bench.run(script, { ...config, cgroups: { pids: { max: 33 } } })
        expect(ran.stdout).toBe('33\n')
      }
      const user = await bench.run(script, { ...userns, cgroups: { pids: { max: 33 } } })
      expect(user.stdout).toBe('33\n')
    },
  )

  test('CG-01 limits hold: no more processes than pids.max', requires('root', 'rootfs', 'cgroup1:pids'), async () => {
    await using bench = await Bench.open('pids')
    const { stderr, code } = await bench.run('for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; exit 0', {
      cgroups: { pids: { max: 5 } },
    })
    expect([stderr, code]).toEqual([expect.stringContaining('Resource temporarily unavailable'), 2])
  })
})

describe('mounts of one’s own', () => {
  const withMounts = (...mounts: NonNullable<ContainerConfig['mounts']>[number][]) => ({
    mounts: [...defaultMounts, ...mounts],
  })

  test('MT-20 BY-01 a bind of a directory and of a file, made where there is none', needs, async () => {
    await using bench = await Bench.open('bind')
    using rootfs = ownRootfs()
    using shared = temporaryDirectory('bind-')
    writeFileSync(join(shared.path, 'file'), 'shared\n')
    const config = {
      rootfs: rootfs.path,
      ...withMounts(
        { destination: '/made/here', source: shared.path, options: ['bind'] },
        { destination: '/made/file', source: join(shared.path, 'file'), options: ['bind'] },
      ),
    }
    expect(
      await bench.text('cat /made/here/file /made/file; echo changed > /made/here/file; cat /made/file', config),
    ).toBe('shared\nshared\nchanged')
    expect(readFileSync(join(shared.path, 'file'), 'utf8')).toBe('changed\n')
    expect(readdirSync(join(rootfs.path, 'made/here'))).toEqual([])
    expect(statSync(join(rootfs.path, 'made/file')).size).toBe(0)
  })

  test('MT-21 ro, noexec and the rest take force by the second remount; the source keeps its own', needs, async () => {
    await using bench = await Bench.open('ro')
    using shared = temporaryDirectory('ro-')
    writeFileSync(join(shared.path, 'script'), '#!/bin/sh\necho ran\n', { mode: 0o755 })
    const before = hostMounts()
    const bind = (...options: string[]) =>
      withMounts({ destination: '/mnt', source: shared.path, options: ['bind', ...options] })
    const flags = async (...options: string[]): Promise<string[]> => {
      const infos = parseMountInfo(await bench.text('cat /proc/self/mountinfo', bind(...options)))
      return infos
        .find(info => info.mountPoint === '/mnt')!
        .options.filter(word => /^(ro|rw|no(exec|dev|suid|atime))$/.test(word))
        .sort()
    }
    expect(await flags('ro', 'noexec', 'nosuid', 'nodev')).toEqual(
      expect.arrayContaining(['nodev', 'noexec', 'nosuid', 'ro']),
    )
    expect(await flags('ro', 'noatime')).toEqual(expect.arrayContaining(['noatime', 'ro']))
    const readonly = await bench.run('touch /mnt/x; /mnt/script', bind('ro'))
    expect(readonly.stderr).toContain('Read-only file system')
    expect(readonly.stdout).toBe('ran\n')
    expect((await bench.run('/mnt/script', bind('noexec'))).stderr).toContain('Permission denied')
    writeFileSync(join(shared.path, 'still'), 'writable')
    expect(hostMounts()).toBe(before)
  })

  test(
    'MT-21 rro reaches the mounts below, ro the mount alone',
    requires('root', 'rootfs', 'kernel:5.12'),
    async () => {
      await using bench = await Bench.open('rro')
      using shared = temporaryDirectory('rro-')
      mkdirSync(join(shared.path, 'below'))
      execFileSync('mount', ['-t', 'tmpfs', 'below', join(shared.path, 'below')])
      try {
        const run = async (option: string) =>
          (
            await bench.run(
              'touch /mnt/x 2>/dev/null && echo top; touch /mnt/below/x 2>/dev/null && echo below; true',
              withMounts({ destination: '/mnt', source: shared.path, options: ['rbind', option] }),
            )
          ).stdout
        expect(await run('ro')).toBe('below\n')
        expect(await run('rro')).toBe('')
        expect(await run('rw')).toBe('top\nbelow\n')
      } finally {
        execFileSync('umount', [join(shared.path, 'below')])
      }
    },
  )

  test('MT-25 tmpfs with size and mode', needs, async () => {
    await using bench = await Bench.open('tmpfs')
    const config = withMounts({
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['size=1m', 'mode=1770', 'nosuid'],
    })
    const script =
      'stat -c %a /tmp; df -k /tmp | tail -1 | tr -s " " | cut -d" " -f2; dd if=/dev/zero of=/tmp/big bs=1M count=2'
    const { stdout, stderr } = await bench.run(script, config)
    expect(stdout).toBe('1770\n1024\n')
    expect(stderr).toContain('No space left')
  })

  test(
    'MT-06 propagation: private by default; rslave lets later mounts of the host in, and nothing out',
    needs,
    async () => {
      await using bench = await Bench.open('propagation')
      using shared = temporaryDirectory('propagation-')
      mkdirSync(join(shared.path, 'later'))
      mkdirSync(join(shared.path, 'inner'))
      execFileSync('mount', ['--bind', shared.path, shared.path])
      try {
        execFileSync('mount', ['--make-shared', shared.path])
        const admin = { capabilities: ['CAP_SYS_ADMIN'], seccomp: null }
        const start = async (...options: string[]): Promise<Container> => {
          const { container } = await bench.running({
            ...admin,
            ...withMounts({ destination: '/mnt', source: shared.path, options: ['rbind', ...options] }),
          })
          return container
        }
        const [alone, slave] = [await start('rprivate'), await start('rslave')]
        execFileSync('mount', ['-t', 'tmpfs', 'later', join(shared.path, 'later')])
        writeFileSync(join(shared.path, 'later/file'), 'seen')
        expect(await inside(slave, 'cat /mnt/later/file')).toBe('seen')
        expect(await inside(alone, 'ls /mnt/later')).toBe('')
        for (const container of [alone, slave]) {
          const before = hostMounts()
          expect(
            await inside(container, 'mount -t tmpfs inner /mnt/inner && touch /mnt/inner/file && ls /mnt/inner'),
          ).toBe('file')
          expect(hostMounts()).toBe(before)
          expect(readdirSync(join(shared.path, 'inner'))).toEqual([])
        }
        for (const container of [alone, slave]) await container.destroy({ force: true })
        execFileSync('umount', [join(shared.path, 'later')])
      } finally {
        execFileSync('umount', ['-R', shared.path])
      }
    },
  )

  test('EV-075 EV-076 EV-079 EV-090 what cannot be mounted, with both names', needs, async () => {
    await using bench = await Bench.open('bad')
    using shared = temporaryDirectory('bad-')
    const refused = async (mount: NonNullable<ContainerConfig['mounts']>[number], config = {}): Promise<Error> =>
      await bench.run('true', { ...withMounts(mount), ...config }).then(
        () => new Error('it ran'),
        error => error,
      )
    expect(await refused({ destination: '/mnt', source: join(shared.path, 'no'), options: ['bind'] })).toMatchObject({
      errno: -2,
      step: expect.stringContaining(`bind ${shared.path}/no on /mnt`),
      hint: expect.stringContaining('source'),
    })
    expect(await refused({ destination: '/etc/passwd', source: shared.path, options: ['bind'] })).toMatchObject({
      errno: -20,
      path: '/etc/passwd',
    })
    expect(await refused({ destination: '/tmp', type: 'tmpfs', options: ['no-such-option'] })).toMatchObject({
      errno: -22,
      message: expect.stringContaining('no-such-option'),
    })
    expect(await refused({ destination: '/mnt', type: 'no-such-fs' })).toMatchObject({
      errno: -19,
      hint: expect.stringContaining('no-such-fs'),
    })
    expect(await refused({ destination: '/sys/kernel/made', type: 'tmpfs' })).toMatchObject({
      code: 'SystemError',
      path: '/sys/kernel/made',
    })
  })
})

describe('a user namespace', () => {
  const needsUser = requires('root', 'rootfs', 'namespace:user')
  const shifted = (path: string): void => {
    for (const name of readdirSync(path, { recursive: true, withFileTypes: true }))
      lchownSync(join(name.parentPath, name.name), 100000, 100000)
    lchownSync(path, 100000, 100000)
  }

  test('NS-20 ids inside and outside, files made by root of it, and its maps', needsUser, async () => {
    await using bench = await Bench.open('maps')
    using rootfs = ownRootfs()
    shifted(rootfs.path)
    const config = { ...userns, rootfs: rootfs.path }
    const { container, init } = await bench.running(config)
    expect(readFileSync(`/proc/${init.pid}/status`, 'utf8')).toMatch(/^Uid:\t100000\t100000\t100000\t100000$/m)
    expect(readFileSync(`/proc/${init.pid}/uid_map`, 'utf8').trim()).toMatch(/^0 +100000 +65536$/)
    expect(readFileSync(`/proc/${init.pid}/gid_map`, 'utf8').trim()).toMatch(/^0 +100000 +65536$/)
    expect(await inside(container, 'id -u; cat /proc/self/setgroups; touch /made; stat -c %u /made')).toBe(
      '0\nallow\n0',
    )
    expect(lstatSync(join(rootfs.path, 'made'))).toMatchObject({ uid: 100000, gid: 100000 })
    expect(await inside(container, 'id -u; touch /tmp/mine; stat -c %u:%g /tmp/mine', { user: 'user' })).toBe(
      '1000\n1000:1000',
    )
    expect(lstatSync(join(rootfs.path, 'tmp/mine'))).toMatchObject({ uid: 101000, gid: 101000 })
  })

  test('NS-20 S1 it is root there alone: capabilities inside, none over the host', needsUser, async () => {
    await using bench = await Bench.open('caps')
    using outside = temporaryDirectory('outside-')
    writeFileSync(join(outside.path, 'secret'), 'secret', { mode: 0o600 })
    const config = {
      ...userns,
      capabilities: ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE', 'CAP_CHOWN', 'CAP_NET_ADMIN'],
      seccomp: null,
      mounts: [...defaultMounts, { destination: '/mnt', source: outside.path, options: ['bind'] }],
    }
    const { stdout, stderr } = await bench.run(
      'ip link set lo down && echo net; mount -t tmpfs x /tmp && echo mounted; cat /mnt/secret; echo x > /mnt/new; grep CapEff /proc/self/status',
      config,
    )
    expect(stdout).toBe('net\nmounted\nCapEff:\t0000000000201003\n')
    expect(stderr).toMatch(/secret.*denied/)
    expect(readdirSync(outside.path)).toEqual(['secret'])
  })

  test('DV-10 devices are the host’s, bound, and can be used', needsUser, async () => {
    await using bench = await Bench.open('binds')
    const script =
      'for n in null zero full random urandom tty; do stat -c "%n %t:%T" /dev/$n; done; echo x > /dev/null; head -c 3 /dev/zero | wc -c; ls -l /dev/ptmx | cut -c1; stat -c %u /dev/pts/ptmx /dev/shm'
    expect(list(await bench.text(script, userns))).toEqual([
      '/dev/null 1:3',
      '/dev/zero 1:5',
      '/dev/full 1:7',
      '/dev/random 1:8',
      '/dev/urandom 1:9',
      '/dev/tty 5:0',
      '3',
      'l',
      '0',
      '0',
    ])
  })

  test('MT-16 without a network namespace /sys is the host’s, read-only with all below it', needsUser, async () => {
    await using bench = await Bench.open('sys')
    const { net: _, ...rest } = { net: 0, ...userns }
    const config = { ...rest, namespaces: ['mnt', 'pid', 'ipc', 'uts', 'user'] as const }
    const infos = parseMountInfo(await bench.text('cat /proc/self/mountinfo', config))
    const below = infos.filter(({ mountPoint }) => mountPoint === '/sys' || mountPoint.startsWith('/sys/'))
    expect(below.length).toBeGreaterThan(0)
    for (const { mountPoint, options } of below)
      expect([mountPoint, options.includes('ro')]).toEqual([mountPoint, true])
  })

  test('CO-10 a further process is root of it as well, or any user', needsUser, async () => {
    await using bench = await Bench.open('exec')
    const { container } = await bench.running(userns)
    const script =
      'id -u; cat /proc/self/uid_map | tr -s " "; grep -E "CapPrm|CapBnd|Seccomp:" /proc/self/status; readlink /proc/self/ns/user; readlink /proc/1/ns/user'
    const lines = list(await inside(container, script))
    expect(lines[0]).toBe('0')
    expect(lines[1]!.trim()).toBe('0 100000 65536')
    expect(lines.at(-1)).toBe(lines.at(-2))
    expect(lines).toContain('Seccomp:\t2')
    expect(await inside(container, 'id -u', { user: 'user' })).toBe('1000')
  })

  test('S20 created and started, also where this user is not mapped', needsUser, async () => {
    await using bench = await Bench.open('created')
    const container = await bench.create(userns)
    const init = await container.start({ args: ['/bin/sh', '-c', 'exit 6'] })
    expect(await container.status()).toBe('created')
    await container.exec()
    expect((await init.wait()).code).toBe(6)
  })

  test('CN-04 a terminal', needsUser, async () => {
    await using bench = await Bench.open('tty')
    const container = await bench.create(userns)
    const process = await container.run({
      args: ['/bin/sh', '-c', '[ "$(tty)" = /dev/pts/0 ] && [ -w /dev/console ] && exit 4'],
      terminal: true,
    })
    expect((await process.wait()).code).toBe(4)
    process.terminal!.close()
  })
})

describe('hostile images: nothing outside is touched, or the start is refused', () => {
  /** Everything about a tree that could be changed. */
  const snapshot = (path: string): string[] =>
    readdirSync(path, { recursive: true, encoding: 'utf8' })
      .concat('.')
      .sort()
      .map(name => {
        const { mode, uid, gid, size, mtimeMs, ino, rdev } = lstatSync(join(path, name))
        return [name, mode, uid, gid, size, mtimeMs, ino, rdev].join()
      })

  /** A tree of the host's that an image would like to reach. */
  function target(): { path: string; changed(): boolean; [Symbol.dispose](): void } {
    const directory = temporaryDirectory('target-')
    chmodSync(directory.path, 0o777)
    mkdirSync(join(directory.path, 'sub'))
    for (const name of ['file', 'ptmx', 'null', 'passwd', 'console', 'sub/file'])
      writeFileSync(join(directory.path, name), 'host', { mode: 0o666 })
    const before = snapshot(directory.path)
    return {
      path: directory.path,
      changed: () => JSON.stringify(snapshot(directory.path)) !== JSON.stringify(before),
      [Symbol.dispose]: () => directory[Symbol.dispose](),
    }
  }

  /** How a link says it: absolute, or by climbing. */
  const ways = (path: string): string[] => [path, `${'../'.repeat(24)}${path.slice(1)}`]

  /** Puts a link in the place of whatever is there. */
  function relink(to: string, path: string): void {
    rmSync(path, { recursive: true, force: true })
    symlinkSync(to, path)
  }

  /** Starts it, whatever that gives; the error if it was refused. */
  async function attempt(bench: Bench, config: Partial<ContainerConfig>, script = 'true'): Promise<Error | undefined> {
    const mounts = hostMounts()
    const outcome = await bench.run(script, config).then(
      () => undefined,
      error => error as Error,
    )
    expect(hostMounts()).toBe(mounts)
    if (outcome !== undefined)
      expect((outcome as { code?: string }).code, outcome.message).toMatch(/^(SystemError|ConfigInvalid)$/)
    return outcome
  }

  const withoutDev = defaultMounts.filter(({ destination }) => !destination.startsWith('/dev'))
  const devpts = defaultMounts.find(({ destination }) => destination === '/dev/pts')!

  test.each(['proc', 'sys'])('MT-16 CVE-2023-27561 CVE-2025-54867 /%s is a link: refused', needs, async name => {
    await using bench = await Bench.open('link')
    using rootfs = ownRootfs()
    using host = target()
    // To the host, into the image, to nothing.
    for (const link of [...ways(host.path), '/srv', '/no/such']) {
      relink(link, join(rootfs.path, name))
      for (const config of [{}, userns]) {
        const error = await attempt(bench, { ...config, rootfs: rootfs.path })
        expect(error, link).toMatchObject({ code: 'SystemError', path: `/${name}` })
        expect(host.changed()).toBe(false)
      }
    }
  })

  test('DV-11 MT-39 CVE-2026-41579 CVE-2026-47766 /dev is a link, with a tmpfs on it and without', needs, async () => {
    await using bench = await Bench.open('dev')
    using rootfs = ownRootfs()
    for (const mounts of [defaultMounts, withoutDev, [...withoutDev, devpts]])
      for (const how of [0, 1]) {
        using host = target()
        relink(ways(host.path)[how]!, join(rootfs.path, 'dev'))
        for (const config of [{}, userns, { readonlyRootfs: true }]) {
          const error = await attempt(bench, { ...config, mounts, rootfs: rootfs.path }, 'echo x > /dev/null')
          expect(host.changed()).toBe(false)
          if (mounts === withoutDev) expect(error).toMatchObject({ code: 'SystemError' })
        }
      }
  })

  test(
    'DV-11 MT-42 CVE-2025-31133 CVE-2026-88265 names in /dev are links, and nothing is mounted there',
    needs,
    async () => {
      await using bench = await Bench.open('names')
      using rootfs = ownRootfs()
      const volume = (path: string) => ({ destination: '/host', source: path, options: ['bind'] })
      for (const name of ['null', 'ptmx', 'console', 'tty', 'fd', 'stdin', 'pts', 'shm', 'zero']) {
        for (const how of [0, 1, 2]) {
          using host = target()
          const file = name === 'pts' || name === 'shm' ? 'sub' : 'null'
          // Also into a volume, which is within reach.
          const link = how === 2 ? `/host/${file}` : ways(join(host.path, file))[how]!
          relink(link, join(rootfs.path, 'dev', name))
          const mounts = [volume(host.path), ...withoutDev, devpts]
          const before = snapshot(join(host.path, 'sub'))
          const error = await attempt(bench, { mounts, rootfs: rootfs.path })
          if (name === 'null' || name === 'zero' || name === 'tty')
            expect(error, name).toMatchObject({ code: 'SystemError' })
          // Where a link of the image leads into a volume it was given, devpts may be mounted in it, which hides and changes nothing.
          expect(snapshot(join(host.path, 'sub'))).toEqual(before)
          expect(host.changed(), `${name} ${link}`).toBe(false)
        }
        rmSync(join(rootfs.path, 'dev', name))
      }
    },
  )

  test('CN-05 CVE-2026-88264 CVE-2025-52565 /dev/console is a link, and a terminal is asked for', needs, async () => {
    await using bench = await Bench.open('console')
    using rootfs = ownRootfs()
    for (const how of [0, 1])
      for (const file of ['console', 'missing'])
        for (const readonlyRootfs of [false, true]) {
          using host = target()
          relink(ways(join(host.path, file))[how]!, join(rootfs.path, 'dev/console'))
          const container = await bench.create({ rootfs: rootfs.path, readonlyRootfs, mounts: [...withoutDev, devpts] })
          await expect(container.run({ args: ['/bin/true'], terminal: true })).rejects.toMatchObject({
            code: 'SystemError',
            path: '/dev/console',
          })
          expect(host.changed()).toBe(false)
          await container.destroy()
        }
  })

  test(
    'MT-14 CVE-2018-15664 CVE-2019-18837 CVE-2021-30465 CVE-2024-45310 destinations are links: made inside, or refused',
    needs,
    async () => {
      await using bench = await Bench.open('destination')
      using rootfs = ownRootfs()
      using volume = temporaryDirectory('volume-')
      writeFileSync(join(volume.path, 'file'), 'volume')
      for (const how of [0, 1])
        for (const [name, destination, source] of [
          ['mnt', '/mnt', volume.path],
          ['mnt', '/mnt/deep/new', volume.path],
          ['mnt', '/mnt/file', join(volume.path, 'file')],
        ] as const) {
          using host = target()
          relink(ways(host.path)[how]!, join(rootfs.path, name))
          const mounts = [...defaultMounts, { destination, source, options: ['bind'] }]
          await attempt(bench, { rootfs: rootfs.path, mounts }, 'echo x > /mnt/file; touch /mnt/deep/new/x')
          expect(host.changed(), destination).toBe(false)
          await attempt(bench, { rootfs: rootfs.path, mounts: [...defaultMounts, { destination, type: 'tmpfs' }] })
          expect(host.changed(), destination).toBe(false)
        }
      expect(readFileSync(join(volume.path, 'file'), 'utf8')).toMatch(/^(volume|x\n)$/)
    },
  )

  test('MT-14 the working directory, device paths and hidden paths are links', needs, async () => {
    await using bench = await Bench.open('paths')
    using rootfs = ownRootfs()
    for (const how of [0, 1]) {
      using host = target()
      relink(ways(host.path)[how]!, join(rootfs.path, 'way'))
      const container = await bench.create({ rootfs: rootfs.path })
      await container.run({ args: ['/bin/true'], cwd: '/way/made/by/us' }).then(
        process => process.wait(),
        () => {},
      )
      await container.destroy()
      expect(host.changed()).toBe(false)
      await attempt(bench, {
        rootfs: rootfs.path,
        devices: [
          { path: '/way/node', type: 'c', major: 1, minor: 3 },
          { path: '/dev/null', type: 'c', major: 1, minor: 3 },
        ],
      })
      expect(host.changed()).toBe(false)
      await attempt(bench, { rootfs: rootfs.path, maskedPaths: ['/way/file', '/way/sub'], readonlyPaths: ['/way'] })
      expect(host.changed()).toBe(false)
      writeFileSync(join(host.path, 'file'), 'host still writes')
    }
  })

  test('US-05 /etc and /etc/passwd are links', needs, async () => {
    await using bench = await Bench.open('etc')
    using rootfs = ownRootfs()
    for (const how of [0, 1]) {
      using host = target()
      writeFileSync(join(host.path, 'passwd'), 'evil:x:0:0::/evil:/bin/sh\n')
      relink(ways(host.path)[how]!, join(rootfs.path, 'etc'))
      const container = await bench.create({ rootfs: rootfs.path })
      await expect(container.run({ args: ['/bin/true'], user: 'evil' })).rejects.toThrow(/no user 'evil'/)
      await container.destroy()
      expect(await bench.text('echo $HOME', { rootfs: rootfs.path })).toBe('/')
    }
  })

  test('MT-38 the rootfs becomes a link between create and start', needs, async () => {
    await using bench = await Bench.open('swap')
    using host = target()
    using directory = temporaryDirectory('swap-')
    using rootfs = ownRootfs()
    const path = join(directory.path, 'rootfs')
    renameSync(rootfs.path, path)
    try {
      const container = await bench.create({ rootfs: path })
      renameSync(path, rootfs.path)
      symlinkSync(host.path, path)
      await expect(container.run({ args: ['/bin/true'] })).rejects.toMatchObject({ code: 'SystemError', path })
      expect(host.changed()).toBe(false)
    } finally {
      if (!existsSync(rootfs.path)) renameSync(path, rootfs.path)
    }
  })

  test(
    'CVE-2019-5736 IN-16 a container cannot write to init: neither as its program nor by its descriptors',
    needs,
    async () => {
      await using bench = await Bench.open('init')
      using rootfs = ownRootfs()
      const container = await bench.create({ rootfs: rootfs.path, capabilities: null, seccomp: null })
      const init = await container.start(sleeper)
      // As the host sees it: a sealed memfd, which nobody may write to.
      expect(readlinkSync(`/proc/${init.pid}/exe`)).toMatch(/^\/memfd:init \(deleted\)$/)
      const seen = await container.exec({
        args: ['/bin/sh', '-c', 'ls -l /proc/1/fd /proc/1/exe /proc/1/cwd 2>&1; echo x > /proc/1/exe'],
        stdio: ['null', 'pipe', 'pipe'],
      })
      let errors = ''
      seen.stderr!.on('data', chunk => {
        errors += chunk
      })
      for await (const _ of seen.stdout!);
      expect((await seen.wait()).code).not.toBe(0)
      expect(errors).toMatch(/denied|busy|not permitted/i)
      await container.exec()
      expect(await bench.text('echo next')).toBe('next')
      // A program that is itself /proc/self/exe runs nothing of the host.
      writeFileSync(join(rootfs.path, 'entry'), '#!/proc/self/exe\n', { mode: 0o755 })
      await bench
        .run({ args: ['/entry'] }, { rootfs: rootfs.path })
        .catch(error => expect(error).toMatchObject({ code: 'SystemError' }))
      expect(await bench.text('echo next')).toBe('next')
    },
  )
})
