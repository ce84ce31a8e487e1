import { appendFileSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { IMAGE, imageArchive } from './image.js'
import { type Answer, lines, Part, type RunOptions, until } from './part.js'
import { configurePodman } from './podman.js'

const needs = requires('root', 'rootfs', 'program:podman', 'program:conmon', 'program:newuidmap')

const ID = 61234
const NAME = 'lctest'

describe('OL-23 podman of an ordinary user', needs, () => {
  let part: Part
  let env: NodeJS.ProcessEnv = {}
  const asUser = (...command: string[]): string[] => [
    ...['setpriv', '--reuid', NAME, '--regid', NAME, '--clear-groups', '--inh-caps=-all'],
    ...['env', '-C', env.HOME!, ...command],
  ]
  const tryPodman = (args: readonly string[], options: RunOptions = {}): Answer =>
    part.try(asUser('podman', ...args), { env, ...options })
  const podman = (...args: string[]): string => part.run(asUser('podman', ...args), { env })
  const inside = (flags: readonly string[], ...command: string[]): string =>
    podman('run', '--rm', '--network=none', ...flags, IMAGE, ...command)
  function running(name: string, ...flags: string[]): Disposable {
    podman('run', '-d', '--name', name, '--network=none', ...flags, IMAGE, 'sleep', '1000')
    return { [Symbol.dispose]: () => void podman('rm', '-f', '-t', '0', name) }
  }

  beforeAll(() => {
    part = new Part('rootless', { cgroups: [] })
    configurePodman(part.runtime)
    const home = join(part.path, 'home')
    env = { HOME: home, USER: NAME, XDG_RUNTIME_DIR: `/run/user/${ID}` }
    // The machine's /etc is a copy.
    appendFileSync('/etc/passwd', `${NAME}:x:${ID}:${ID}::${home}:/bin/sh\n`)
    appendFileSync('/etc/group', `${NAME}:x:${ID}:\n`)
    for (const file of ['/etc/subuid', '/etc/subgid']) writeFileSync(file, `${NAME}:1000000:65536\n`)
    mkdirSync('/run/user', { recursive: true })
    for (const own of [home, env.XDG_RUNTIME_DIR!]) {
      mkdirSync(own, { mode: 0o700 })
      chownSync(own, ID, ID)
    }
    copyFileSync(imageArchive(part.path), join(home, 'image.tar'))
    chownSync(join(home, 'image.tar'), ID, ID)
    podman('load', '-q', '-i', join(home, 'image.tar'))
  })

  afterAll(async () => {
    const version = podman('--version')
    tryPodman(['pod', 'rm', '-af', '-t', '0'])
    tryPodman(['rm', '-af', '-t', '0'])
    // The process that keeps the user namespace.
    podman('system', 'migrate')
    expect(await part.end(version)).toEqual([])
  })

  test('run: output, input, exit code; root inside, the user outside', () => {
    const command = ['run', '--rm', '-i', '--network=none', IMAGE, 'sh', '-c', 'cat; id -u; exit 7']
    expect(tryPodman(command, { input: 'in\n' })).toMatchObject({ status: 7, stdout: 'in\n0\n' })
    expect(
      lines(inside([], 'cat', '/proc/self/uid_map'))[0]
        ?.trim()
        .split(/\s+/),
    ).toEqual(['0', String(ID), '1'])
    expect(tryPodman(['run', '--rm', '--network=none', IMAGE, 'absent'])).toMatchObject({ status: 127 })
  })

  test('run -it', () => {
    // Podman may lose what is said right before the end: with runc, too.
    const command = `podman run --rm -it --network=none ${IMAGE} sh -c 'tty; sleep 1; exit 5'`
    const { status, stdout } = part.onTerminal(asUser('sh', '-c', command), { env })
    expect({ status, stdout }).toEqual({ status: 5, stdout: '/dev/pts/0\n' })
  })

  test('exec, top, logs, kill, rm -f', async () => {
    const script = 'trap "echo got USR1" USR1; echo begun; while :; do sleep 0.1; done'
    podman('run', '-d', '--name', 'alive', '--network=none', IMAGE, 'sh', '-c', script)
    await until('the program runs', () => podman('logs', 'alive') === 'begun')
    expect(tryPodman(['exec', 'alive', 'sh', '-c', 'exit 9'])).toMatchObject({ status: 9 })
    expect(podman('exec', '-u', '1000', 'alive', 'id', '-u')).toBe('1000')
    expect(podman('top', 'alive', 'pid', 'user', 'comm')).toMatch(/\b1\s+root\s+sh\b/)
    podman('kill', '--signal=USR1', 'alive')
    await until('the signal came', () => lines(podman('logs', 'alive')).includes('got USR1'))
    podman('rm', '-f', '-t', '0', 'alive')
    expect(podman('ps', '-aq')).toBe('')
  })

  test('volumes, tmpfs, --read-only, --user, --cap-drop, seccomp', () => {
    const flags = ['-v', 'kept:/kept', '--tmpfs=/scratch', '--read-only', '--user=1000', '--cap-drop=all']
    const script =
      'touch /x 2>&1; touch /scratch/x && echo scratch; id -u; grep -E "^(CapEff|Seccomp):" /proc/self/status'
    expect(lines(inside(flags, 'sh', '-c', script))).toEqual([
      'touch: /x: Read-only file system',
      'scratch',
      '1000',
      'CapEff:\t0000000000000000',
      'Seccomp:\t2',
    ])
    podman('volume', 'rm', 'kept')
  })

  test('pod', () => {
    podman('pod', 'create', '--name', 'pod', '--network=none', '--share', 'net,ipc,uts')
    for (const name of ['one', 'two']) podman('run', '-d', '--pod', 'pod', '--name', name, IMAGE, 'sleep', '1000')
    const script = 'readlink /proc/self/ns/net; readlink /proc/self/ns/uts'
    const of = (name: string): string => podman('exec', name, 'sh', '-c', script)
    expect(of('one')).toBe(of('two'))
    podman('pod', 'rm', '-f', '-t', '0', 'pod')
  })

  test('--userns=keep-id: the user is himself inside', () => {
    using _ = running('same', '--userns=keep-id')
    expect(podman('exec', 'same', 'id', '-u')).toBe(String(ID))
  })
})
