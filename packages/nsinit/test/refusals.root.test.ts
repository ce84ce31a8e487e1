import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, together } from '../../../test/support/index.js'
import { Bench, either, hosts } from './hosts.js'

/** Expects a refusal that says this, leaves nothing, and shows no stack. */
function refused(bench: Bench, args: readonly string[], message: RegExp, hint?: RegExp): void {
  const { status, stdout, stderr } = bench.run(args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  const [first, second, ...more] = stderr.trimEnd().split('\n')
  expect(first).toMatch(message)
  if (hint !== undefined) expect(second).toMatch(hint)
  expect(more).toEqual([])
  expect(bench.left()).toEqual([])
}

describe.each(hosts)('on $name', host => {
  test('no container.json', host.needs, () => {
    using bench = new Bench(host, null)
    const message = new RegExp(`^nsinit: there is no container.json in ${bench.path}$`)
    for (const command of ['exec', 'plan'])
      refused(bench, [command], message, /^hint: nsinit config --rootfs DIR --file container.json makes one/)
  })
})

describe.each(either)('on $name', host => {
  test.each([
    ['{\n\t"rootfs": "/",\n\t"hostname": oops\n}', /container\.json:3:14: is no JSON: a value must stand here$/],
    ['[]', /^nsinit: container\.json: must hold an object \(got \[\]\)$/],
    ['null', /^nsinit: container\.json: must hold an object/],
    ['', /container\.json:1:1: is no JSON: the text ends too early$/],
    ['[[[[', /container\.json:1:5: is no JSON: the text ends too early$/],
  ])('container.json that is %j', host.needs, (text, message) => {
    using bench = new Bench(host)
    bench.write(text)
    refused(bench, ['exec', 'true'], message)
  })

  test('container.json that is no file, or too large', host.needs, () => {
    using bench = new Bench(host, null)
    execFileSync('mkfifo', [join(bench.path, 'container.json')])
    refused(bench, ['exec', 'true'], /container\.json must be a file, not a fifo$/)
    execFileSync('rm', [join(bench.path, 'container.json')])
    bench.write(' '.repeat(5 << 20))
    refused(bench, ['exec', 'true'], /container\.json must have at most 4194304 bytes, not 5242880$/)
  })

  test.each([
    [{ hostnam: 'x' }, /^nsinit: hostnam: is no field of a container; there are rootfs, /],
    [{ process: { arg: ['x'] } }, /^nsinit: process\.arg: is no field of a process; there are args, /],
    // What only a program may ask for: descriptors of ours, for one.
    [{ process: { extraFds: [3] } }, /^nsinit: process\.extraFds: is no field of a process/],
    [{ process: { stdio: 'null' } }, /^nsinit: process\.stdio: is no field of a process/],
    [{ process: [] }, /^nsinit: process: must be an object/],
    [{ process: { cwd: 'relative' } }, /^nsinit: process\.cwd: must be absolute/],
    [{ rootfs: 7 }, /^nsinit: rootfs: must be a string \(got 7\)$/],
    [{ rootfs: 'absent' }, /^nsinit: rootfs: cannot be used: ENOENT \(got ".*\/absent"\)$/],
    [{ rootfs: 'container.json' }, /^nsinit: rootfs: must be a directory, not a file/],
    [{ namespaces: ['mnt', 'moon'] }, /^nsinit: namespaces\[1\].*moon/],
    [{ capabilities: ['CAP_FLY'] }, /^nsinit: capabilities.*CAP_FLY/],
    [{ mounts: [{ destination: 7, type: 'tmpfs' }] }, /^nsinit: mounts\[0\]\.destination: /],
    [{ parentDeathSignal: 'SIGNOTHING' }, /^nsinit: parentDeathSignal: /],
    [{ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }, /^nsinit: rlimits\[0\]\.type: /],
    [{ cgroups: { memory: { max: -5 } } }, /^nsinit: cgroups\.memory\.max: /],
  ])('%j', host.needs, (config, message) => {
    using bench = new Bench(host, config)
    refused(bench, ['exec', 'true'], message)
  })

  test('words of container.json that are no list', host.needs, () => {
    using bench = new Bench(host, { process: { args: 'sh' } })
    refused(bench, ['exec'], /^nsinit: process\.args: must name a program \(got "sh"\)$/)
  })

  test('a rootfs that is a loop of links', host.needs, () => {
    using bench = new Bench(host, { rootfs: 'loop' })
    symlinkSync('loop', join(bench.path, 'loop'))
    refused(bench, ['exec', 'true'], /^nsinit: rootfs: cannot be used: ELOOP/)
  })

  test('a program that does not exist or cannot be executed', host.needs, () => {
    using bench = new Bench(host)
    refused(bench, ['exec', 'absent'], /cannot start .*ENOENT: .*execve.*absent/)
    refused(bench, ['exec', '/etc/passwd'], /cannot start .*EACCES: .*execve.*\/etc\/passwd/)
    refused(bench, ['exec', '/etc'], /cannot start .*EACCES/)
  })

  test('a joined program that does not exist leaves the container alone', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line; exit 2'])
    await first.wrote('ready')
    const { status, stderr } = bench.run(['exec', 'absent'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^nsinit: cannot run a process in .*ENOENT/)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(2)
    expect(bench.left()).toEqual([])
  })

  test('an unknown user', host.needs, () => {
    using bench = new Bench(host, { process: { user: 'nobody-here' } })
    refused(bench, ['exec', 'true'], /nobody-here/)
  })

  test('a container that does not run', host.needs, () => {
    using bench = new Bench(host)
    for (const command of ['state', 'stats', 'pause', 'unpause'])
      refused(
        bench,
        [command],
        new RegExp(`^nsinit: no container runs in ${bench.path}$`),
        /^hint: nsinit exec starts one; --id/,
      )
  })

  test('a directory that does not exist, or is none', host.needs, () => {
    using bench = new Bench(host)
    for (const data_path of ['/absent/x', '/etc/passwd']) {
      const { status, stderr } = bench.run(['exec'], { env: { data_path } })
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: `nsinit: data_path: must be a directory that exists (got "${data_path}")\n`,
      })
    }
    expect(bench.left()).toEqual([])
  })

  test('a state root that is relative, a file, or cannot be written', host.needs, () => {
    using bench = new Bench(host)
    const last = (root: string): readonly string[] => ['--root', root, 'exec', 'true']
    refused(bench, last('relative'), /^nsinit: root: must be an absolute path/)
    const file = join(bench.path, 'file')
    writeFileSync(file, '')
    refused(bench, last(`${file}/state`), /^nsinit: cannot use the state root .*ENOTDIR/)
    refused(bench, last('/proc/state'), /^nsinit: cannot use the state root \/proc\/state: ENOENT/)
  })

  test('a directory that cannot be written: it runs, and says that there will be no state.json', host.needs, () => {
    using bench = new Bench(host, null)
    const rootfs = busyboxRootfs()
    // A file system in which nobody can make a file: the host's /proc, with a config beside it, is not to be had.
    const script = `mount -t tmpfs none ${bench.path} && echo '{"rootfs":"${rootfs}"}' > ${bench.path}/container.json && mount -o remount,ro ${bench.path} && exec "$0" "$@"`
    const [program, ...args] = bench.command(['exec', 'echo', 'ran'])
    const result = spawnSync('unshare', ['--mount', 'sh', '-c', script, program, ...args], {
      encoding: 'utf8',
      env: { ...process.env, data_path: bench.path },
    })
    expect(result.stdout).toBe('ran\n')
    expect(result.stderr).toMatch(/^nsinit: warning: there will be no state\.json in .*EROFS/)
    expect(result.status).toBe(0)
    expect(bench.left()).toEqual([])
  })

  test(
    'a user without privilege is told what is missing',
    together(host.needs, requires('reachable', 'program:setpriv')),
    () => {
      using bench = new Bench(host)
      chmodSync(bench.path, 0o755)
      const [program, ...args] = bench.command(['exec', 'true'])
      const asNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', program, ...args]
      mkdirSync(bench.stateRoot, { mode: 0o700 })
      const denied = spawnSync('setpriv', asNobody, {
        encoding: 'utf8',
        cwd: bench.path,
        env: { PATH: process.env.PATH },
      })
      expect(denied.status).toBe(1)
      expect(denied.stderr).toMatch(/EACCES|EPERM/)
    },
  )

  test(
    'CL-17 config prints the config of the directory, or writes a new one that runs, and never over another',
    host.needs,
    () => {
      using bench = new Bench(host, { hostname: 'printed' })
      expect(bench.run(['config']).stdout).toBe(
        JSON.stringify({ rootfs: busyboxRootfs(), hostname: 'printed' }, null, '\t'),
      )
      const file = join(bench.path, 'new.json')
      expect(bench.run(['config', '--rootfs', busyboxRootfs(), '--file', file])).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      })
      refused(bench, ['config', '--rootfs', '/x', '-f', file], /^nsinit: --file: must not exist/)
      execFileSync('mv', [file, join(bench.path, 'container.json')])
      expect(bench.run(['exec', 'hostname'])).toEqual({ status: 0, stdout: 'nsinit\n', stderr: '' })
    },
  )

  test('plan prints the steps and touches nothing', host.needs, () => {
    using bench = new Bench(host, { hostname: 'planned' })
    const { status, stdout } = bench.run(['plan', 'echo', 'never'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^STEP {2}OPERATION +WHAT IT DOES\n {6}clone3 +make a process in new namespaces: /)
    expect(stdout).toMatch(/^ *\d+ {2}mountFilesystem +mount proc on \/proc/m)
    expect(stdout).not.toContain('never\n')
    const data = JSON.parse(bench.run(['plan', '--json', 'echo', 'never']).stdout)
    expect(data.clone).toContain('pid')
    expect(data.steps).toHaveLength(stdout.trimEnd().split('\n').length - 2)
    expect(data.steps.at(-1)).toMatchObject({ op: 'execProgram', number: data.steps.length })
    expect(data.steps.map(({ op }: { op: string }) => op)).toContain('setHostname')
    expect(bench.left()).toEqual([])
  })
})
