import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultProfile, loadProfile, removeProfile } from '@libcontainer/apparmor'
import { ensureBridge } from '@libcontainer/network'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, copyOfBusyboxRootfs, requires, securityModules, together } from '../../../test/support/index.js'
import { Bench, either } from './hosts.js'

/** As far as the tests of networks look at one. */
interface Sample {
  readonly networks: readonly { readonly type: string; readonly address?: string }[]
}

const sample = (name: string): object =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../../sample_configs/${name}.json`, import.meta.url)), 'utf8'))

describe.each(either)('on $name', host => {
  /** Runs a shell's script in the container of a sample, in a root filesystem that everybody may look into. */
  function run(name: string, script: string): string[] {
    using rootfs = copyOfBusyboxRootfs()
    chmodSync(rootfs.path, 0o755)
    using bench = new Bench(host, sample(name))
    const { status, stdout, stderr } = bench.run(['exec', '--tty=false', '--rootfs', rootfs.path, 'sh', '-c', script])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(bench.left()).toEqual([])
    return stdout.trim().split('\n')
  }

  /** One of libcontainer's own, with a cgroup of the test's. */
  function old(bench: Bench, name: string, rootfs = busyboxRootfs()): string[] {
    const config = sample(name) as { cgroups: object }
    const cgroup = bench.path.slice(bench.path.lastIndexOf('/') + 1)
    bench.write({ ...config, cgroups: { ...config.cgroups, name: cgroup, parent: 'nsinit' } })
    return ['exec', '--tty=false', '--rootfs', rootfs]
  }

  test('SA-01 minimal.json', host.needs, () => {
    const script = 'hostname; whoami; ls -1 /dev | tr "\\n" " "; echo; ulimit -n; grep CapBnd /proc/self/status'
    const [hostname, user, devices, files, bounding] = run('minimal', script)
    expect({ hostname, user, files }).toEqual({ hostname: 'koye', user: 'daemon', files: '1024' })
    for (const name of ['null', 'zero', 'full', 'tty', 'random', 'urandom']) expect(devices?.split(' ')).toContain(name)
    const names = sample('minimal') as { capabilities: string[] }
    expect(
      BigInt(`0x${bounding?.split('\t')[1]}`)
        .toString(2)
        .replaceAll('0', ''),
    ).toHaveLength(names.capabilities.length)
  })

  test.each(['2014', '2015'])('SA-01 minimal.json of %s', host.needs, year => {
    using rootfs = copyOfBusyboxRootfs()
    chmodSync(rootfs.path, 0o755)
    using bench = new Bench(host, null)
    // A cgroup of the test's own, without a parent that would stay.
    const config = sample(`${year}/minimal`) as { cgroups: object }
    bench.write({ ...config, cgroups: { ...config.cgroups, name: basename(bench.path), parent: '' } })
    const { status, stdout, stderr } = bench.run(['exec', '--tty=false', '--rootfs', rootfs.path, 'hostname'])
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: year === '2014' ? 'koye\n' : 'nsinit\n',
      stderr: '',
    })
    expect(bench.left()).toEqual([])
  })

  test('SA-07 host-pid.json sees the processes of the host', host.needs, () => {
    const [hostname, own] = run('host-pid', 'hostname; readlink /proc/self')
    expect(hostname).toBe('host-pid')
    expect(Number(own)).toBeGreaterThan(1)
  })

  test('SA-06 userns.json: root inside is user 1000 outside, all others are themselves', host.needs, () => {
    const [id, ...map] = run('userns', 'id -u; cat /proc/self/uid_map')
    expect(id).toBe('0')
    expect(map.map(line => line.trim().split(/\s+/).map(Number))).toEqual([
      [0, 1000, 1],
      [1, 1, 999],
      [1001, 1001, 2147482647],
    ])
  })

  test(
    'SA-03 EV-114 apparmor.json of both years without its profile: refused by name, with what can be done',
    host.needs,
    () => {
      const off = !securityModules().includes('apparmor')
      for (const year of [2014, 2015]) {
        using bench = new Bench(host, null)
        const { status, stdout, stderr } = bench.run([...old(bench, `${year}/apparmor`), 'true'])
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
        expect(stderr).toMatch(off ? /apparmorProfile: cannot confine anything here: .*AppArmor/ : /docker-default/)
        expect(stderr).toMatch(
          off ? /hint: leave it out/ : /hint: no profile docker-default is loaded: apparmor_parser/,
        )
        expect(bench.left()).toEqual([])
      }
    },
  )

  test(
    'SA-03 apparmor.json of both years runs under its profile',
    together(host.needs, requires('lsm:apparmor', 'program:apparmor_parser')),
    async () => {
      await loadProfile(defaultProfile('docker-default'))
      try {
        for (const year of [2014, 2015]) {
          using bench = new Bench(host, null)
          const script = 'cat /proc/self/attr/current; mount -t tmpfs none /tmp 2>&1'
          const { status, stdout } = bench.run([...old(bench, `${year}/apparmor`), 'sh', '-c', script])
          expect({ status, stdout }).toEqual({
            status: 1,
            stdout: expect.stringMatching(/^docker-default \(enforce\)\n.*permission denied/),
          })
          expect(bench.left()).toEqual([])
        }
      } finally {
        await removeProfile('docker-default')
      }
    },
  )

  test(
    'SA-04 EV-115 selinux.json of both years where SELinux is off: refused by name, with what can be done',
    together(host.needs, requires('nolsm:selinux')),
    () => {
      for (const year of [2014, 2015]) {
        using bench = new Bench(host, null)
        const { status, stdout, stderr } = bench.run([...old(bench, `${year}/selinux`), 'true'])
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
        expect(stderr).toMatch(/selinuxLabel: cannot be given to anything here: .*SELinux/)
        expect(stderr).toMatch(/hint: leave it out/)
        expect(bench.left()).toEqual([])
      }
    },
  )

  test(
    'SA-04 selinux.json of both years runs under its label',
    together(host.needs, requires('lsm:selinux', 'program:chcon')),
    () => {
      const label = 'system_u:system_r:container_t:s0:c164,c475'
      for (const year of [2014, 2015]) {
        using rootfs = copyOfBusyboxRootfs()
        chmodSync(rootfs.path, 0o755)
        execFileSync('chcon', ['-R', 'system_u:object_r:container_file_t:s0:c164,c475', rootfs.path])
        using bench = new Bench(host, null)
        const script = 'cat /proc/self/attr/current; ls /dev/shm; cat /proc/1/attr/current'
        const { status, stdout, stderr } = bench.run([
          ...old(bench, `${year}/selinux`, rootfs.path),
          ...['sh', '-c', script],
        ])
        expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${label}\0${label}\0`, stderr: '' })
        expect(bench.left()).toEqual([])
      }
    },
  )

  /** The samples as they stand, on their bridge; where the machine has one of that name already, on one of the test's own. */
  async function onBridge(act: (change: (config: Sample) => Sample) => void | Promise<void>): Promise<void> {
    const bridge = existsSync('/sys/class/net/docker0') ? `t${process.pid}b` : 'docker0'
    await ensureBridge({ name: bridge, addresses: ['172.17.42.1/16'] })
    try {
      await act(config => ({
        ...config,
        networks: config.networks.map(network => (network.type === 'veth' ? { ...network, bridge } : network)),
      }))
    } finally {
      execFileSync('ip', ['link', 'delete', bridge])
    }
  }

  test.each(['2014', '2015'])(
    'SA-02 attach_to_bridge.json of %s has its address, its way out and its MTU',
    host.needs,
    async year => {
      await onBridge(change => {
        using bench = new Bench(host, null)
        const flags = old(bench, `${year}/attach_to_bridge`)
        const config = change(JSON.parse(readFileSync(bench.file('container.json'), 'utf8')))
        // That of 2014 is daemon, who may not ping.
        bench.write({ ...config, ...(year === '2014' && { user: 'root' }) })
        const script =
          'ip -o addr show dev eth0; ip route; cat /sys/class/net/eth0/mtu; ping -c 1 -w 10 172.17.42.1 >/dev/null && echo reached'
        const { status, stdout, stderr } = bench.run([...flags, 'sh', '-c', script])
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
        expect(stdout).toMatch(/inet 172\.17\.0\.101\/16 .*\ndefault via 172\.17\.42\.1 dev eth0.*\n1500\nreached\n$/s)
        expect(bench.left()).toEqual([])
      })
    },
  )

  test.each(['2014', '2015'])(
    'SA-05 route_source_address_selection.json of %s says from where its packets come',
    host.needs,
    async year => {
      await onBridge(change => {
        using bench = new Bench(host, null)
        const flags = old(bench, `${year}/route_source_address_selection`)
        bench.write(change(JSON.parse(readFileSync(bench.file('container.json'), 'utf8'))))
        const { status, stdout } = bench.run([...flags, 'ip', 'route'])
        expect(status).toBe(0)
        expect(stdout).toMatch(/^default via 172\.17\.42\.1 dev eth0.* src 172\.17\.0\.101/m)
      })
    },
  )

  test(
    'SA-02 two containers of attach_to_bridge.json reach each other, by IPv6 too where they are given it',
    host.needs,
    async () => {
      await onBridge(async change => {
        using one = new Bench(host, null)
        const flags = old(one, '2015/attach_to_bridge')
        const config = change(JSON.parse(readFileSync(one.file('container.json'), 'utf8')))
        const withMore = (networks: Sample['networks'], more: object): object[] =>
          networks.map(network => (network.type === 'veth' ? { ...network, ...more } : network))
        one.write({ ...config, networks: withMore(config.networks, { ipv6_address: 'fd17::101/64' }) })
        const first = one.start([...flags, 'sleep', '1000'])
        await one.running()
        using other = new Bench(host, null)
        const more = old(other, '2015/attach_to_bridge')
        const own = { address: '172.17.0.102/16', host_interface_name: 'vethnsinit2', ipv6_address: 'fd17::102/64' }
        const theirs = JSON.parse(readFileSync(other.file('container.json'), 'utf8')) as Sample
        other.write({ ...theirs, networks: withMore(config.networks, own) })
        const script = 'for at in 172.17.0.101 fd17::101; do ping -c 1 -w 10 $at >/dev/null && echo $at; done'
        const { status, stdout } = other.run([...more, 'sh', '-c', script])
        expect({ status, stdout }).toEqual({ status: 0, stdout: '172.17.0.101\nfd17::101\n' })
        // ST-13: what 2014 told of it.
        const state = JSON.parse(readFileSync(one.file('state.json'), 'utf8')) as { network_state: object }
        expect(state.network_state).toMatchObject({ veth_host: 'vethnsinit', veth_child: 'eth0' })
        // nsinit ends its container with itself: KILL is its death signal.
        await first.killed()
      })
    },
  )
})
