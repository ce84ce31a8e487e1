import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { IMAGE, imageArchive } from './image.js'
import { type Answer, lines, Part, until } from './part.js'

const needs = requires('root', 'rootfs', 'program:containerd', 'program:ctr', 'program:containerd-shim-runc-v2')

const config = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
oom_score = 0
`

interface Metrics {
  pids: { current: number }
  memory: { usage: { usage: number; limit: number } }
}

describe('OL-23 containerd', needs, () => {
  let part: Part
  let daemon: ReturnType<Part['daemon']>
  // A namespace of containerd is also the cgroup above its containers.
  const tryCtr = (...args: string[]): Answer => part.try(['ctr', '-n', 'lctest', ...args])
  const ctr = (...args: string[]): string => part.run(['ctr', '-n', 'lctest', ...args])
  const run = (...flags: string[]): string[] => [
    'run',
    '--snapshotter=native',
    `--runc-binary=${part.runtime}`,
    ...flags,
    IMAGE,
  ]
  const start = async (): Promise<void> => {
    daemon = part.daemon('containerd', ['containerd', '--config', '/etc/containerd/config.toml'])
    await until(
      'containerd answers',
      () => part.try(['ctr', 'version']).status === 0,
      () => part.log('containerd'),
    )
  }
  function running(name: string, ...flags: string[]): Disposable {
    ctr(...run('-d', ...flags), name, 'sleep', '1000')
    return { [Symbol.dispose]: () => remove(name) }
  }
  function remove(name: string): void {
    tryCtr('task', 'delete', '--force', name)
    ctr('container', 'delete', name)
  }

  beforeAll(async () => {
    part = new Part('containerd', { cgroups: ['lctest'] })
    mkdirSync('/etc/containerd', { recursive: true })
    writeFileSync('/etc/containerd/config.toml', config)
    await start()
    ctr('image', 'import', '--snapshotter=native', imageArchive(part.path))
  })

  afterAll(async () => {
    for (const name of lines(ctr('container', 'list', '-q'))) remove(name)
    expect(await part.end(part.run(['containerd', '--version']))).toEqual([])
  })

  test('run: output and exit code', () => {
    expect(tryCtr(...run('--rm'), 'ends', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toMatchObject({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    expect(tryCtr('container', 'info', 'ends').status).not.toBe(0)
  })

  test('run -t: a terminal of its own', () => {
    const { status, stdout } = part.onTerminal(['ctr', '-n', 'lctest', ...run('--rm', '-t'), 'terminal', 'tty'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: '/dev/pts/0\n' })
  })

  test('run: what cannot be executed is told, and nothing of it stays', () => {
    const { status, stderr } = tryCtr(...run('--rm'), 'absent', '/absent')
    expect(status).not.toBe(0)
    expect(stderr).toContain('/absent')
    expect(ctr('task', 'list', '-q')).toBe('')
  })

  test('seccomp, read-only, user, capabilities, environment, mounts, devices', () => {
    const flags = [
      ...['--seccomp', '--read-only', '--env=A=1'],
      ...['--cap-drop=CAP_CHOWN', '--cwd=/srv', '--device=/dev/fuse'],
      `--mount=type=bind,src=${part.path},dst=/host,options=rbind:ro`,
    ]
    const script =
      'echo $A; pwd; touch /x 2>&1; ls /host/image.tar; test -c /dev/fuse && echo fuse; grep ^Seccomp: /proc/self/status'
    expect(lines(ctr(...run('--rm', ...flags), 'flags', 'sh', '-c', script))).toEqual([
      ...['1', '/srv', 'touch: /x: Read-only file system', '/host/image.tar', 'fuse', 'Seccomp:\t2'],
    ])
  })

  test('exec: exit codes, a terminal, several at once', async () => {
    using _ = running('exec')
    expect(tryCtr('task', 'exec', '--exec-id=a', 'exec', 'sh', '-c', 'echo in; exit 9')).toMatchObject({
      status: 9,
      stdout: 'in\n',
    })
    const terminal = ['ctr', '-n', 'lctest', 'task', 'exec', '-t', '--exec-id=b', 'exec', 'sh', '-c', 'tty; sleep 0.5']
    expect(part.onTerminal(terminal).stdout).toMatch(/^\/dev\/pts\/\d\n$/)
    expect(tryCtr('task', 'exec', '--exec-id=c', 'exec', 'absent').status).not.toBe(0)
    ctr('task', 'exec', '-d', '--exec-id=d', 'exec', 'sleep', '1000')
    expect(lines(ctr('task', 'ps', 'exec'))).toHaveLength(3)
    ctr('task', 'kill', '-s', 'SIGKILL', '--exec-id=d', 'exec')
    await until('the second sleep is gone', () => lines(ctr('task', 'ps', 'exec')).length === 2)
  })

  test('pause, resume, limits, metrics', () => {
    using _ = running('seen', '--memory-limit=67108864', '--cpus=0.5')
    const state = (): string | undefined => /^seen\s+\d+\s+(\w+)/m.exec(ctr('task', 'list'))?.[1]
    ctr('task', 'pause', 'seen')
    expect(state()).toBe('PAUSED')
    ctr('task', 'resume', 'seen')
    expect(state()).toBe('RUNNING')
    const metrics = JSON.parse(ctr('task', 'metrics', '--format=json', 'seen')) as Metrics
    expect(metrics.pids.current).toBe(1)
    expect(metrics.memory.usage.limit).toBe(64 << 20)
    expect(metrics.memory.usage.usage).toBeGreaterThan(0)
  })

  test('kill: a signal that is caught, and one that is not', async () => {
    ctr(...run('-d'), 'caught', 'sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.1; done')
    const stopped = (): boolean => ctr('task', 'list').includes('STOPPED')
    ctr('task', 'kill', '-s', 'SIGTERM', 'caught')
    await until('it stopped', stopped)
    expect(tryCtr('task', 'delete', 'caught').stderr).toContain('exit code 3')
    ctr('container', 'delete', 'caught')
    ctr(...run('-d'), 'killed', 'sleep', '1000')
    ctr('task', 'kill', '-s', 'SIGKILL', 'killed')
    await until('it stopped', stopped)
    expect(tryCtr('task', 'delete', 'killed').stderr).toContain('exit code 137')
    ctr('container', 'delete', 'killed')
  })

  test('containers outlive containerd, and are served by the next one', async () => {
    using _ = running('outlives')
    await part.stop(daemon, 'SIGKILL')
    await start()
    expect(ctr('task', 'exec', '--exec-id=again', 'outlives', 'echo', 'again')).toBe('again')
  })
})
