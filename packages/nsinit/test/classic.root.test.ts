import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { defaultMounts } from '@libcontainer/mount'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, copyOfBusyboxRootfs } from '../../../test/support/index.js'
import { Bench, either, hosts, type TestHost, until } from './hosts.js'

/** As libcontainer wrote it in the summer of 2014, but for its networks. */
const config2014 = {
  capabilities: ['CHOWN', 'KILL', 'SETGID', 'SETUID'],
  cgroups: {
    allowed_devices: [{ cgroup_permissions: 'rwm', major_number: 1, minor_number: 3, type: 99 }],
    name: 'unset',
    parent: 'nsinit',
  },
  environment: ['HOME=/', 'PATH=/bin:/usr/bin', 'container=nsinit', 'TERM=xterm'],
  hostname: 'koye',
  mount_config: {
    device_nodes: [
      { cgroup_permissions: 'rwm', file_mode: 438, major_number: 1, minor_number: 3, path: '/dev/null', type: 99 },
    ],
  },
  namespaces: { NEWIPC: true, NEWNET: true, NEWNS: true, NEWPID: true, NEWUTS: true },
  restrict_sys: true,
  tty: false,
  user: 'daemon',
  working_dir: '/tmp',
}

/** As libcontainer wrote it in the summer of 2015. */
const config2015 = {
  no_pivot_root: false,
  parent_death_signal: 9,
  rootfs: '',
  readonlyfs: true,
  hostname: 'y2015',
  namespaces: ['NEWNS', 'NEWUTS', 'NEWIPC', 'NEWPID', 'NEWNET'].map(type => ({ type, path: '' })),
  capabilities: ['CHOWN', 'KILL', 'SETGID', 'SETUID'],
  mounts: [
    { source: 'proc', destination: '/proc', device: 'proc', flags: 14, data: '' },
    { source: 'tmpfs', destination: '/dev', device: 'tmpfs', flags: 16777218, data: 'mode=755' },
  ],
  devices: [{ type: 99, path: '/dev/null', major: 1, minor: 3, permissions: 'rwm', file_mode: 438, uid: 0, gid: 0 }],
  networks: null,
  routes: null,
  cgroups: { name: 'unset', parent: 'nsinit', allow_all_devices: true, memory: 33554432 },
  rlimits: [{ type: 7, hard: 99, soft: 99 }],
  mask_paths: ['/proc/kcore'],
  readonly_paths: ['/proc/sys'],
}

const named = <T extends { cgroups: object }>(config: T, bench: Bench): T => ({
  ...config,
  cgroups: { ...config.cgroups, name: bench.path.slice(bench.path.lastIndexOf('/') + 1) },
})

/** An nsinit that runs until its input ends. */
async function running(bench: Bench, ...args: string[]): Promise<ReturnType<Bench['start']>> {
  const first = bench.start(['exec', ...args, 'sh', '-c', 'echo ready; read line'])
  await first.wrote('ready')
  return first
}

function stateOf(bench: Bench): { readonly [field: string]: unknown; readonly init_process_pid: number } {
  const { stdout, stderr } = bench.run(['state'])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const initPid = (bench: Bench): number => stateOf(bench).init_process_pid

/** The same command line by another name. */
function calledAs(host: TestHost, name: string, bench: Bench, args: readonly string[]): ReturnType<Bench['run']> {
  const program = host.command.at(-1)!
  const link = join(bench.path, name)
  symlinkSync(program, link)
  const [first, ...rest] = [...host.command.slice(0, -1), link, '--root', bench.stateRoot, ...args]
  const { status, stdout, stderr } = spawnSync(first!, rest, { cwd: bench.path, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** The 2014 way: the container of the directory. */
describe.each(hosts)('on $name', host => {
  test('CL-02 CL-04 a config of 2014 as it stands: the directory itself is the root filesystem', host.needs, () => {
    using copy = copyOfBusyboxRootfs()
    chmodSync(copy.path, 0o755)
    using bench = new Bench(host, null)
    const config = named(config2014, bench)
    const text = JSON.stringify(config, null, '\t')
    writeFileSync(join(copy.path, 'container.json'), text)
    const script = 'hostname; id -un; pwd; echo $container; grep CapBnd /proc/self/status | cut -f2; ls /container.json'
    const options = { env: { data_path: copy.path }, cwd: '/' }
    expect(bench.run(['exec', 'sh', '-c', script], options)).toEqual({
      status: 0,
      stdout: `koye\ndaemon\n/tmp\nnsinit\n${((1n << 0n) | (1n << 5n) | (1n << 6n) | (1n << 7n)).toString(16).padStart(16, '0')}\n/container.json\n`,
      stderr: '',
    })
    expect(bench.run(['config'], options).stdout).toBe(text)
    expect(bench.left()).toEqual([])
  })
})

describe.each(either)('on $name', host => {
  test('CL-11 a config of 2015 as it stands, in its directory and by --config', host.needs, () => {
    using bench = new Bench(host, null)
    const config = { ...named(config2015, bench), rootfs: busyboxRootfs() }
    bench.write(config)
    const script = 'hostname; ulimit -n; touch /x 2>/dev/null || echo read-only; echo 1 > /proc/sys/kernel/hostname'
    const seen = { status: 1, stdout: 'y2015\n99\nread-only\n' }
    expect(bench.run(['exec', 'sh', '-c', script])).toMatchObject(seen)
    expect(bench.run(['exec', '--config', 'container.json', 'sh', '-c', script])).toMatchObject(seen)
    expect(bench.left()).toEqual([])
  })

  test(
    'CL-05 CL-06 nsenter joins the container whose first process that is, with the config it is given',
    host.needs,
    async () => {
      using bench = new Bench(host, { hostname: 'joined' })
      const first = await running(bench)
      const nspid = ['--nspid', String(initPid(bench))]
      const json = JSON.stringify({ ...config2014, user: 'user' })
      const script = ['--', 'sh', '-c', 'hostname; id -un; pwd; exit 9']
      expect(bench.run(['nsenter', ...nspid, '--containerjson', json, ...script], { cwd: '/' })).toEqual({
        status: 9,
        stdout: 'joined\nuser\n/tmp\n',
        stderr: '',
      })
      expect(bench.run(['nsenter', ...nspid, '--', 'sh', '-c', 'kill -KILL $$']).status).toBe(137)
      // The image has no bash, whose turn it is where nothing is said.
      expect(bench.run(['nsenter', ...nspid]).stderr).toMatch(/ENOENT.*\/bin\/bash/)
      for (const args of [
        [],
        ['--nspid', '0'],
        ['--nspid', 'x'],
        ['--nspid', String(process.pid)],
        [...nspid, '--containerjson', '{'],
      ])
        expect(bench.run(['nsenter', ...args, '--', 'true'])).toMatchObject({ status: 1, stdout: '' })
      expect(bench.run(['--nspid', String(process.pid), 'exec', 'true']).stderr).toMatch(
        /^nsinit: --nspid: is the first process of no container/,
      )
      expect(bench.run([...nspid, 'pause']).status).toBe(0)
      expect(bench.run(['unpause']).status).toBe(0)
      first.child.stdin?.end('\n')
      expect(await first.ended()).toBe(0)
    },
  )

  test('CL-07 exec --list and --func: mknod in the container, by the name nsenter-mknod too', host.needs, async () => {
    using copy = copyOfBusyboxRootfs()
    chmodSync(copy.path, 0o755)
    using bench = new Bench(host, { rootfs: copy.path })
    expect(bench.run(['exec', '--list']).stdout).toMatch(/^NAME +USAGE\nexec +.*\nmknod +.*\nip +.*\n$/)
    expect(bench.run(['exec', '--func', 'mknod', '/dev/x', 'c', '1', '3']).stderr).toMatch(
      /^nsinit: no container runs in/,
    )
    const first = await running(bench)
    const nspid = ['--nspid', String(initPid(bench))]
    expect(bench.run(['exec', '--func', 'mknod', '/dev/made', 'c', '1', '3'])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    expect(calledAs(host, 'nsenter-mknod', bench, [...nspid, '--', '/made', 'b', '7', '200'])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    })
    const script = 'stat -c "%F %t %T %a" /dev/made /made; echo x > /dev/made && echo usable'
    expect(bench.run(['exec', 'sh', '-c', script]).stdout).toBe(
      'character special file 1 3 666\nblock special file 7 c8 666\nusable\n',
    )
    // The container's own /dev is not that of the image, nor of the host.
    expect(existsSync(join(copy.path, 'dev/made'))).toBe(false)
    expect(statSync(join(copy.path, 'made')).isBlockDevice()).toBe(true)
    for (const args of [
      ['/x'],
      ['/x', 'q', '1', '3'],
      ['/x', 'c', 'one', '3'],
      ['x', 'c', '1', '3'],
      ['/x', 'c', '1', '3', '4'],
    ])
      expect(bench.run(['exec', '--func', 'mknod', ...args])).toMatchObject({ status: 1, stdout: '' })
    expect(bench.run(['exec', '--func', 'fly']).stderr).toMatch(/^nsinit: --func: must be one of exec, mknod, ip/)
    const shown = bench.run(['exec', '--func', 'ip'])
    expect(
      shown.stdout
        .split('\n')
        .map(line => line.split(/ {2,}/))
        .slice(0, 2),
    ).toEqual([
      ['NAME', 'MTU', 'MAC', 'FLAG', 'ADDRS'],
      ['lo', '65536', '00:00:00:00:00:00', expect.stringMatching(/^up\|loopback\|running/), '127.0.0.1/8,::1/128'],
    ])
    expect(bench.run(['exec', '--func', 'ip', 'lo'])).toMatchObject({ status: 1, stdout: '' })
    expect(bench.run(['exec', '--func', 'exec', 'hostname']).status).toBe(0)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
  })

  test('NS-17 ST-13 state.json has its fields of 2014, and goes when the container ends', host.needs, async () => {
    using bench = new Bench(host)
    const first = await running(bench)
    const file = join(bench.path, 'state.json')
    const copy = JSON.parse(
      await until('state.json', () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)),
    )
    const { init_process_pid, init_process_start } = stateOf(bench)
    expect(copy).toMatchObject({ init_pid: init_process_pid, init_start_time: init_process_start, network_state: {} })
    expect(
      readFileSync(`/proc/${copy.init_pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[19],
    ).toBe(copy.init_start_time)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(existsSync(file)).toBe(false)
  })

  test('CL-01 what the container forges of its config and state nobody believes', host.needs, async () => {
    using bench = new Bench(host)
    using victim = new Bench(host, { hostname: 'victim' })
    // The directory lies open to the container, as it does where it is the root filesystem.
    const files = [{ destination: '/mnt', type: 'bind', source: bench.path, options: ['rbind', 'rw'] }]
    const mounts = [...defaultMounts, ...files]
    bench.write({ rootfs: busyboxRootfs(), hostname: 'honest', mounts, process: { env: ['PATH=/bin', 'KEPT=yes'] } })
    const other = await running(victim)
    const [otherPid, otherState] = [initPid(victim), victim.run(['state']).stdout]
    const first = await running(bench)
    const pid = initPid(bench)

    // By the container itself: another's first process, cgroups, id and a config that would give it the host.
    const forgedState = {
      ...JSON.parse(otherState),
      init_pid: otherPid,
      cgroup_paths: JSON.parse(otherState).cgroup_paths,
    }
    const forgedConfig = {
      rootfs: '/',
      hostname: 'forged',
      namespaces: ['mnt'],
      process: { env: ['KEPT=forged'], user: 'root', capabilities: null },
    }
    const put = 'cat > /mnt/container.json.new; mv /mnt/container.json.new /mnt/$0'
    for (const [name, value] of Object.entries({ 'state.json': forgedState, 'container.json': forgedConfig }))
      expect(bench.run(['exec', 'sh', '-c', put, name], { input: JSON.stringify(value) }).status).toBe(0)
    expect(JSON.parse(readFileSync(join(bench.path, 'state.json'), 'utf8')).init_pid).toBe(otherPid)

    // Joined is the container itself, with the config that was saved at its start.
    const joined = bench.run([
      'exec',
      'sh',
      '-c',
      'hostname; echo $KEPT; readlink /proc/1/ns/pid; grep CapEff /proc/self/status',
    ])
    const [hostname, kept, namespace, capabilities] = joined.stdout.trim().split('\n')
    expect({ status: joined.status, hostname, kept }).toEqual({ status: 0, hostname: 'honest', kept: 'yes' })
    expect(namespace).toBe(readNamespace(pid))
    expect(capabilities).not.toMatch(/f{8}/)
    expect(stateOf(bench).init_process_pid).toBe(pid)

    // Paused is the container itself, too.
    expect(bench.run(['pause']).status).toBe(0)
    expect(stateOf(victim).status).toBe('running')
    expect(stateOf(bench).status).toBe('paused')
    expect(bench.run(['unpause']).status).toBe(0)

    // Its end removes what is its own, and nothing else.
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(bench.left()).toEqual([])
    expect(stateOf(victim)).toMatchObject({ status: 'running', init_process_pid: otherPid })
    expect(victim.run(['exec', 'hostname']).stdout).toBe('victim\n')
    // Neither is a state.json without a container joined, signalled or removed.
    writeFileSync(join(bench.path, 'state.json'), JSON.stringify(forgedState))
    for (const command of ['state', 'pause', 'unpause', 'oom'])
      expect(bench.run([command]).stderr).toMatch(/^nsinit: no container runs in/)
    rmSync(join(bench.path, 'state.json'))
    other.child.stdin?.end('\n')
    expect(await other.ended()).toBe(0)
  })

  test('CL-01 what a killed nsinit has left is told by its own state, not by a forged one', host.needs, async () => {
    using bench = new Bench(host)
    using victim = new Bench(host)
    const other = await running(victim)
    const theirs = stateOf(victim)
    const first = await running(bench)
    await first.killed()
    writeFileSync(join(bench.path, 'state.json'), JSON.stringify({ ...theirs, init_pid: theirs.init_process_pid }))
    expect(bench.run(['exec', 'cat', '/proc/1/comm'])).toEqual({ status: 0, stdout: 'cat\n', stderr: '' })
    expect(bench.left()).toEqual([])
    expect(stateOf(victim)).toMatchObject({
      status: 'running',
      init_process_pid: theirs.init_process_pid,
    })
    other.child.stdin?.end('\n')
    expect(await other.ended()).toBe(0)
    expect(victim.left()).toEqual([])
  })

  test(
    'CL-02 where the directory is the root filesystem, its container cannot touch container.json',
    host.needs,
    () => {
      using copy = copyOfBusyboxRootfs()
      chmodSync(copy.path, 0o755)
      using bench = new Bench(host, null)
      const file = join(copy.path, 'container.json')
      writeFileSync(file, '{}')
      const script = [
        'echo forged > /container.json; echo other > /other; mv /other /container.json; rm -f /container.json',
        'ln -f /other /container.json; mount -o remount,rw /container.json; umount /container.json; cat /container.json',
      ].join('; ')
      expect(bench.run(['exec', 'sh', '-c', script], { cwd: copy.path }).stdout).toBe('{}')
      expect(readFileSync(file, 'utf8')).toBe('{}')
    },
  )
})

const readNamespace = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`)
