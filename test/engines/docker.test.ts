import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { dockerSettings } from './docker.js'
import { IMAGE, imageArchive } from './image.js'
import { type Answer, lines, Part, until } from './part.js'

const needs = requires('root', 'rootfs', 'program:dockerd', 'program:docker', 'program:iptables')

describe('OL-23 docker', needs, () => {
  let part: Part
  const tryDocker = (...args: string[]): Answer => part.try(['docker', ...args])
  const docker = (...args: string[]): string => part.run(['docker', ...args])
  const inside = (flags: readonly string[], ...command: string[]): string =>
    docker('run', '--rm', '--network=none', ...flags, IMAGE, ...command)
  function running(name: string, ...flags: string[]): Disposable {
    docker('run', '-d', '--name', name, '--network=none', ...flags, IMAGE, 'sleep', '1000')
    return { [Symbol.dispose]: () => void docker('rm', '-f', name) }
  }
  const inspect = (name: string, field: string): string => docker('inspect', '-f', `{{${field}}}`, name)

  beforeAll(async () => {
    part = new Part('docker', { cgroups: ['docker'] })
    mkdirSync('/etc/docker', { recursive: true })
    writeFileSync('/etc/docker/daemon.json', JSON.stringify(dockerSettings(part.runtime)))
    part.daemon('dockerd', ['dockerd'])
    await until(
      'dockerd answers',
      () => tryDocker('version').status === 0,
      () => part.log('dockerd'),
    )
    docker('load', '-q', '-i', imageArchive(part.path))
  })

  afterAll(async () => {
    const ids = lines(docker('ps', '-aq'))
    if (ids.length > 0) docker('rm', '-f', ...ids)
    expect(await part.end(docker('--version'))).toEqual([])
  })

  test('lcrun is the default runtime', () => {
    expect(docker('info', '-f', '{{.DefaultRuntime}} {{.CgroupDriver}}')).toBe('lcrun cgroupfs')
  })

  test('run: the program’s output, input and exit code; 127 and 126', () => {
    const command = ['docker', 'run', '--rm', '-i', '--network=none', IMAGE, 'sh', '-c', 'cat; echo err >&2; exit 7']
    expect(part.try(command, { input: 'in\n' })).toEqual({ status: 7, stdout: 'in\n', stderr: 'err\n' })
    expect(tryDocker('run', '--rm', '--network=none', IMAGE, 'absent')).toMatchObject({ status: 127 })
    expect(tryDocker('run', '--rm', '--network=none', IMAGE, '/etc/passwd')).toMatchObject({ status: 126 })
  })

  test('run -it, exec -it: terminals with a size', () => {
    const sized = (command: string) => part.onTerminal(['sh', '-c', `stty rows 33 cols 99; ${command}`])
    // The size comes a moment after the start.
    const script = 'tty; until stty size 2> /dev/null | grep .; do sleep 0.1; done; exit 5'
    const { status, stdout } = sized(`docker run --rm -it --network=none ${IMAGE} sh -c '${script}'`)
    expect({ status, lines: lines(stdout) }).toEqual({ status: 5, lines: ['/dev/pts/0', '33 99'] })
    using _ = running('terminal')
    expect(sized('docker exec -it terminal tty').stdout).toMatch(/^\/dev\/pts\/\d\n$/)
  })

  test('exec: exit codes, input, environment, user, directory', () => {
    using _ = running('exec')
    expect(tryDocker('exec', 'exec', 'sh', '-c', 'exit 9')).toMatchObject({ status: 9 })
    expect(tryDocker('exec', 'exec', 'absent').status).toBeOneOf([126, 127])
    expect(part.run(['docker', 'exec', '-i', 'exec', 'wc', '-c'], { input: '12345' })).toBe('5')
    const flags = ['-u', 'user', '-w', '/tmp', '-e', 'A=b c']
    expect(docker('exec', ...flags, 'exec', 'sh', '-c', 'id -u; pwd; echo "$A"')).toBe('1000\n/tmp\nb c')
    expect(lines(docker('top', 'exec', '-o', 'pid,args')).at(-1)).toMatch(/^\d+\s+sleep 1000$/)
  })

  test('limits: memory, processes, processors; changed by update', () => {
    using _ = running('limits', '--memory=64m', '--pids-limit=50', '--cpus=0.5', '--cpuset-cpus=0')
    const files = ['memory/memory.limit_in_bytes', 'pids/pids.max', 'cpu/cpu.cfs_quota_us', 'cpuset/cpuset.cpus']
    const read = (): string[] => lines(docker('exec', 'limits', 'cat', ...files.map(file => `/sys/fs/cgroup/${file}`)))
    expect(read()).toEqual([String(64 << 20), '50', '50000', '0'])
    docker('update', '--memory=96m', '--memory-swap=-1', '--cpus=0.25', '--pids-limit=60', 'limits')
    expect(read()).toEqual([String(96 << 20), '60', '25000', '0'])
    expect(docker('stats', '--no-stream', '--format', '{{.PIDs}} {{.MemUsage}}', 'limits')).toMatch(/^1 .*96MiB$/)
  })

  test('whoever takes too much memory is killed, and docker says so', async () => {
    const flags = ['--name', 'greedy', '--network=none', '--memory=16m', '--memory-swap=16m']
    const { status } = tryDocker('run', ...flags, IMAGE, 'sh', '-c', 'tail /dev/zero; sleep 1; exit 137')
    expect(status).toBe(137)
    await until('it is known', () => inspect('greedy', '.State.OOMKilled') === 'true')
    docker('rm', 'greedy')
  })

  test('networks: none, docker’s bridge, the host’s', () => {
    const links = ['ls', '/sys/class/net']
    expect(inside([], ...links)).toBe('lo')
    expect(lines(docker('run', '--rm', IMAGE, ...links))).toEqual(['eth0', 'lo'])
    const script =
      'ip -4 -o address show eth0 | grep -c "inet 172"; ping -c 1 -q 172.17.0.1 | grep -c " 0% packet loss"; hostname -i'
    expect(lines(docker('run', '--rm', IMAGE, 'sh', '-c', script))).toEqual(['1', '1', expect.stringMatching(/^172/)])
    expect(docker('run', '--rm', '--network=host', IMAGE, 'hostname')).toBe('engines')
  })

  test('restart policies: so often on failure, always', async () => {
    docker('run', '-d', '--name', 'fails', '--network=none', '--restart=on-failure:2', IMAGE, 'sh', '-c', 'exit 3')
    await until('it was restarted twice', () => inspect('fails', '.RestartCount') === '2')
    await until('it is left alone then', () => inspect('fails', '.State.Status') === 'exited')
    expect(inspect('fails', '.State.ExitCode')).toBe('3')
    docker('rm', 'fails')
    using _ = running('always', '--restart=always')
    process.kill(Number(inspect('always', '.State.Pid')), 'SIGKILL')
    await until(
      'it is back',
      () => inspect('always', '.RestartCount .State.Status'.split(' ').join('}} {{')) === '1 running',
    )
    expect(docker('exec', 'always', 'echo', 'again')).toBe('again')
  })

  test('--read-only, --tmpfs, volumes, --user, --cap-*, --init, --ulimit, seccomp, no-new-privileges', () => {
    const flags = [
      ...['--read-only', '--tmpfs=/scratch:size=1m', '-v', `${part.path}:/host:ro`, '--user=1000:1000', '--init'],
      ...['--cap-drop=all', '--cap-add=NET_RAW', '--ulimit=nofile=100:200', '--security-opt=no-new-privileges'],
    ]
    const script =
      'touch /x 2>&1; touch /scratch/x && echo scratch; ls /host/image.tar; id -u; cat /proc/1/comm; ulimit -n; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'
    expect(lines(inside(flags, 'sh', '-c', script))).toEqual([
      ...['touch: /x: Read-only file system', 'scratch', '/host/image.tar', '1000', 'docker-init', '100'],
      ...['CapBnd:\t0000000000002000', 'NoNewPrivs:\t1', 'Seccomp:\t2'],
    ])
    const profile = join(part.path, 'seccomp.json')
    const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }]
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }))
    expect(inside([`--security-opt=seccomp=${profile}`], 'sh', '-c', 'mkdir /new 2>&1 || :')).toContain('No space left')
  })

  test('pause, logs, kill, stop, start, wait, rename, healthcheck', async () => {
    const script = 'trap "echo got USR1" USR1; trap "exit 3" TERM; echo begun; while :; do sleep 0.1; done'
    const health = ['--health-cmd=test -e /tmp/well', '--health-interval=200ms']
    docker('run', '-d', '--name', 'steps', '--network=none', ...health, IMAGE, 'sh', '-c', script)
    await until('the program runs', () => docker('logs', 'steps') === 'begun')
    docker('pause', 'steps')
    expect(inspect('steps', '.State.Status')).toBe('paused')
    expect(tryDocker('exec', 'steps', 'true').status).not.toBe(0)
    docker('unpause', 'steps')
    docker('exec', 'steps', 'touch', '/tmp/well')
    await until('it is well', () => inspect('steps', '.State.Health.Status') === 'healthy')
    docker('kill', '--signal=USR1', 'steps')
    await until('the signal came', () => lines(docker('logs', 'steps')).includes('got USR1'))
    docker('stop', '-t', '10', 'steps')
    expect(docker('wait', 'steps')).toBe('3')
    docker('start', 'steps')
    docker('rm', '-f', 'steps')
    expect(docker('ps', '-aq')).toBe('')
  })

  test('build: RUN goes through the runtime', () => {
    const context = join(part.path, 'context')
    mkdirSync(context)
    writeFileSync(join(context, 'Dockerfile'), `FROM ${IMAGE}\nRUN id -u > /uid\nUSER user\nRUN id -u > /tmp/uid\n`)
    part.run(['docker', 'build', '-q', '--network=none', '-t', 'built', context], { env: { DOCKER_BUILDKIT: '0' } })
    expect(docker('run', '--rm', '--network=none', 'built', 'cat', '/uid', '/tmp/uid')).toBe('0\n1000')
  })
})
