import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, copyOfBusyboxRootfs } from '../../../test/support/index.js'
import { Bench, either, hosts, until } from './hosts.js'

const rootfs = ['--rootfs', busyboxRootfs()]

/** The 2015 way: containers by `--id`, configs by `--config` or by flags. */
describe.each(hosts)('on $name', host => {
  test('CL-10 --log-file is made anew, CL-01 log is written on to, with what --debug tells', host.needs, () => {
    using bench = new Bench(host)
    const [file, old] = ['new.log', 'old.log'].map(name => join(bench.path, name)) as [string, string]
    writeFileSync(file, 'of yesterday\n')
    expect(bench.run(['--debug', '--log-file', file, 'exec', '--systemd', 'true'])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect(readFileSync(file, 'utf8')).toMatch(
      /^time="\S+" level=warning msg="--systemd: .*"\ntime="\S+" level=debug msg="makes container 'nsinit-.*"\n$/,
    )
    const env = { log: old, console: '/absent', pipe: '3' }
    expect(bench.run(['exec', '--systemd', 'true'], { env }).status).toBe(0)
    expect(statSync(old).mode & 0o777).toBe(0o755)
    expect(bench.run(['exec', '--bind', 'x', 'true'], { env })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^nsinit: --bind: /),
    })
    expect(readFileSync(old, 'utf8')).toMatch(/^time=.* level=warning .*\ntime=.* level=error msg="--bind: .*\n$/)
    expect(bench.run(['exec', '--systemd', 'true']).stderr).toMatch(/^nsinit: warning: --systemd: /)
    expect(bench.run(['--log-file', '/absent/x', 'state'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ENOENT/),
    })
  })

  test('CL-12 CL-13 CL-14 the flags, as the program sees them', host.needs, () => {
    using bench = new Bench(host, null)
    const shared = join(bench.path, 'shared')
    mkdirSync(shared)
    writeFileSync(join(shared, 'file'), 'from the host\n')
    const flags = [
      ...[
        '--read-only',
        '--memory-limit',
        '67108864',
        '--cpushares',
        '512',
        '--bind',
        `${shared}:/mnt:ro`,
        '--tmpfs',
        '/tmp',
      ],
      ...['--sysctl', 'net.ipv4.ip_forward=1', '--groups', 'audio', '--net', 'private', '--ipc', 'host', '--cgroup'],
    ]
    const script = [
      'cat /mnt/file; touch /mnt/x 2>/dev/null || echo bound read-only; touch /x 2>/dev/null || echo read-only',
      'touch /tmp/x && echo writable; cat /proc/sys/net/ipv4/ip_forward; id -G; readlink /proc/self/ns/ipc; ls /sys/fs/cgroup | grep -c .',
      'grep -q "cgroup.* ro," /proc/mounts && echo cgroups',
    ].join('; ')
    const { status, stdout, stderr } = bench.run(['exec', ...rootfs, ...flags, 'sh', '-c', script])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [groups, ipc, count, ...more] = stdout.trim().split('\n').slice(5)
    expect(stdout.split('\n').slice(0, 5)).toEqual(['from the host', 'bound read-only', 'read-only', 'writable', '1'])
    expect(groups?.split(' ')).toContain('29')
    expect(ipc).toBe(readlinkSync('/proc/self/ns/ipc'))
    expect(Number(count)).toBeGreaterThan(0)
    expect(more).toEqual(['cgroups'])
    expect(bench.left()).toEqual([])
  })

  test('CL-21 oom tells each time that memory runs out, until the container ends', host.needs, async () => {
    using bench = new Bench(host, { cgroups: { memory: { max: 16 << 20 } } })
    const eat = 'read line; tail -c 100000000 /dev/zero; echo $?; read line'
    const first = bench.start(['exec', 'sh', '-c', `echo ready; ${eat}`])
    await first.wrote('ready')
    const oom = bench.start(['--debug', 'oom'])
    await until('oom to listen', () => (oom.stderr.includes('listens') ? true : undefined))
    first.child.stdin?.write('\n')
    await first.wrote('137')
    // Also when the end follows at once.
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(await oom.ended()).toBe(0)
    expect(oom.stderr).toMatch(/^nsinit: debug: listens .*\n(nsinit: out of memory: container 'nsinit-.*'\n)+$/)
    expect(bench.run(['oom', '--id', 'absent']).stderr).toMatch(/there is no container 'absent'/)
    expect(bench.left()).toEqual([])
  })
})

describe.each(either)('on $name', host => {
  test(
    'CL-11 CL-18 CL-23 --id makes a container by flags, a further one joins it, and its maker removes it',
    host.needs,
    async () => {
      using bench = new Bench(host, null)
      const id = ['--id', 'box']
      const script =
        'hostname; echo $HOSTNAME $TERM $MORE; pwd; id -u; ulimit -n; grep -c . /proc/mounts; echo ready; read line; exit 3'
      const first = bench.start([
        ...['exec', ...id, ...rootfs, '--env', 'MORE=more', '--cwd', '/tmp', '-u', 'user', '--hostname', 'box'],
        ...['sh', '-c', script],
      ])
      await first.wrote('ready')
      expect(first.stdout.split('\n').slice(0, 5)).toEqual(['box', 'nsinit xterm more', '/tmp', '1000', '1024'])
      const state = JSON.parse(bench.run(['state', ...id]).stdout)
      expect(state).toMatchObject({ id: 'box', status: 'running', config: { hostname: 'box' } })
      expect(state.config.cgroups.path).toMatch(/^\/nsinit\/nsinit-.*-box$/)
      expect(bench.run(['stats', ...id]).stdout).toMatch(/^\{\n\t"cgroups": \{\n\t\t/)
      // From anywhere: neither a directory nor flags say what it is.
      const joined = bench.run(['exec', ...id, 'sh', '-c', 'hostname; echo $MORE; id -u'], { cwd: '/' })
      expect(joined).toEqual({ status: 0, stdout: 'box\n\n0\n', stderr: '' })
      // The directory's own container is another one, and nothing is written into the directory.
      expect(bench.run(['pause']).stderr).toMatch(/^nsinit: no container runs in /)
      expect(readdirSync(bench.path)).toEqual([])
      first.child.stdin?.end('\n')
      expect(await first.ended()).toBe(3)
      expect(bench.left()).toEqual([])
      expect(bench.run(['state', ...id]).stderr).toMatch(/^nsinit: there is no container 'box' in /)
    },
  )

  test(
    'CL-11 CL-22 --config FILE without --id is the container nsinit, which its directory knows, too',
    host.needs,
    async () => {
      using bench = new Bench(host, null)
      const file = join(bench.path, 'box.json')
      writeFileSync(file, JSON.stringify({ rootfs: busyboxRootfs(), hostname: 'by-file', process: { cwd: '/tmp' } }))
      const first = bench.start([
        'exec',
        '--config',
        'box.json',
        '--read-only',
        'sh',
        '-c',
        'hostname; pwd; touch /x; echo ready; read line',
      ])
      await first.wrote('ready')
      expect(first.stdout).toBe('by-file\n/tmp\nready\n')
      expect(first.stderr).toMatch(/Read-only file system/)
      expect(bench.run(['pause']).status).toBe(0)
      expect(JSON.parse(bench.run(['state', '--id', 'nsinit']).stdout).status).toBe('paused')
      expect(bench.run(['unpause', '--id', 'nsinit']).status).toBe(0)
      // Of another directory it is not.
      expect(bench.run(['state'], { cwd: '/' }).stderr).toMatch(/^nsinit: no container runs in \/\nhint: .*--id/)
      first.child.stdin?.end('\n')
      expect(await first.ended()).toBe(0)
      expect(bench.left()).toEqual([])
    },
  )

  test('CL-10 the state lies in --root, by id, root’s alone', host.needs, async () => {
    using bench = new Bench(host, null)
    const first = bench.start(['exec', '--id', 'kept', ...rootfs, 'sh', '-c', 'echo ready; read line'])
    await first.wrote('ready')
    expect(statSync(bench.stateRoot).mode & 0o777).toBe(0o700)
    expect(JSON.parse(readFileSync(join(bench.stateRoot, 'kept/state.json'), 'utf8')).id).toBe('kept')
    expect(statSync(join(bench.stateRoot, 'kept/state.json'))).toMatchObject({ uid: 0, mode: 0o100600 })
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
  })

  test('CL-15 --userns-root-uid: root inside is that user, and may use the devices', host.needs, () => {
    using copy = copyOfBusyboxRootfs()
    chmodSync(copy.path, 0o755)
    using bench = new Bench(host, null)
    const { stdout, stderr, status } = bench.run([
      ...[
        'exec',
        '--rootfs',
        copy.path,
        '--userns-root-uid',
        '1000',
        'sh',
        '-c',
        'id -u; cat /proc/self/uid_map; echo lost > /dev/null && echo 7',
      ],
    ])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/).map(Number))
    expect(lines).toEqual([[0], [0, 1000, 1], [1, 1, 999], [1001, 1001, 2147482647], [7]])
    expect(bench.left()).toEqual([])
  })

  test('CL-20 --security takes capabilities and system calls away', host.needs, () => {
    using bench = new Bench(host, null)
    const script =
      'grep CapBnd /proc/self/status | cut -f2; ulimit -n; unshare -m true; chmod 700 /tmp 2>&1; kill -0 1 && echo alive'
    const { stdout, stderr } = bench.run([
      'exec',
      ...rootfs,
      '--security',
      'high',
      '--tmpfs',
      '/tmp',
      'sh',
      '-c',
      script,
    ])
    const [bounding, files, ...rest] = stdout.trim().split('\n')
    // KILL 5, NET_BIND_SERVICE 10, AUDIT_WRITE 29.
    expect(BigInt(`0x${bounding}`)).toBe((1n << 5n) | (1n << 10n) | (1n << 29n))
    expect(files).toBe('1024')
    expect(stderr).toMatch(/unshare.*Operation not permitted/)
    expect(rest).toEqual([expect.stringMatching(/chmod: .*Operation not permitted/), 'alive'])
    expect(bench.left()).toEqual([])
  })

  test('EV-002 CL-11 ids that are none', host.needs, () => {
    using bench = new Bench(host)
    for (const command of ['exec', 'state', 'stats', 'pause', 'unpause', 'oom'])
      expect(bench.run([command, '--id', ''])).toEqual({
        status: 1,
        stdout: '',
        stderr: 'nsinit: container id cannot be empty\n',
      })
    expect(bench.run(['exec', '--id', '../x', 'true'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^nsinit: .*\.\.\/x/),
    })
    expect(existsSync(bench.stateRoot)).toBe(false)
  })

  test(
    'EV-011 a state directory without state.json: not existing for all, and the next exec removes it',
    host.needs,
    () => {
      using bench = new Bench(host, null)
      mkdirSync(join(bench.stateRoot, 'half'), { recursive: true, mode: 0o700 })
      for (const command of ['state', 'pause'])
        expect(bench.run([command, '--id', 'half']).stderr).toMatch(/^nsinit: there is no container 'half' in /)
      expect(bench.run(['exec', '--id', 'half', ...rootfs, 'echo', 'anew'])).toEqual({
        status: 0,
        stdout: 'anew\n',
        stderr: '',
      })
      expect(bench.left()).toEqual([])
    },
  )

  test('CL-24 CL-25 flags of checkpoint and restore that mean nothing are refused by name', host.asks, () => {
    using bench = new Bench(host, null)
    for (const command of ['checkpoint', 'restore']) {
      expect(bench.run(['--help']).stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
      expect(bench.run([command, '--id', 'x'])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^nsinit: --image-path: must name/),
      })
    }
    const flags = ['--image-path', '/i', '--work-path', '/w', '--tcp-established', '--ext-unix-sk', '--shell-job']
    expect(bench.run(['--criu', '/usr/sbin/criu', 'checkpoint', '--id', 'x', ...flags])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^nsinit: there is no container 'x' in /),
    })
    const server = bench.run(['checkpoint', '--image-path', '/i', '--leave-running', '--page-server', 'nowhere'])
    expect(server.stderr).toMatch(/^nsinit: --page-server: must be ADDRESS:PORT/)
  })

  test(
    'CL-27 an error of libcontainer is one line and a hint; with --debug all that there is to know',
    host.needs,
    () => {
      using bench = new Bench(host)
      const { status, stderr } = bench.run(['--debug', 'state'])
      expect(status).toBe(1)
      expect(stderr).toMatch(
        /^nsinit: no container runs in .*\nhint: .*\nTimestamp: .*\nCode: ContainerNotExists \(2, .*\)\n\nMessage: no container/,
      )
      expect(stderr).toMatch(/^Frames:\n---\n0: .*\nPackage: .*\nFile: .*@\d+$/m)
    },
  )

  test('CL-03 CL-19 init is not for use by hand', host.asks, () => {
    using bench = new Bench(host, null)
    const { status, stdout, stderr } = bench.run(['init', 'x', '--y'], { env: { pipe: '3', console: '/dev/pts/0' } })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toBe(
      'nsinit: init is not for use by hand: it sets nothing up, and nothing runs\nhint: nsinit exec makes a container and runs a program in it\n',
    )
  })

  test('CL-17 CL-04 config writes what exec takes; an empty container.json is none', host.needs, () => {
    using bench = new Bench(host, null)
    const file = join(bench.path, 'container.json')
    writeFileSync(file, '')
    const { stdout } = bench.run([
      'config',
      ...rootfs,
      '--hostname',
      'made',
      '--memory-limit',
      '33554432',
      '--security',
      'low',
    ])
    expect(stdout).toMatch(/^\{\n\t"rootfs": ".*",\n/)
    expect(stdout.endsWith('\n}')).toBe(true)
    expect(JSON.parse(bench.run(['config']).stdout)).toMatchObject({
      rootfs: '.',
      hostname: 'nsinit',
      process: { user: 'root' },
    })
    writeFileSync(file, stdout)
    expect(bench.run(['config']).stdout).toBe(stdout)
    expect(bench.run(['exec', 'hostname'])).toEqual({ status: 0, stdout: 'made\n', stderr: '' })
    expect(bench.run(['exec', '--hostname', 'said', 'hostname']).stdout).toBe('said\n')
    expect(bench.left()).toEqual([])
  })
})
