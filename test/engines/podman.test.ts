import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { IMAGE, imageArchive } from './image.js'
import { type Answer, lines, Part, until } from './part.js'
import { configurePodman, podsCgroup } from './podman.js'

const needs = requires('root', 'rootfs', 'program:podman', 'program:conmon', 'program:catatonit')

describe('OL-23 podman', needs, () => {
  let part: Part
  const tryPodman = (...args: string[]): Answer => part.try(['podman', ...args])
  const podman = (...args: string[]): string => part.run(['podman', ...args])
  /** A container that ends at once. */
  const inside = (flags: readonly string[], ...command: string[]): string =>
    podman('run', '--rm', '--network=none', ...flags, IMAGE, ...command)
  /** One that stays, removed at the end of the block. */
  function running(name: string, ...flags: string[]): Disposable {
    podman('run', '-d', '--name', name, '--network=none', ...flags, IMAGE, 'sleep', '1000')
    return { [Symbol.dispose]: () => void podman('rm', '-f', '-t', '0', name) }
  }

  beforeAll(() => {
    part = new Part('podman', { cgroups: ['libpod_parent'], stays: podsCgroup })
    configurePodman(part.runtime)
    podman('load', '-q', '-i', imageArchive(part.path))
  })

  afterAll(async () => {
    // What a test that failed left.
    tryPodman('pod', 'rm', '-af', '-t', '0')
    tryPodman('rm', '-af', '-t', '0')
    expect(await part.end(podman('--version'))).toEqual([])
  })

  test('run: the program’s output, input and exit code', () => {
    const command = ['run', '--rm', '-i', '--network=none', IMAGE, 'sh', '-c', 'cat; echo err >&2; exit 7']
    const { status, stdout, stderr } = part.try(['podman', ...command], { input: 'in\n' })
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: 'in\n', stderr: 'err\n' })
  })

  test('run: what cannot be executed is 127, what may not be 126, and podman knows them apart', () => {
    expect(tryPodman('run', '--rm', '--network=none', IMAGE, 'absent')).toMatchObject({ status: 127 })
    expect(tryPodman('run', '--rm', '--network=none', IMAGE, '/absent')).toMatchObject({ status: 127 })
    expect(tryPodman('run', '--rm', '--network=none', IMAGE, '/etc/passwd')).toMatchObject({ status: 126 })
  })

  test('run -it: a terminal of its own, with a size', () => {
    // Podman may set the size after the start, and lose what is said right before the end: with runc, too.
    const sized = 'for i in $(seq 100); do [ "$(stty size)" = "33 99" ] && break; sleep 0.1; done'
    const command = `podman run --rm -it --network=none ${IMAGE} sh -c '${sized}; tty; stty size; sleep 1; exit 5'`
    const { status, stdout } = part.onTerminal(['sh', '-c', `stty rows 33 cols 99; ${command}`])
    expect(status).toBe(5)
    expect(lines(stdout)).toEqual(['/dev/pts/0', '33 99'])
  })

  test('exec: exit codes, input, environment, user, directory, terminal', async () => {
    using _ = running('exec')
    expect(tryPodman('exec', 'exec', 'sh', '-c', 'exit 9')).toMatchObject({ status: 9 })
    expect(tryPodman('exec', 'exec', 'absent')).toMatchObject({ status: 127 })
    expect(part.run(['podman', 'exec', '-i', 'exec', 'wc', '-c'], { input: '12345' })).toBe('5')
    const flags = ['-u', 'user', '-w', '/tmp', '-e', 'A=b c']
    expect(podman('exec', ...flags, 'exec', 'sh', '-c', 'id -u; pwd; echo "$A"')).toBe('1000\n/tmp\nb c')
    const { stdout } = part.onTerminal(['podman', 'exec', '-it', 'exec', 'tty'])
    expect(stdout).toMatch(/^\/dev\/pts\/\d\n$/)
    podman('exec', '-d', 'exec', 'touch', '/tmp/detached')
    await until('the detached one ran', () => tryPodman('exec', 'exec', 'test', '-e', '/tmp/detached').status === 0)
    expect(podman('exec', '--privileged', 'exec', 'grep', 'CapEff', '/proc/self/status')).not.toMatch(/:\s*0000000/)
  })

  test('create, start, restart, stop, wait', () => {
    const script = 'trap "exit 3" TERM; while :; do sleep 0.1; done'
    podman('create', '--name', 'steps', '--network=none', IMAGE, 'sh', '-c', script)
    podman('init', 'steps')
    expect(podman('inspect', '-f', '{{.State.Status}}', 'steps')).toMatch(/initialized|created/)
    podman('start', 'steps')
    podman('restart', '-t', '5', 'steps')
    expect(podman('inspect', '-f', '{{.State.Running}} {{.OCIRuntime}}', 'steps')).toBe(`true ${part.runtime}`)
    podman('stop', '-t', '5', 'steps')
    expect(podman('wait', 'steps')).toBe('3')
    podman('rm', 'steps')
  })

  test('pod: containers share the namespaces of the pod, and have their own of the others', () => {
    podman('pod', 'create', '--name', 'pod', '--network=none', '--share', 'net,ipc,uts,pid', '--hostname', 'of-the-pod')
    for (const name of ['one', 'two']) podman('run', '-d', '--pod', 'pod', '--name', name, IMAGE, 'sleep', '1000')
    const kinds = ['net', 'ipc', 'uts', 'pid', 'mnt']
    const links = kinds.map(kind => `readlink /proc/self/ns/${kind}`).join(';')
    const namespaces = (name: string): string[] => lines(podman('exec', name, 'sh', '-c', links))
    const [one, two] = [namespaces('one'), namespaces('two')]
    expect(kinds.filter((_, i) => one[i] === two[i])).toEqual(['net', 'ipc', 'uts', 'pid'])
    expect(lines(podman('exec', 'one', 'sh', '-c', 'hostname; ps'))).toEqual(
      expect.arrayContaining(['of-the-pod', expect.stringContaining('catatonit')]),
    )
    podman('pod', 'pause', 'pod')
    podman('pod', 'unpause', 'pod')
    podman('pod', 'stop', '-t', '0', 'pod')
    podman('pod', 'start', 'pod')
    podman('pod', 'rm', '-f', '-t', '0', 'pod')
  })

  test('limits: memory, processes, processors; changed by update', () => {
    using _ = running('limits', '--memory=64m', '--pids-limit=50', '--cpus=0.5', '--cpuset-cpus=0', '--cpu-shares=512')
    const read = (...files: string[]): string[] =>
      lines(podman('exec', 'limits', 'cat', ...files.map(file => `/sys/fs/cgroup/${file}`)))
    const files = [
      'memory/memory.limit_in_bytes',
      'pids/pids.max',
      'cpu/cpu.cfs_quota_us',
      'cpuset/cpuset.cpus',
      'cpu/cpu.shares',
    ]
    expect(read(...files)).toEqual([String(64 << 20), '50', '50000', '0', '512'])
    podman('update', '--memory=96m', '--cpus=0.25', 'limits')
    expect(read(...files.slice(0, 3))).toEqual([String(96 << 20), '50', '25000'])
  })

  test('limits: whoever takes too much memory is killed', () => {
    const flags = ['--rm', '--network=none', '--memory=16m', '--memory-swap=16m']
    expect(tryPodman('run', ...flags, IMAGE, 'sh', '-c', 'tail /dev/zero')).toMatchObject({ status: 137 })
  })

  test('volumes, bind mounts and tmpfs', () => {
    const host = join(part.path, 'host')
    mkdirSync(host)
    writeFileSync(join(host, 'file'), 'of the host\n')
    podman('volume', 'create', 'kept')
    const flags = [
      '-v',
      `${host}:/ro:ro`,
      '-v',
      `${host}:/rw`,
      '-v',
      'kept:/kept',
      '--tmpfs',
      '/scratch:size=1m,mode=700',
    ]
    const script =
      'cat /ro/file; touch /ro/new 2>&1; touch /rw/new; echo 1 > /kept/one; grep -c "tmpfs /scratch tmpfs rw.*size=1024k.*mode=700" /proc/mounts'
    expect(lines(inside(flags, 'sh', '-c', script))).toEqual([
      'of the host',
      'touch: /ro/new: Read-only file system',
      '1',
    ])
    expect(existsSync(join(host, 'new'))).toBe(true)
    expect(inside(['-v', 'kept:/again'], 'cat', '/again/one')).toBe('1')
    podman('volume', 'rm', 'kept')
  })

  test('--read-only, and what stays writable', () => {
    const script = 'touch /x 2>&1; touch /tmp/x && echo tmp; touch /dev/shm/x && echo shm'
    expect(lines(inside(['--read-only'], 'sh', '-c', script))).toEqual([
      'touch: /x: Read-only file system',
      'tmp',
      'shm',
    ])
  })

  test('--user, --group-add, --hostname, --env, --workdir, --umask', () => {
    const flags = ['--user=1000:50', '--group-add=29', '--hostname=named', '-e', 'A=1', '-w', '/srv', '--umask=0027']
    expect(lines(inside(flags, 'sh', '-c', 'id -u; id -g; id -G; hostname; echo $A; pwd; umask'))).toEqual([
      '1000',
      '50',
      expect.stringMatching(/\b29\b/),
      'named',
      '1',
      '/srv',
      '0027',
    ])
  })

  test('--cap-add and --cap-drop', () => {
    const flags = ['--cap-drop=all', '--cap-add=NET_RAW']
    expect(lines(inside(flags, 'grep', '^Cap', '/proc/self/status'))).toEqual([
      'CapInh:\t0000000000000000',
      'CapPrm:\t0000000000002000',
      'CapEff:\t0000000000002000',
      'CapBnd:\t0000000000002000',
      'CapAmb:\t0000000000000000',
    ])
  })

  test('--security-opt: podman’s own seccomp profile, one of a file, none; no-new-privileges', () => {
    const status = (...flags: string[]): string[] =>
      lines(inside(flags, 'grep', '-E', '^(NoNewPrivs|Seccomp):', '/proc/self/status'))
    expect(status()).toEqual(['NoNewPrivs:\t0', 'Seccomp:\t2'])
    expect(status('--security-opt=seccomp=unconfined', '--security-opt=no-new-privileges')).toEqual([
      'NoNewPrivs:\t1',
      'Seccomp:\t0',
    ])
    const profile = join(part.path, 'seccomp.json')
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }]
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))
    expect(inside([`--security-opt=seccomp=${profile}`], 'sh', '-c', 'mkdir /new 2>&1 || :')).toContain('No space left')
  })

  test('--init, --sysctl, --device, --ulimit, --shm-size', () => {
    const flags = [
      '--init',
      '--sysctl=net.ipv4.ip_forward=1',
      '--device=/dev/fuse',
      '--ulimit=nofile=100:200',
      '--ulimit=nproc=1000:1000',
      '--shm-size=2m',
    ]
    const script =
      'cat /proc/1/comm /proc/sys/net/ipv4/ip_forward; test -c /dev/fuse; ulimit -n; ulimit -Hn; df -k /dev/shm | tail -n 1 | awk "{print \\$2}"'
    expect(lines(inside(flags, 'sh', '-c', script))).toEqual(['podman-init', '1', '100', '200', '2048'])
  })

  test('--uidmap: a user namespace of its own', () => {
    const flags = ['--uidmap=0:200000:1000', '--gidmap=0:200000:1000']
    expect(inside(flags, 'sh', '-c', 'id -u; cat /proc/self/uid_map').split(/\s+/)).toEqual([
      '0',
      '0',
      '200000',
      '1000',
    ])
  })

  test('--privileged', () => {
    const bounding = /^CapBnd:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    const script = 'grep CapBnd /proc/self/status; grep -c " /sys sysfs rw" /proc/mounts'
    expect(lines(inside(['--privileged'], 'sh', '-c', script))).toEqual([`CapBnd:\t${bounding}`, '1'])
  })

  test('a network of its own, with an address', () => {
    const script = 'ip -4 -o address show eth0 | grep -c "inet 10.88"; ip route | grep -c default'
    expect(lines(podman('run', '--rm', IMAGE, 'sh', '-c', script))).toEqual(['1', '1'])
  })

  test('healthcheck', () => {
    using _ = running('healthy', '--health-cmd=test -e /tmp/well', '--health-interval=disable')
    expect(tryPodman('healthcheck', 'run', 'healthy')).toMatchObject({ status: 1 })
    podman('exec', 'healthy', 'touch', '/tmp/well')
    expect(tryPodman('healthcheck', 'run', 'healthy')).toMatchObject({ status: 0 })
    expect(podman('inspect', '-f', '{{.State.Health.Status}}', 'healthy')).toBe('healthy')
  })

  test('top, stats, pause, unpause, ps', () => {
    using _ = running('seen')
    expect(lines(podman('top', 'seen', 'pid', 'args')).at(-1)).toMatch(/^1\s+sleep 1000$/)
    const [stats] = JSON.parse(podman('stats', '--no-stream', '--format=json', 'seen')) as {
      pids: string
      mem_usage: string
    }[]
    expect(stats).toMatchObject({ pids: '1', mem_usage: expect.stringMatching(/[kM]B \//) })
    podman('pause', 'seen')
    expect(podman('ps', '-a', '--filter', 'name=seen', '--format', '{{.State}}')).toBe('Paused')
    expect(tryPodman('exec', 'seen', 'true').status).not.toBe(0)
    podman('unpause', 'seen')
    expect(podman('exec', 'seen', 'echo', 'again')).toBe('again')
  })

  test('logs, attach, kill, rm -f', async () => {
    const script = 'trap "echo got USR1" USR1; echo begun; while :; do sleep 0.1; done'
    podman('run', '-d', '--name', 'logged', '--network=none', IMAGE, 'sh', '-c', script)
    await until('the program runs', () => podman('logs', 'logged') === 'begun')
    podman('kill', '--signal=USR1', 'logged')
    await until('the signal came', () => lines(podman('logs', 'logged')).includes('got USR1'))
    podman('kill', 'logged')
    expect(podman('wait', 'logged')).toBe('137')
    podman('start', 'logged')
    podman('rm', '-f', '-t', '0', 'logged')
    expect(podman('ps', '-aq')).toBe('')
  })

  test('a container that cannot be made leaves nothing, and podman tells the runtime’s reason', () => {
    const { status, stderr } = tryPodman(
      'run',
      '--rm',
      '--network=none',
      '--sysctl=net.ipv4.ip_forward=text',
      IMAGE,
      'true',
    )
    expect(status).toBe(126)
    expect(stderr).toContain('ip_forward')
    expect(podman('ps', '-aq')).toBe('')
  })

  // That it works is shown in the virtual machine, where CRIU does.
  test('a checkpoint that CRIU cannot make on this kernel is refused by name, and the container goes on', () => {
    using _ = running('kept')
    const { status, stderr } = tryPodman('container', 'checkpoint', '--leave-running', 'kept')
    if (spawnSync('criu', ['check']).status === 0) return expect(status).toBe(0)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/checkpoint|criu/i)
    expect(podman('ps', '--quiet')).not.toBe('')
  })
})
