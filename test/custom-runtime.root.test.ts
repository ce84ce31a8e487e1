import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { busyboxRootfs, requires } from './support/index.js'

const program = (name: string): string => fileURLToPath(new URL(`../docs/custom-runtime/${name}`, import.meta.url))

function run(name: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(name), ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

/** The only child of a process, whichever of its threads has made it. */
function childOf(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
    .filter(child => child !== '')
  expect(children).toHaveLength(1)
  return Number(children[0])
}

test('the runtime has at most forty lines and does without container', () => {
  const source = readFileSync(program('runtime.mjs'), 'utf8')
  expect(source.split('\n').length - 1).toBeLessThanOrEqual(40)
  const imports = [...source.matchAll(/from '(.*)'/g)].map(([, name]) => name)
  expect(imports.sort()).toEqual(['init', 'mount', 'namespaces', 'sys'].map(name => `@libcontainer/${name}`))
})

test(
  'XT-11 the runtime runs a program as process 1 of a root of its own, after its own step',
  requires('root', 'rootfs'),
  () => {
    const script =
      'hostname; echo $$; cat /proc/sys/net/ipv4/ping_group_range; ls -d /etc /host-only 2>&1 | sort; exit 7'
    const { status, stdout, stderr } = run('runtime.mjs', busyboxRootfs(), '/bin/sh', '-c', script)
    expect({ status, stderr }).toEqual({ status: 7, stderr: '' })
    const [hostname, pid, range, etc] = stdout.split('\n')
    expect({ hostname, pid, range, etc }).toEqual({
      hostname: 'forty-lines',
      pid: '1',
      range: '0\t2147483647',
      etc: '/etc',
    })
  },
)

test('a program that is not there is told of by its step', requires('root', 'rootfs'), () => {
  const { status, stderr } = run('runtime.mjs', busyboxRootfs(), 'nothing-of-this-name')
  expect(status).toBe(1)
  expect(stderr).toContain('nothing-of-this-name')
  expect(stderr).toContain('ENOENT')
})

test('XT-11 cgroups alone limit a child process', requires('root'), () => {
  const { status, stdout, stderr } = run('limit.mjs', '/bin/sh', '-c', 'cat /proc/self/cgroup; exit 3')
  expect(status).toBe(3)
  expect(stdout).toMatch(/memory:\/limit-\d+|::\/limit-\d+/)
  expect(stderr).toContain('at most')
  const hungry = run('limit.mjs', process.execPath, '-e', 'Buffer.alloc(256 * 1024 * 1024, 1)')
  expect(hungry.stderr).toMatch(/^SIGKILL: at most \d+ bytes, killed [1-9]/m)
})

test('a program enters the namespaces of another process', requires('root', 'rootfs'), async () => {
  const script = ['/bin/sh', '-c', 'echo ready; exec sleep 1000']
  const runtime = spawn(process.execPath, [program('runtime.mjs'), busyboxRootfs(), ...script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(runtime.stdout, 'data')
  const inside = childOf(runtime.pid!)
  onTestFinished(async () => {
    process.kill(inside, 'SIGKILL')
    if (runtime.exitCode === null) await once(runtime, 'exit')
  })
  const { status, stdout, stderr } = run(
    'enter.mjs',
    String(inside),
    '/bin/sh',
    '-c',
    'hostname; for n in /proc/self/ns/*; do readlink $n; done; cat /proc/1/comm',
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const lines = stdout.trim().split('\n')
  expect(lines[0]).toBe('forty-lines')
  for (const kind of ['ipc', 'mnt', 'net', 'pid', 'uts'])
    expect(lines).toContain(readlinkSync(`/proc/${inside}/ns/${kind}`))
  expect(lines.at(-1)).toBe('sleep')
})

test('a process that is gone cannot be entered', requires('root'), () => {
  const { status, stderr } = run('enter.mjs', '4194303')
  expect(status).toBe(1)
  expect(stderr).toContain('ESRCH')
})
