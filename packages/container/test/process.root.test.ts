import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ContainerConfig, DEFAULT_PATH, Process, type ProcessSpec, plan } from '@libcontainer/container'
import { announceExec, bootstrap, execProgram, findProgram } from '@libcontainer/init'
import { O_RDWR, openFile, openNull, POLLIN, pipe, poll, readFd } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { busyboxRootfs, Running, requires, temporaryDirectory, until } from '../../../test/support/index.js'
import { everything } from './everything.js'
import { Bench, finished, hostIds, inside, ownRootfs, printed, read, sh, sleeper } from './support.js'

const needs = requires('root', 'rootfs')

const statusOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split('\n').map(line => line.split(':\t') as [string, string]))

/** What this process may hand on: a test's expectations are cut to it. */
const own = statusOf(readFileSync('/proc/self/status', 'utf8'))
const available = BigInt(`0x${own.CapBnd}`) & BigInt(`0x${own.CapPrm}`)
const mask = (...bits: number[]): string =>
  (bits.reduce((all, bit) => all | (1n << BigInt(bit)), 0n) & available).toString(16).padStart(16, '0')
const [CHOWN, DAC_OVERRIDE, KILL, NET_BIND_SERVICE, SYS_RESOURCE, AUDIT_WRITE] = [0, 1, 5, 10, 24, 29]
const NONE = mask()
const mayRaise = ((BigInt(`0x${own.CapEff}`) >> BigInt(SYS_RESOURCE)) & 1n) === 1n

describe('program, environment, working directory', () => {
  test('PR-01 PR-20 without more than args: root, in /, with PATH and HOME alone', needs, async () => {
    await using bench = await Bench.open('plain')
    const script = 'pwd; id; umask; readlink /proc/self/fd/0'
    expect(await bench.text(script)).toBe('/\nuid=0(root) gid=0(root)\n0022\n/dev/null')
    const { stdout } = await bench.run({ args: ['/bin/cat', '/proc/self/environ'] })
    expect(stdout).toBe(`PATH=${DEFAULT_PATH}\0HOME=/root\0`)
  })

  test('PP-06 the environment is the list, in order, and nothing of this process', needs, async () => {
    await using bench = await Bench.open('env')
    process.env.LD_PRELOAD_TEST = 'host'
    const env = ['B=2', 'A=1', 'B=3', 'EMPTY=', 'LINES=a\nb', 'UTF=ü😀', 'PATH=/bin', 'EQ=a=b']
    const { stdout } = await bench.run({ args: ['/bin/cat', '/proc/self/environ'], env })
    expect(stdout.split('\0')).toEqual([
      'B=3',
      'A=1',
      'EMPTY=',
      'LINES=a\nb',
      'UTF=ü😀',
      'PATH=/bin',
      'EQ=a=b',
      'HOME=/root',
      '',
    ])
    delete process.env.LD_PRELOAD_TEST
  })

  test('PP-06 an environment of 2000 variables and arguments of 100 kB arrive whole', needs, async () => {
    await using bench = await Bench.open('large')
    const env = ['PATH=/bin', ...Array.from({ length: 2000 }, (_, i) => `VARIABLE_${i}=${'x'.repeat(20)}`)]
    const { stdout, code } = await bench.run({
      args: ['/bin/sh', '-c', 'echo -n $1 | wc -c; env | grep -c VARIABLE', 'sh', 'y'.repeat(100_000)],
      env,
    })
    expect([stdout, code]).toEqual(['100000\n2000\n', 0])
  })

  test('PP-06 HOME: given, of the user’s entry, or /', needs, async () => {
    await using bench = await Bench.open('home')
    const home = async (spec: Partial<ProcessSpec>): Promise<string> => await bench.text('echo $HOME', {}, spec)
    expect(await home({ user: 'user' })).toBe('/home/user')
    expect(await home({ user: { uid: 1000 } })).toBe('/home/user')
    expect(await home({ user: { uid: 4321 } })).toBe('/')
    expect(await home({ user: 'user', env: ['HOME=/else'] })).toBe('/else')
    expect(await home({ user: 'user', env: ['HOME='] })).toBe('/home/user')
  })

  test('PP-07 args[0] is looked up in PATH of its own environment, inside the container', needs, async () => {
    await using bench = await Bench.open('path')
    using rootfs = ownRootfs()
    for (const name of ['one', 'two']) {
      mkdirSync(join(rootfs.path, name))
      writeFileSync(join(rootfs.path, name, 'tool'), `#!/bin/sh\necho ${name} $0\n`, {
        mode: name === 'one' ? 0o644 : 0o755,
      })
    }
    mkdirSync(join(rootfs.path, 'one', 'dir'))
    writeFileSync(join(rootfs.path, 'two', 'dir'), '#!/bin/sh\necho dir\n', { mode: 0o755 })
    const run = async (name: string, PATH: string, cwd = '/'): Promise<string> =>
      printed(await bench.run({ args: [name], env: { PATH }, cwd }, { rootfs: rootfs.path }))
    // What may not be executed, and directories, are passed over.
    expect(await run('tool', '/one:/two')).toBe('two /two/tool')
    expect(await run('dir', '/one:/two')).toBe('dir')
    expect(await run('tool', '/nowhere::/one', '/two')).toBe('two ./tool')
    expect(await run('./tool', '/nowhere', '/two')).toBe('two ./tool')
    expect(await run('tool', '/two/')).toBe('two /two//tool')
  })

  test('PP-07 IN-12 EV-102 what is not found, with the remedy, before anything runs', needs, async () => {
    await using bench = await Bench.open('absent')
    const refused = async (spec: ProcessSpec, errno: number, hint: RegExp, config = {}): Promise<void> => {
      for (const way of ['run', 'start'] as const) {
        const container = await bench.create(config)
        const error: Error = await container[way](spec).catch(thrown => thrown)
        expect(error).toMatchObject({ code: 'SystemError', errno, hint: expect.stringMatching(hint) })
        expect(error.message).toContain(JSON.stringify(spec.args[0]).slice(1, -1))
        expect(await container.status()).toBe('stopped')
        await container.destroy()
      }
    }
    await refused({ args: ['no-such'] }, -2, /no directory of PATH .*\/usr\/local\/sbin.* has it in the rootfs/)
    await refused({ args: ['true'], env: ['PATH=/nowhere'] }, -2, /PATH \(\/nowhere\)/)
    await refused({ args: ['true'], env: ['PATH='], cwd: '/tmp' }, -2, /PATH/)
    await refused({ args: [''] }, -2, /PATH/)
    await refused({ args: ['/no/such'] }, -2, /inside the rootfs/)
    await refused({ args: ['/bin'] }, -13, /regular file/)
    await refused({ args: ['/etc/passwd'] }, -13, /execute/)
    await expect(bench.run({ args: ['/bin/true/x'] })).rejects.toMatchObject({ errno: -20, path: '/bin/true/x' })
    await expect(bench.run({ args: [`/${'x'.repeat(5000)}`] })).rejects.toMatchObject({ errno: -36 })
  })

  test('PP-07 by effective rights: a program of another user, with and without CAP_DAC_OVERRIDE', needs, async () => {
    await using bench = await Bench.open('rights')
    using rootfs = ownRootfs()
    const tool = join(rootfs.path, 'tool')
    writeFileSync(tool, '#!/bin/sh\necho ran\n', { mode: 0o700 })
    chownSync(tool, 1000, 1000)
    const config = { rootfs: rootfs.path }
    await expect(bench.run({ args: ['/tool'] }, config)).rejects.toMatchObject({ errno: -13 })
    await expect(bench.run({ args: ['/tool'], user: 'nobody' }, config)).rejects.toMatchObject({ errno: -13 })
    expect(printed(await bench.run({ args: ['/tool'], user: 'user' }, config))).toBe('ran')
    const capabilities = ['CAP_DAC_OVERRIDE']
    expect(printed(await bench.run({ args: ['/tool'], capabilities }, config))).toBe('ran')
  })

  test('PP-08 the kernel’s own errors: no format, no interpreter', needs, async () => {
    await using bench = await Bench.open('format')
    using rootfs = ownRootfs()
    const file = (name: string, text: string): string[] => {
      writeFileSync(join(rootfs.path, name), text, { mode: 0o755 })
      return [`/${name}`]
    }
    const config = { rootfs: rootfs.path }
    await expect(bench.run({ args: file('text', 'hello\n') }, config)).rejects.toMatchObject({
      errno: -8,
      message: expect.stringContaining('ENOEXEC'),
      hint: expect.stringContaining('#!'),
      step: expect.stringContaining('execute /text'),
    })
    await expect(bench.run({ args: file('script', '#!/no/interpreter\n') }, config)).rejects.toMatchObject({
      errno: -2,
      hint: expect.stringContaining('interpreter'),
    })
    await expect(bench.run({ args: file('empty', '') }, config)).rejects.toMatchObject({ errno: -8 })
    await expect(bench.run({ args: file('elf', '\x7fELF') }, config)).rejects.toMatchObject({ errno: -8 })
  })

  test('PR-01 EV-101 a missing working directory is made, 0755, root’s, with its parents', needs, async () => {
    await using bench = await Bench.open('cwd')
    using rootfs = ownRootfs()
    const config = { rootfs: rootfs.path, umask: 0o77 }
    expect(await bench.text('pwd', config, { cwd: '/srv/a/b', user: 'user' })).toBe('/srv/a/b')
    for (const path of ['srv/a', 'srv/a/b']) {
      const { mode, uid, gid } = statSync(join(rootfs.path, path))
      expect([mode & 0o7777, uid, gid]).toEqual([0o755, 0, 0])
    }
    expect(await bench.text('pwd', config, { cwd: '/srv//a/../a/./' })).toBe('/srv/a')
    // A link of the image is followed inside it.
    symlinkSync('/tmp', join(rootfs.path, 'link'))
    expect(await bench.text('pwd -P', config, { cwd: '/link/made' })).toBe('/tmp/made')
    expect(statSync(join(rootfs.path, 'tmp/made')).isDirectory()).toBe(true)
  })

  test('EV-101 EV-090 what is no directory, and one that cannot be made', needs, async () => {
    await using bench = await Bench.open('cwd')
    const refused = async (cwd: string, errno: number, config: Partial<ContainerConfig> = {}): Promise<void> => {
      const error: Error = await bench.run(sh('pwd', { cwd }), config).catch(thrown => thrown)
      expect(error).toMatchObject({ code: 'SystemError', errno, path: cwd, step: expect.stringContaining(cwd) })
    }
    await refused('/etc/passwd', -20)
    await refused('/etc/passwd/below', -20)
    await refused('/made/here', -30, { readonlyRootfs: true })
  })

  test('IN-14 a directory that only root may enter is entered by root, before the change of user', needs, async () => {
    await using bench = await Bench.open('cwd')
    using rootfs = ownRootfs()
    mkdirSync(join(rootfs.path, 'closed'), { mode: 0o700 })
    const spec = { cwd: '/closed', user: 'user' }
    expect(
      await bench.text('pwd; ls / | grep -c closed; ls . 2>&1; cd /closed 2>&1; true', { rootfs: rootfs.path }, spec),
    ).toMatch(/^\/closed\n1\n.*denied/)
  })

  test(
    'IN-14 EV-101 one that nobody of the container may enter is refused by name',
    requires('root', 'rootfs', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('cwd')
      using rootfs = ownRootfs()
      chmodSync(rootfs.path, 0o755)
      mkdirSync(join(rootfs.path, 'closed'), { mode: 0o700 })
      const config = {
        rootfs: rootfs.path,
        namespaces: ['mnt', 'pid', 'net', 'ipc', 'user'] as const,
        uidMappings: hostIds,
        gidMappings: hostIds,
      }
      const error: Error = await bench.run(sh('pwd', { cwd: '/closed' }), config).catch(thrown => thrown)
      expect(error).toMatchObject({ errno: -13, path: '/closed', hint: expect.stringContaining('may not enter') })
    },
  )

  test('CVE-2024-21626 IN-14 no descriptor is a way out: cwd or program at /proc/self/fd', needs, async () => {
    await using bench = await Bench.open('breakout')
    using outside = temporaryDirectory('outside-')
    const directory = openSync(outside.path, 'r')
    try {
      for (const extraFds of [[], [directory, directory]])
        for (let fd = 0; fd < 16; fd++) {
          const cwd = `/proc/self/fd/${fd}`
          const ran = await bench.run(sh('pwd -P', { cwd, extraFds })).catch(thrown => thrown)
          expect(ran, cwd).toMatchObject({ code: 'SystemError' })
          const below = await bench.run(sh('pwd -P', { cwd: `${cwd}/below`, extraFds })).catch(thrown => thrown)
          expect(below, cwd).toMatchObject({ code: 'SystemError' })
        }
      expect(execFileSync('ls', ['-A', outside.path]).toString()).toBe('')
    } finally {
      closeSync(directory)
    }
  })
})

describe('users and groups', () => {
  const who = 'id -u; id -g; id -G'
  const ids = (text: string): string[] => text.split('\n')

  test('PR-02 US-07 a user by numbers, by name, by specification', needs, async () => {
    await using bench = await Bench.open('user')
    const cases: [ProcessSpec['user'], string[]][] = [
      [{ uid: 5, gid: 6 }, ['5', '6', '6']],
      [{ uid: 7 }, ['7', '0', '0']],
      ['user', ['1000', '1000', '1000']],
      ['1000', ['1000', '1000', '1000']],
      ['4321', ['4321', '0', '0']],
      ['user:0', ['1000', '0', '0']],
      ['1:user', ['1', '1000', '1000']],
      ['', ['0', '0', '0']],
    ]
    for (const [user, expected] of cases) {
      const got = ids(await bench.text(who, {}, { user }))
      expect([user, got[0], got[1]]).toEqual([user, ...expected.slice(0, 2)])
      expect(got[2]!.split(' ')).toContain(expected[2])
    }
  })

  test('PR-03 US-04 supplementary groups: the user’s own, and additional ones by number and name', needs, async () => {
    await using bench = await Bench.open('groups')
    using rootfs = ownRootfs()
    writeFileSync(
      join(rootfs.path, 'etc/group'),
      'root:x:0:\nwheel:x:10:user,root\naudio:x:63:user\nuser:x:1000:\nextra:x:77:\n',
    )
    const config = { rootfs: rootfs.path }
    const groups = async (spec: Partial<ProcessSpec>): Promise<string[]> =>
      (await bench.text('grep ^Groups: /proc/self/status', config, spec))
        .replace('Groups:\t', '')
        .trim()
        .split(' ')
        .filter(Boolean)
        .sort()
    expect(await groups({ user: 'user' })).toEqual(['10', '63'])
    expect(await groups({ user: 'user', additionalGroups: ['extra', 5, 10, '5'] })).toEqual(['10', '5', '63', '77'])
    expect(await groups({ user: { uid: 1000, gid: 1000 } })).toEqual([])
    expect(await groups({ user: { uid: 1000 }, env: ['HOME=/', 'PATH=/bin'], additionalGroups: [8, 9] })).toEqual([
      '8',
      '9',
    ])
    expect(await groups({})).toEqual([])
  })

  test('EV-116 what names nobody, or nothing: ConfigInvalid with its field, and nothing runs', needs, async () => {
    await using bench = await Bench.open('nobody')
    for (const user of [
      'no-such',
      'user:no-such',
      'a:b:c',
      ':',
      'user:',
      ' user',
      '-1',
      '+1',
      '2147483648',
      '4294967296000',
    ]) {
      const container = await bench.create()
      const error: Error = await container.run(sh('id', { user })).catch(thrown => thrown)
      expect(error, user).toMatchObject({
        name: expect.stringMatching(/ConfigInvalid|IdOutOfRange/),
        code: 'ConfigInvalid',
      })
      expect(error.message, user).toContain('process.user')
      expect(await container.status()).toBe('stopped')
      await container.destroy()
    }
    await expect(bench.run(sh('id', { additionalGroups: ['no-such'] }))).rejects.toThrow(
      /process\.additionalGroups\[0\].*no-such/,
    )
  })

  test('CVE-2016-3697 CVE-2026-46680 US-03 digits are a number, whatever the image’s passwd says', needs, async () => {
    await using bench = await Bench.open('digits')
    using rootfs = ownRootfs()
    const config = { rootfs: rootfs.path }
    writeFileSync(join(rootfs.path, 'etc/passwd'), '1000:x:0:0::/root:/bin/sh\n4294967296000:x:0:0::/:/bin/sh\n')
    expect(ids(await bench.text(who, config, { user: '1000' }))[0]).toBe('1000')
    await expect(bench.run(sh('id', { user: '4294967296000' }), config)).rejects.toThrow(/4294967296000/)
  })

  test('US-05 hostile files: a link to the host, a FIFO, a directory, a device, none at all', needs, async () => {
    await using bench = await Bench.open('hostile')
    using host = temporaryDirectory('host-')
    writeFileSync(join(host.path, 'passwd'), 'evil:x:0:0::/:/bin/sh\n')
    const spoil: [string, (path: string) => void][] = [
      ['a link to the host', path => symlinkSync(join(host.path, 'passwd'), path)],
      ['a link that climbs', path => symlinkSync(`${'../'.repeat(20)}${host.path.slice(1)}/passwd`, path)],
      ['a magic link', path => symlinkSync('/proc/1/root/etc/passwd', path)],
      ['a loop', path => symlinkSync('passwd', path)],
      ['a FIFO', path => void execFileSync('mkfifo', [path])],
      ['a directory', path => void mkdirSync(path)],
      ['a device', path => void execFileSync('mknod', [path, 'c', '1', '5'])],
      ['nothing', () => {}],
    ]
    for (const [what, make] of spoil) {
      using rootfs = ownRootfs()
      for (const name of ['passwd', 'group']) {
        rmSync(join(rootfs.path, 'etc', name))
        make(join(rootfs.path, 'etc', name))
      }
      const config = { rootfs: rootfs.path }
      await expect(bench.run(sh('id', { user: 'evil' }), config), what).rejects.toThrow(/no user 'evil'/)
      const seen = await bench.text('grep -E "^[UG]id:" /proc/self/status', config, { user: '1234:5' })
      expect(seen.replaceAll('\t', ' '), what).toBe('Uid: 1234 1234 1234 1234\nGid: 5 5 5 5')
      expect(await bench.text('echo $HOME', config, { user: { uid: 9 } }), what).toBe('/')
    }
  })

  test(
    'US-05 what is no regular file is not even opened: who waits for a reader of a FIFO waits on',
    needs,
    async () => {
      await using bench = await Bench.open('unopened')
      using rootfs = ownRootfs()
      const fifo = join(rootfs.path, 'etc/passwd')
      rmSync(fifo)
      execFileSync('mkfifo', [fifo])
      const writer = new Running(spawn('sh', ['-c', 'echo waiting; : > "$1"; echo opened', 'sh', fifo]))
      try {
        await writer.wrote('waiting')
        const waits = () => /partner|fifo/.test(readFileSync(`/proc/${writer.pid}/wchan`, 'utf8'))
        await until('a writer that waits', waits)
        await expect(bench.run(sh('id', { user: 'somebody' }), { rootfs: rootfs.path })).rejects.toThrow(
          /no user 'somebody'/,
        )
        expect(waits()).toBe(true)
        // A reader lets it go on.
        closeSync(openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK))
        await writer.wrote('opened')
      } finally {
        await writer.killed()
      }
    },
  )

  test('US-05 huge files: read to a bound, then refused', needs, async () => {
    await using bench = await Bench.open('huge')
    using rootfs = ownRootfs()
    const passwd = join(rootfs.path, 'etc/passwd')
    const config = { rootfs: rootfs.path }
    writeFileSync(passwd, `${'# comment\n'.repeat(500_000)}last:x:77:78::/last:/bin/sh\n`)
    expect(ids(await bench.text(`${who}; echo $HOME`, config, { user: 'last' }))).toEqual(['77', '78', '78', '/last'])
    truncateSync(passwd, 2 ** 40)
    const before = process.memoryUsage().rss
    await expect(bench.run(sh('id', { user: 'last' }), config)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringContaining('/etc/passwd'),
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20)
  })

  test(
    'EV-045 an id that the user namespace does not map is told so',
    requires('root', 'rootfs', 'reachable', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('unmapped')
      const map = [{ containerId: 0, hostId: 100000, size: 100 }]
      const config = { namespaces: ['mnt', 'pid', 'net', 'ipc', 'user'] as const, uidMappings: map, gidMappings: map }
      const unmapped = (field: string, kind: string): object => ({
        code: 'ConfigInvalid',
        field,
        message: expect.stringContaining(`unmapped ${kind} 100 in user namespace`),
      })
      const run = async (spec: Partial<ProcessSpec>): Promise<unknown> => await bench.run(sh('id', spec), config)
      await expect(run({ user: { uid: 100 } })).rejects.toMatchObject(unmapped('process.user', 'uid'))
      await expect(run({ user: { uid: 0, gid: 100 } })).rejects.toMatchObject(unmapped('process.user', 'gid'))
      await expect(run({ additionalGroups: [100] })).rejects.toMatchObject(unmapped('process.additionalGroups', 'gid'))
      expect(ids(await bench.text(who, config, { user: { uid: 99, gid: 99 }, additionalGroups: [98] }))[0]).toBe('99')
    },
  )
})

describe('attributes', () => {
  const status = async (bench: Bench, config: Partial<ContainerConfig> = {}, spec: Partial<ProcessSpec> = {}) =>
    statusOf(printed(await bench.run({ args: ['/bin/cat', '/proc/self/status'], ...spec }, config)))
  const caps = ({ CapInh, CapPrm, CapEff, CapBnd, CapAmb }: Record<string, string>) => ({
    CapInh,
    CapPrm,
    CapEff,
    CapBnd,
    CapAmb,
  })

  test('CP-10 CP-11 CVE-2016-8867 the default sets, of root and of another user', needs, async () => {
    await using bench = await Bench.open('caps')
    const three = mask(KILL, NET_BIND_SERVICE, AUDIT_WRITE)
    expect(caps(await status(bench))).toEqual({
      CapInh: NONE,
      CapPrm: three,
      CapEff: three,
      CapBnd: three,
      CapAmb: NONE,
    })
    expect(caps(await status(bench, {}, { user: 'user' }))).toEqual({
      CapInh: NONE,
      CapPrm: NONE,
      CapEff: NONE,
      CapBnd: three,
      CapAmb: NONE,
    })
    const { container } = await bench.running()
    expect(caps(statusOf(await inside(container, 'cat /proc/self/status')))).toEqual({
      CapInh: NONE,
      CapPrm: three,
      CapEff: three,
      CapBnd: three,
      CapAmb: NONE,
    })
  })

  test('PR-09 CP-10 sets of one’s own: none, all, ambient ones for a user', needs, async () => {
    await using bench = await Bench.open('caps')
    expect(caps(await status(bench, { capabilities: [] }))).toEqual({
      CapInh: NONE,
      CapPrm: NONE,
      CapEff: NONE,
      CapBnd: NONE,
      CapAmb: NONE,
    })
    const kept = await status(bench, { capabilities: null })
    expect(kept.CapBnd).toBe(own.CapBnd)
    expect(kept.CapInh).toBe(NONE)
    expect((await status(bench, { capabilities: null }, { user: 'user' })).CapEff).toBe(NONE)
    const names = ['CAP_CHOWN', 'CAP_NET_BIND_SERVICE']
    const five = { bounding: names, permitted: names, effective: names, inheritable: names, ambient: ['CAP_CHOWN'] }
    expect(caps(await status(bench, {}, { capabilities: five, user: 'user' }))).toEqual({
      CapInh: mask(CHOWN, NET_BIND_SERVICE),
      CapPrm: mask(CHOWN),
      CapEff: mask(CHOWN),
      CapBnd: mask(CHOWN, NET_BIND_SERVICE),
      CapAmb: mask(CHOWN),
    })
    expect(caps(await status(bench, {}, { capabilities: ['CAP_DAC_OVERRIDE'] })).CapEff).toBe(mask(DAC_OVERRIDE))
  })

  test(
    'CP-14 secure bits: root’s programs get nothing, nothing becomes ambient, and a process can say otherwise',
    needs,
    async () => {
      await using bench = await Bench.open('secure-bits')
      const three = mask(KILL, NET_BIND_SERVICE, AUDIT_WRITE)
      const bits = ['NOROOT', 'SECBIT_NOROOT_LOCKED', 'no_cap_ambient_raise']
      const { container } = await bench.running({ secureBits: bits })
      const read = async (spec: Partial<ProcessSpec>) =>
        statusOf(await inside(container, 'cat /proc/self/status', spec))
      expect(caps(await read({}))).toEqual({ CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapBnd: three, CapAmb: NONE })
      expect((await read({ secureBits: [] })).CapEff).toBe(three)
      const raise = 'setpriv --ambient-caps +chown cat /proc/self/status'
      const chown = ['CAP_CHOWN']
      const capabilities = { bounding: chown, permitted: chown, effective: chown, inheritable: chown }
      const raised = { capabilities, secureBits: [] }
      expect(statusOf(await inside(container, raise, raised)).CapAmb).toBe(mask(CHOWN))
      await expect(inside(container, raise, { ...raised, secureBits: ['NO_CAP_AMBIENT_RAISE'] })).rejects.toThrow()
    },
  )

  test('S13 PP-04 the filter stands for root and another user, with and without no_new_privs', needs, async () => {
    await using bench = await Bench.open('seccomp')
    for (const user of ['root', 'user'])
      for (const noNewPrivileges of [false, true]) {
        const seen = await status(bench, { noNewPrivileges }, { user })
        expect([user, seen.Seccomp, seen.NoNewPrivs]).toEqual([user, '2', noNewPrivileges ? '1' : '0'])
        expect(BigInt(`0x${seen.CapBnd}`) & (1n << 21n)).toBe(0n)
      }
    expect((await status(bench, { seccomp: null })).Seccomp).toBe('0')
    for (const user of ['root', 'user']) {
      const seen = await status(bench, { capabilities: null }, { user })
      expect([user, seen.Seccomp, seen.CapEff]).toEqual([user, '2', user === 'root' ? own.CapBnd : NONE])
    }
  })

  test('SC-01 a forbidden call gives the error that the profile names', needs, async () => {
    await using bench = await Bench.open('seccomp')
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 99 }],
    } as const
    const ran = await bench.run(sh('mkdir /tmp/x'), { seccomp })
    expect(ran.stderr).toContain('assign requested address')
    expect((await bench.run(sh('unshare -U true'), { seccomp: null })).code).toBe(0)
    for (const user of ['root', 'user'])
      for (const noNewPrivileges of [false, true]) {
        const refused = await bench.run(sh('unshare -U true', { user }), { noNewPrivileges })
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') })
      }
    const killed = await bench.run(sh('mkdir /tmp/x; echo $?'), {
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL' }],
      },
    })
    expect(killed.stdout).toBe('159\n')
  })

  test('EV-185 a filter that allows nothing: the start fails visibly, and nothing is left', needs, async () => {
    await using bench = await Bench.open('nothing')
    // It may refuse execve, the word of the failure, and even the exit: what remains is a trap.
    for (const defaultAction of [
      'SCMP_ACT_ERRNO',
      'SCMP_ACT_KILL_PROCESS',
      'SCMP_ACT_KILL_THREAD',
      'SCMP_ACT_TRAP',
    ] as const) {
      const container = await bench.create({ seccomp: { defaultAction } })
      const process = await container.run({ args: ['/bin/true'] })
      expect((await process.wait()).signal, defaultAction).toMatch(/^SIG(ILL|TRAP|SYS)$/)
      expect(await container.processes()).toEqual([])
    }
    const execOnly = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 }],
    } as const
    await expect(bench.run({ args: ['/bin/true'] }, { seccomp: execOnly })).rejects.toMatchObject({
      errno: -5,
      syscall: 'execve',
    })
  })

  test(
    'PP-04 with no_new_privs a set-user-id program stays who it is; without, it does not',
    requires('root', 'rootfs', 'program:gcc'),
    async () => {
      await using bench = await Bench.open('suid')
      using rootfs = ownRootfs()
      const program = join(rootfs.path, 'whoami')
      execFileSync('gcc', ['-static', '-x', 'c', '-o', program, '-'], {
        input: '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%d %d\\n", getuid(), geteuid()); }',
      })
      chmodSync(program, 0o4755)
      const config = { rootfs: rootfs.path }
      const run = async (noNewPrivileges: boolean): Promise<string> =>
        printed(await bench.run({ args: ['/whoami'], user: 'user', noNewPrivileges }, config))
      expect(await run(false)).toBe('1000 0')
      expect(await run(true)).toBe('1000 1000')
    },
  )

  test('PR-10 umask', needs, async () => {
    await using bench = await Bench.open('umask')
    expect(await bench.text('umask', { umask: 0o27 })).toBe('0027')
    expect(await bench.text('umask', { umask: 0o27 }, { umask: 0 })).toBe('0000')
  })

  const limitsOf = (text: string): Map<string, string[]> =>
    new Map(text.split('\n').map(line => [line.slice(0, 26).trim(), line.slice(26).trim().split(/\s+/)]))
  const limits = async (bench: Bench, config: Partial<ContainerConfig> = {}, spec: Partial<ProcessSpec> = {}) =>
    limitsOf(await bench.text('cat /proc/self/limits', config, spec))

  test('PP-01 limits: lowered, the soft one alone, 64 bits wide', needs, async () => {
    await using bench = await Bench.open('limits')
    const [, hard] = limitsOf(readFileSync('/proc/self/limits', 'utf8')).get('Max file size')!
    const rlimits = [
      { type: 'RLIMIT_NOFILE', soft: 17, hard: 23 },
      {
        type: 'RLIMIT_FSIZE',
        soft: 2n ** 40n + 1n,
        hard: hard === 'unlimited' ? ('unlimited' as const) : BigInt(hard!),
      },
      { type: 4, soft: 0, hard: 0 },
    ]
    const seen = await limits(bench, { rlimits })
    expect(seen.get('Max open files')!.slice(0, 2)).toEqual(['17', '23'])
    expect(seen.get('Max file size')!.slice(0, 2)).toEqual(['1099511627777', hard])
    expect(seen.get('Max core file size')!.slice(0, 2)).toEqual(['0', '0'])
    const process = await limits(bench, { rlimits }, { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 9, hard: 9 }] })
    expect(process.get('Max open files')!.slice(0, 2)).toEqual(['9', '9'])
    expect(process.get('Max core file size')).toEqual(
      limitsOf(readFileSync('/proc/self/limits', 'utf8')).get('Max core file size'),
    )
  })

  test(
    'PP-01 in a user namespace the parent sets them',
    requires('root', 'rootfs', 'reachable', 'namespace:user'),
    async () => {
      await using bench = await Bench.open('limits')
      const config = {
        namespaces: ['mnt', 'pid', 'net', 'ipc', 'uts', 'user'] as const,
        uidMappings: hostIds,
        gidMappings: hostIds,
      }
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 17, hard: 23 }]
      expect((await limits(bench, { ...config, rlimits })).get('Max open files')!.slice(0, 2)).toEqual(['17', '23'])
      const { container } = await bench.running({ ...config, rlimits })
      expect(
        limitsOf(await inside(container, 'cat /proc/self/limits'))
          .get('Max open files')!
          .slice(0, 2),
      ).toEqual(['17', '23'])
    },
  )

  test(
    'EV-105 LR-17 raising a hard limit without CAP_SYS_RESOURCE names the limit and the capability',
    needs,
    async () => {
      await using bench = await Bench.open('raise')
      const [, hard] = limitsOf(readFileSync('/proc/self/limits', 'utf8')).get('Max open files')!
      const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: Number(hard) + 1 }]
      if (mayRaise) {
        expect((await limits(bench, { rlimits })).get('Max open files')![1]).toBe(String(Number(hard) + 1))
        return
      }
      await expect(bench.run('true', { rlimits })).rejects.toMatchObject({
        code: 'SystemError',
        errno: -1,
        message: expect.stringContaining('RLIMIT_NOFILE'),
        hint: expect.stringContaining('CAP_SYS_RESOURCE'),
      })
    },
  )

  test('PP-03 EV-106 LR-17 oomScoreAdj: raised, the process’s own, and lowered without privilege', needs, async () => {
    await using bench = await Bench.open('oom')
    const now = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
    expect(await bench.text('cat /proc/self/oom_score_adj')).toBe(String(now))
    expect(await bench.text('cat /proc/self/oom_score_adj', { oomScoreAdj: 500 })).toBe('500')
    expect(await bench.text('cat /proc/self/oom_score_adj', { oomScoreAdj: 500 }, { oomScoreAdj: 1000 })).toBe('1000')
    const { container } = await bench.running({ oomScoreAdj: 600 })
    expect(await inside(container, 'cat /proc/self/oom_score_adj')).toBe('600')
    expect(await inside(container, 'cat /proc/self/oom_score_adj', { oomScoreAdj: 700 })).toBe('700')
    if (mayRaise) expect(await bench.text('cat /proc/self/oom_score_adj', { oomScoreAdj: -1000 })).toBe('-1000')
    else {
      await expect(bench.run('true', { oomScoreAdj: -1000 })).rejects.toMatchObject({
        code: 'SystemError',
        errno: -13,
        path: expect.stringContaining('oom_score_adj'),
      })
    }
  })

  test(
    'PR-14 CO-25 LR-14 what the OOM killer ends says so, at start too',
    requires('root', 'rootfs', 'CAP_SYS_ADMIN'),
    async () => {
      await using bench = await Bench.open('memory')
      // A shell that doubles a string; where swap is counted it is limited, too.
      const ran = await bench.run('x=aaaaaaaaaaaaaaaa; while :; do x=$x$x$x$x; done', {
        cgroups: { memory: { max: 16 << 20 } },
      })
      expect(ran).toMatchObject({ code: undefined, signal: 'SIGKILL', oom: true })
      expect(await bench.run('sh -c "kill -9 \\$\\$"; exit $?')).toMatchObject({ code: 137, oom: false })
      const container = await bench.create({ cgroups: { memory: { max: 16 << 10 } } })
      await expect(container.run({ args: ['/bin/true'] })).rejects.toMatchObject({
        code: 'SystemError',
        message: expect.stringContaining('memory'),
      })
      await container.destroy()
    },
  )
})

describe('streams and descriptors', () => {
  test('PR-04 pipes: 10 MB out and 10 MB in, whole', needs, async () => {
    await using bench = await Bench.open('pipe')
    const data = randomBytes(10 << 20)
    const container = await bench.create()
    const process = await container.run({ args: ['/bin/cat'], stdio: 'pipe' })
    process.stdin!.end(data)
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of process.stdout!) {
      hash.update(chunk as Buffer)
      size += (chunk as Buffer).length
    }
    expect(size).toBe(data.length)
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'))
    expect(await read(process.stderr)).toBe('')
    expect(await process.wait()).toMatchObject({ code: 0 })
  })

  test('PR-04 the end of stdin is the program’s end of file; both errors and output come', needs, async () => {
    await using bench = await Bench.open('pipe')
    const container = await bench.create()
    const process = await container.run(sh('echo out; echo err >&2; cat > /dev/null; echo end', { stdio: 'pipe' }))
    let text = ''
    process.stdout!.on('data', chunk => {
      text += chunk
    })
    while (text !== 'out\n') await new Promise(resolve => setTimeout(resolve, 5))
    process.stdin!.end()
    expect(await read(process.stderr)).toBe('err\n')
    expect(await process.wait()).toMatchObject({ code: 0 })
    while (!text.endsWith('end\n')) await new Promise(resolve => setTimeout(resolve, 5))
  })

  test('LR-10 a reader that goes away ends the program by SIGPIPE, as at a shell', needs, async () => {
    await using bench = await Bench.open('pipe')
    const container = await bench.create()
    // Not the first process: the kernel spares pid 1 of a namespace signals that it has no handler for.
    await container.run(sleeper)
    const process = await container.exec({ args: ['/bin/cat', '/dev/zero'], stdio: ['null', 'pipe', 'null'] })
    await new Promise(resolve => process.stdout!.once('data', resolve))
    process.stdout!.destroy()
    expect(await process.wait()).toMatchObject({ signal: 'SIGPIPE', code: undefined })
  })

  test('PR-04 streams nobody reads do not keep a program from its end, nor wait() from its answer', needs, async () => {
    await using bench = await Bench.open('pipe')
    const container = await bench.create()
    const process = await container.run(sh('echo hello; exit 3', { stdio: 'pipe' }))
    expect(await process.wait()).toMatchObject({ code: 3 })
    expect(await read(process.stdout)).toBe('hello\n')
    expect(await read(process.stderr)).toBe('')
    process.stdin!.destroy()
  })

  test('PR-04 the null device, a descriptor for each, and one for all', needs, async () => {
    await using bench = await Bench.open('fds')
    using directory = temporaryDirectory('fds-')
    const path = join(directory.path, 'out')
    const container = await bench.create()
    const silent = await container.run(sh('cat; echo out; echo err >&2'))
    expect([silent.stdin, silent.stdout, silent.stderr, silent.terminal]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(await silent.wait()).toMatchObject({ code: 0 })

    const out = openSync(path, 'w+')
    const input = openSync(busyboxRootfs().concat('/etc/hostname'), 'r')
    try {
      const one = await container.run(sh('cat; echo err >&2', { stdio: [input, out, out] }))
      expect((await one.wait()).code).toBe(0)
      expect(readFileSync(path, 'utf8')).toBe(`${readFileSync(join(busyboxRootfs(), 'etc/hostname'), 'utf8')}err\n`)
      // They stay the caller's.
      expect(fstatSync(out).isFile()).toBe(true)
      const owned = await openFile(path, O_RDWR)
      const all = await container.run(sh('echo owned', { stdio: owned }))
      await all.wait()
      expect(readFileSync(path, 'utf8')).toMatch(/^owned\n/)
      expect(owned.closed).toBe(false)
      owned.close()
    } finally {
      closeSync(out)
      closeSync(input)
    }
  })

  test('PR-04 inherit: the streams of this process', needs, async () => {
    await using bench = await Bench.open('inherit')
    const program = `
      import { Factory } from '@libcontainer/container'
      const factory = await Factory.open(process.argv[1])
      const container = await factory.create('inherit', { rootfs: process.argv[2] })
      const child = await container.run({ args: ['/bin/sh', '-c', 'cat; echo err >&2'], stdio: 'inherit' })
      await child.wait()
      await container.destroy()
    `
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', program, join(bench.factory.root, 'own'), busyboxRootfs()],
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
      },
    )
    child.stdin.end('through\n')
    expect([await read(child.stdout), await read(child.stderr)]).toEqual(['through\n', 'err\n'])
  })

  test('PR-05 IN-13 only what was asked for is open, whatever this process has', needs, async () => {
    await using bench = await Bench.open('open')
    // No pipeline: the shell's own ends of it would come and go.
    const open = async (extraFds: ProcessSpec['extraFds'] = []): Promise<string[]> => {
      const text = await bench.text('ls -l /proc/1/fd; true', {}, { extraFds })
      const links = text.split('\n').filter(line => line.includes(' -> '))
      return links.map(line => line.replace(/^.* (\d+ -> .*)$/, '$1').replace(/\d{3,}/, 'N'))
    }
    expect(await open()).toEqual(['0 -> /dev/null', '1 -> pipe:[N]', '2 -> pipe:[N]'])

    const { read: end, write } = pipe()
    const file = openSync('/etc/hostname', 'r')
    try {
      const files = ['3 -> /etc/hostname', '4 -> pipe:[N]', '5 -> pipe:[N]', '6 -> /etc/hostname']
      expect(await open([file, end, write, file])).toEqual([
        '0 -> /dev/null',
        '1 -> pipe:[N]',
        '2 -> pipe:[N]',
        ...files,
      ])
      expect(await bench.text('echo through >&4; cat <&3 >/dev/null', {}, { extraFds: [file, write] })).toBe('')
      const bytes = new Uint8Array(100)
      expect(Buffer.from(bytes.subarray(0, await readFd(end.fd, bytes))).toString()).toBe('through\n')
    } finally {
      closeSync(file)
      end.close()
      write.close()
    }
  })

  test(
    'IN-13 S26 descriptors that this process got without close-on-exec do not reach a container',
    needs,
    async () => {
      await using bench = await Bench.open('leak')
      const program = `
      import { Factory } from '@libcontainer/container'
      import { readdirSync } from 'node:fs'
      const factory = await Factory.open(process.argv[1])
      const container = await factory.create('leak', { rootfs: process.argv[2] })
      const spec = { args: ['/bin/sh', '-c', 'ls /proc/$$/fd; true'], stdio: ['null', 1, 'null'] }
      const init = await container.run({ args: ['/bin/sh', '-c', 'ls /proc/1/fd; read x'], stdio: ['pipe', 1, 'null'] })
      await (await container.exec(spec)).wait()
      init.stdin.end()
      await init.wait()
      await container.destroy()
    `
      const file = openSync('/etc', 'r')
      try {
        const child = spawn(
          process.execPath,
          ['--input-type=module', '-e', program, join(bench.factory.root, 'own'), busyboxRootfs()],
          {
            cwd: fileURLToPath(new URL('..', import.meta.url)),
            stdio: ['ignore', 'pipe', 'inherit', file, 'ignore', file, file],
          },
        )
        // The directory that ls itself reads comes and goes in its own process.
        expect((await read(child.stdout)).trim().split(/\s+/)).toEqual(['0', '1', '2', '0', '1', '2'])
      } finally {
        closeSync(file)
      }
    },
  )

  test('IN-15 the streams are given to the user who runs, the null device to nobody', needs, async () => {
    await using bench = await Bench.open('owner')
    using directory = temporaryDirectory('owner-')
    const path = join(directory.path, 'out')
    writeFileSync(path, '')
    const out = openSync(path, 'r+')
    const before = lstatSync('/dev/null').uid
    try {
      await bench.run(sh('echo x > /dev/stdout', { user: 'user', stdio: ['null', out, out] }))
      expect(statSync(path).uid).toBe(1000)
      expect(readFileSync(path, 'utf8')).toBe('x\n')
      expect(lstatSync('/dev/null').uid).toBe(before)
    } finally {
      closeSync(out)
    }
  })

  test('IN-15 /dev/stdout of another user’s program can be opened again, also behind a pipe', needs, async () => {
    await using bench = await Bench.open('owner')
    expect(await bench.text('echo again > /dev/stdout; echo too > /proc/self/fd/1', {}, { user: 'user' })).toBe(
      'again\ntoo',
    )
  })

  test('PR-05 EV-123 a closed descriptor is an error, and nothing of the start is left', needs, async () => {
    await using bench = await Bench.open('closed')
    const names = new RegExp(`closed-${process.pid}`)
    await bench.run('true')
    const before = everything(names)
    for (const spec of [{ extraFds: [9999] }, { stdio: 9999 }, { stdio: ['pipe', 'pipe', 9999] as const }]) {
      const container = await bench.create()
      await expect(container.run({ args: ['/bin/true'], ...spec })).rejects.toMatchObject({
        code: 'SystemError',
        errno: -9,
      })
      await container.destroy()
      expect(everything(names)).toEqual(before)
    }
  })
})

describe('the end', () => {
  test('PR-14 PR-16 exit codes and signals, once and again', needs, async () => {
    await using bench = await Bench.open('codes')
    const { container } = await bench.running()
    for (const code of [0, 1, 42, 127, 255]) {
      const process = await container.exec(sh(`exit ${code}`))
      const result = { code, signal: undefined, oom: false }
      expect(await process.wait()).toEqual(result)
      expect(await process.wait()).toEqual(result)
    }
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGUSR2', 'SIGRTMIN+3']) {
      const process = await container.exec(sleeper)
      process.signal(signal)
      expect(await process.wait()).toEqual({ code: undefined, signal, oom: false })
      expect(() => process.signal(signal)).toThrow(expect.objectContaining({ code: 'ContainerNotRunning' }))
    }
    const process = await container.exec(sleeper)
    process.signal(9)
    const all = await Promise.all([process.wait(), process.wait(), process.wait()])
    expect(new Set(all.map(({ signal }) => signal))).toEqual(new Set(['SIGKILL']))
  })

  test('PR-15 the pid is the host’s, of the process that runs the program', needs, async () => {
    await using bench = await Bench.open('pid')
    const { container, init } = await bench.running()
    expect(readFileSync(`/proc/${init.pid}/cmdline`, 'utf8')).toBe('/bin/sleep\x001000\0')
    expect(readFileSync(`/proc/${init.pid}/status`, 'utf8')).toMatch(new RegExp(`^NSpid:\\t${init.pid}\\t1$`, 'm'))
    const other = await container.exec(sleeper)
    expect(readFileSync(`/proc/${other.pid}/status`, 'utf8')).toMatch(new RegExp(`^PPid:\\t${process.pid}$`, 'm'))
    expect(readFileSync(`/proc/self/fdinfo/${other.pidfd.fd}`, 'utf8')).toMatch(
      new RegExp(`^Pid:\\t${other.pid}$`, 'm'),
    )
  })

  test('PR-14 waiting can be given up; the process lives on', needs, async () => {
    await using bench = await Bench.open('wait')
    const { container, init } = await bench.running()
    await expect(init.wait({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect(init.wait({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    expect(await container.status()).toBe('running')
    init.signal('KILL')
    expect(await init.wait({ signal: AbortSignal.timeout(5000) })).toMatchObject({ signal: 'SIGKILL' })
  })

  test('PR-16 an AbortSignal that is aborted before: nothing is started', needs, async () => {
    await using bench = await Bench.open('abort')
    const names = new RegExp(`abort-${process.pid}`)
    await bench.run('true')
    const before = everything(names)
    const container = await bench.create()
    const signal = AbortSignal.abort(new Error('changed my mind'))
    await expect(container.run({ ...sleeper, signal })).rejects.toThrow('changed my mind')
    await expect(container.start({ ...sleeper, signal })).rejects.toThrow('changed my mind')
    expect(await container.status()).toBe('stopped')
    await container.run(sleeper)
    await expect(container.exec({ ...sleeper, signal })).rejects.toThrow('changed my mind')
    expect(await container.processes()).toHaveLength(1)
    await container.destroy({ force: true })
    expect(everything(names)).toEqual(before)
  })

  test(
    'PR-16 one that is aborted meanwhile ends the start, one that is aborted afterwards the process',
    needs,
    async () => {
      await using bench = await Bench.open('abort')
      const names = new RegExp(`abort-${process.pid}`)
      await bench.run('true')
      const begun = performance.now()
      await bench.run('true')
      const once = performance.now() - begun
      const before = everything(names)
      const seen = new Set<string>()
      for (let i = 0; i < 24; i++) {
        const container = await bench.create()
        const controller = new AbortController()
        const reason = new Error('enough')
        const run = container.run({ ...sleeper, signal: controller.signal })
        const timer = setTimeout(() => controller.abort(reason), (i / 12) * once)
        const outcome = await run.catch(error => error)
        if (outcome === reason) seen.add('start')
        else {
          expect(outcome).not.toBeInstanceOf(Error)
          expect(await outcome.wait()).toMatchObject({ signal: 'SIGKILL' })
          seen.add('process')
        }
        clearTimeout(timer)
        expect(await container.status()).toBe('stopped')
        await container.destroy()
        expect(everything(names)).toEqual(before)
      }
      expect([...seen].sort()).toEqual(['process', 'start'])
    },
  )

  test('PR-16 one that was aborted when the process had just been made: nobody hears of that again', async () => {
    using nothing = openNull()
    const steps = [findProgram('/bin/sleep', ''), announceExec, execProgram(['sleep', '1000'], [])]
    const child = await bootstrap({ steps, stdio: [nothing.fd, nothing.fd, nothing.fd] })
    const signal = AbortSignal.abort()
    const stdio = [undefined, undefined, undefined] as const
    const made = new Process({ ...child, stdio, terminal: undefined, signal, oom: async () => false })
    try {
      expect(await made.wait({ signal: AbortSignal.timeout(5000) })).toMatchObject({ signal: 'SIGKILL' })
    } finally {
      if (!made.ended) made.signal('KILL')
    }
  })

  test('PR-16 a signal that is aborted after the end does nothing', needs, async () => {
    await using bench = await Bench.open('abort')
    const controller = new AbortController()
    const ran = await bench.run({ args: ['/bin/true'], signal: controller.signal })
    expect(ran.code).toBe(0)
    controller.abort()
  })

  test('S18 every step is timed where that is asked for, in the order of the plan', needs, async () => {
    await using bench = await Bench.open('timed')
    const container = await bench.create()
    const spec = { args: ['/bin/true'], timed: true }
    const { steps } = await plan(container.id, { rootfs: busyboxRootfs() }, spec)
    const process = await container.run(spec)
    await process.wait()
    const { timings } = process
    const announce = steps.findIndex(step => step.op === 'announceExec')
    expect(timings.map(({ about }) => about)).toEqual(steps.slice(0, announce).map(({ about }) => about))
    for (const [i, { startNs, endNs }] of timings.entries()) {
      expect(endNs).toBeGreaterThanOrEqual(startNs)
      if (i > 0) expect(startNs).toBe(timings[i - 1]!.endNs)
    }
    expect((await container.run({ args: ['/bin/true'] })).timings).toEqual([])
  })
})

describe('the state that a program starts in', () => {
  test('S24 no signal is ignored, blocked or caught; a session and group of its own; no terminal', needs, async () => {
    await using bench = await Bench.open('start')
    const container = await bench.create()
    const init = await container.run({
      args: ['/bin/cat', '/proc/self/status', '/proc/self/stat'],
      stdio: ['null', 'pipe', 'pipe'],
    })
    const text = printed(await finished(init))
    const second = await container.run(sleeper)
    const exec = await container.exec({
      args: ['/bin/cat', '/proc/self/status', '/proc/self/stat'],
      stdio: ['null', 'pipe', 'pipe'],
    })
    for (const seen of [text, printed(await finished(exec))]) {
      const { SigBlk, SigIgn, SigCgt, SigPnd, ShdPnd, ...status } = statusOf(seen)
      expect([SigBlk, SigIgn, SigCgt, SigPnd, ShdPnd]).toEqual(Array(5).fill('0'.repeat(16)))
      expect(status.Cpus_allowed_list).toBe(own.Cpus_allowed_list)
      expect(status.Threads).toBe('1')
      const [, pgrp, session, tty] = seen
        .slice(seen.lastIndexOf(')') + 2)
        .split(' ')
        .slice(1)
      expect(pgrp).toBe(session)
      expect(tty).toBe('0')
    }
    second.signal('KILL')
  })

  test('S24 the limit of open files is what it was before this engine raised its own', needs, async () => {
    await using bench = await Bench.open('start')
    const program = `
      import { Factory } from '@libcontainer/container'
      import { readFileSync } from 'node:fs'
      const files = text => /^Max open files +(\\S+) +(\\S+)/m.exec(text).slice(1).join()
      const factory = await Factory.open(process.argv[1])
      const container = await factory.create('files', { rootfs: process.argv[2] })
      const seen = [files(readFileSync('/proc/self/limits', 'utf8'))]
      const spec = { args: ['/bin/cat', '/proc/self/limits'], stdio: ['null', 'pipe', 'null'] }
      const read = async process => { let text = ''; for await (const chunk of process.stdout) text += chunk; return files(text) }
      const init = await container.run({ args: ['/bin/sleep', '1000'] })
      seen.push(files(readFileSync('/proc/' + init.pid + '/limits', 'utf8')))
      seen.push(await read(await container.exec(spec)))
      await container.destroy({ force: true })
      console.log(JSON.stringify(seen))
    `
    const child = spawn(
      'sh',
      [
        '-c',
        'ulimit -S -n 300; ulimit -H -n 4000; "$@"; exit $?',
        'sh',
        process.execPath,
        '--input-type=module',
        '-e',
        program,
        join(bench.factory.root, 'own'),
        busyboxRootfs(),
      ],
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    expect(JSON.parse(await read(child.stdout))).toEqual(['4000,4000', '300,4000', '300,4000'])
  })

  test('CN-17 a terminal: three streams, a size, a session that it controls', needs, async () => {
    await using bench = await Bench.open('tty')
    const container = await bench.create()
    const all = async (process: Awaited<ReturnType<typeof container.run>>): Promise<string> => {
      const terminal = process.terminal!
      const buffer = new Uint8Array(4096)
      let text = ''
      try {
        for (;;) {
          await poll(terminal.fd, POLLIN)
          const got = await readFd(terminal.fd, buffer)
          if (got === 0) break
          text += Buffer.from(buffer.subarray(0, got)).toString()
        }
      } catch (error) {
        // EIO: the last slave is closed.
        expect(error).toMatchObject({ code: 'EIO' })
      }
      terminal.close()
      await process.wait()
      return text.replaceAll('\r\n', '\n')
    }
    const script =
      'tty; stty size; for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done; echo own > /dev/tty; stat -c %U,%a $(tty); cat /proc/$$/stat'
    const text = await all(await container.run(sh(script, { terminal: { rows: 33, columns: 99 }, user: 'user' })))
    const lines = text.split('\n')
    expect(lines.slice(0, 6)).toEqual(['/dev/pts/0', '33 99', '/dev/pts/0', '/dev/pts/0', '/dev/pts/0', 'own'])
    expect(lines[6]).toMatch(/^user,6[02]0$/)
    // The session's terminal: major 136, minor 0.
    const [, , , , session, tty] = lines[7]!.slice(lines[7]!.lastIndexOf(')')).split(' ')
    expect([session, tty]).toEqual(['1', String(136 << 8)])
    const again = await all(
      await container.run(sh('[ -c /dev/console ] && echo console > /dev/console; tty', { terminal: true })),
    )
    expect(again).toBe('console\n/dev/pts/0\n')
  })
})
