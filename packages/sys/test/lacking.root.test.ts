import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from '@libcontainer/sys'
import { afterAll, describe, expect, test } from 'vitest'
import { compileExchanger, requires, temporaryDirectory } from '../../../test/support/index.js'
import { Driver } from './driver.js'

/** Programs under filters that make the kernel look older, and with a /proc that somebody mounted things on. */
const needs = requires('root', 'program:gcc')
const driver = new Driver(['sys'])
afterAll(() => driver.close())

const url = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)
const FSOPEN = 430
const CLOSE_RANGE = 436
const OPENAT2 = 437
const forbid = (call: number): Step => ({ op: 'driverForbid', args: [call], about: `forbid ${call}` })
const ownMounts: Step = { op: 'driverOwnMounts', args: [], about: 'get mounts of its own' }

/** What a program of Node.js prints that runs after the steps, and after a shell's words. */
async function program(steps: readonly Step[], script: string, before = ':'): Promise<unknown> {
  const whole = `import * as sys from ${url}\nconst print = value => console.log(JSON.stringify(value))\n${script}`
  const shell = ['/bin/sh', '-c', `${before} && exec "$@"`, 'sh']
  const argv = [...shell, process.execPath, '--input-type=module', '-e', whole]
  const { code, stdout, stderr } = await driver.run(steps, { argv })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe.each([
  ['by close_range', []],
  ['one by one where there is none', [forbid(CLOSE_RANGE)]],
])('%s', (_, steps) => {
  test('UT-03 IN-13 closeExecFrom: what is executed later gets nothing from that descriptor on', needs, async () => {
    const file = openSync('/etc/hostname', 'r')
    try {
      const stdio = ['ignore', 'pipe', 'pipe', file, file, file] as const
      const first = await driver.run([...steps], { argv: ['/bin/ls', '/proc/self/fd'], stdio: [...stdio] })
      expect(first.stdout.split('\n')).toEqual(expect.arrayContaining(['3', '4', '5']))
      const mark: Step = { op: 'closeExecFrom', args: [4], about: 'mark' }
      const { stdout, stderr } = await driver.run([...steps, mark], {
        argv: ['/bin/ls', '/proc/self/fd'],
        stdio: [...stdio],
      })
      expect(stderr).toBe('')
      // The fourth is what ls itself opens.
      expect(stdout.trim().split('\n')).toEqual(['0', '1', '2', '3', '4'])
    } finally {
      closeSync(file)
    }
  })
})

const read = `
const text = async opening => {
  let file
  try { file = await opening } catch (error) { return error.code }
  const buffer = new Uint8Array(4096)
  const got = new TextDecoder().decode(buffer.subarray(0, await sys.readFd(file.fd, buffer)))
  file.close()
  return got
}
const procfs = await sys.Procfs.open()
`
const covers = 'mount --bind /etc/hostname /proc/version && mount --bind /etc/hostname /proc/$$/stat'

test('UT-06 a procfs of its own shows what the host’s hides behind mounts', needs, async () => {
  const answers = await program(
    [ownMounts],
    `${read}
    const pid = process.pid
    print({
      version: (await text(procfs.root('version'))).startsWith('Linux version'),
      self: (await text(procfs.self('stat'))).startsWith(pid + ' ('),
      thread: (await text(procfs.threadSelf('comm'))).length > 0,
      other: (await text(procfs.process(1, 'stat'))).startsWith('1 ('),
      sysctl: (await text(procfs.root('sys/kernel/ostype'))).trim(),
      link: await text(procfs.root('self/root/etc/hostname')),
      magic: await text(procfs.self('exe')),
      climbing: await text(procfs.root('../etc/hostname')),
    })
    procfs.close()`,
    covers,
  )
  expect(answers).toEqual({
    version: true,
    self: true,
    thread: true,
    other: true,
    sysctl: 'Linux',
    link: 'ELOOP',
    magic: 'ELOOP',
    climbing: 'EXDEV',
  })
})

test(
  'UT-06 CVE-2025-52881 without fsopen, what was mounted on the host’s /proc is an error, never another file',
  needs,
  async () => {
    const script = `${read}
    print({ version: await text(procfs.root('version')), self: await text(procfs.self('stat')), uptime: (await text(procfs.root('uptime'))).length > 3 })`
    expect(await program([ownMounts, forbid(FSOPEN)], script, covers)).toEqual({
      version: 'EXDEV',
      self: 'EXDEV',
      uptime: true,
    })
    expect(await program([ownMounts, forbid(OPENAT2), forbid(FSOPEN)], script, covers)).toEqual({
      version: 'EXDEV',
      self: 'EXDEV',
      uptime: true,
    })
  },
)

test.each([
  ['openat2', [ownMounts, forbid(FSOPEN)]],
  ['the walk', [ownMounts, forbid(OPENAT2), forbid(FSOPEN)]],
])(
  'TS-05 UT-06 CVE-2025-52881 by %s: a file bound over one of procfs again and again is never read',
  needs,
  async (_, steps) => {
    using place = temporaryDirectory('covered-')
    const [exchanger, counter, fake] = ['', 'counter', 'fake'].map(name => join(place.path, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(counter, new Uint8Array(8))
    writeFileSync(fake, 'fake')
    const argv = JSON.stringify([compileExchanger(exchanger), 'cover', fake, '/proc/version', counter])
    const script = `${read}
    import { spawn } from 'node:child_process'
    import { readFileSync } from 'node:fs'
    const [program, ...args] = ${argv}
    const other = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const count = () => Number(readFileSync(args[3]).readBigUInt64LE())
    const answers = { byName: {}, safe: {} }
    const add = (kind, answer) => { answers[kind][answer.slice(0, 13)] = 1 }
    while (other.exitCode === null && (count() < 10_000 || Object.keys(answers.byName).length < 2 || Object.keys(answers.safe).length < 2)) {
      add('byName', await text(sys.openFile('/proc/version')))
      add('safe', await text(procfs.root('version')))
    }
    other.stdout.destroy()
    print({ byName: Object.keys(answers.byName).sort(), safe: Object.keys(answers.safe).sort() })`
    expect(await program(steps, script)).toEqual({
      byName: ['Linux version', 'fake'],
      safe: ['EXDEV', 'Linux version'],
    })
  },
)

test('UT-06 without fsopen, a /proc that is no procfs is refused', needs, async () => {
  const script = `
    const answer = await sys.Procfs.open().then(() => 'opened', error => [error.code, error.message])
    print({ answer, probe: (await sys.probe()).freshProcfs })`
  const answer = await program([ownMounts, forbid(FSOPEN)], script, 'mount -t tmpfs tmpfs /proc')
  expect(answer).toMatchObject({
    answer: ['EXDEV', expect.stringContaining('/proc is not the root of a proc file system')],
    probe: { available: false, reason: expect.stringContaining('fsopen') },
  })
})

test('UT-05 without openat2 the functions of a root walk, and lead nowhere else', needs, async () => {
  using place = temporaryDirectory('walk-')
  const root = join(place.path, 'root')
  mkdirSync(root)
  writeFileSync(join(place.path, 'secret'), 'of the host')
  symlinkSync('../secret', join(root, 'link'))
  const answers = await program(
    [forbid(OPENAT2)],
    `
    const root = ${JSON.stringify(root)}
    const code = promise => promise.then(() => 'done', error => error.code)
    const made = await sys.mkdirAllInRoot(root, '../a/b')
    print([
      await code(sys.openInRoot(root, 'link')),
      await code(sys.createInRoot(root, '/a/b/file')),
      await code(sys.symlinkInRoot(root, 'file', 'a/b/link')),
      await code(sys.openInRoot(root, '/a/b/link')),
      await code(sys.unlinkInRoot(root, 'a/b/file')),
      await code(sys.openInRoot(root, '/a/b/link')),
      await sys.readLink('/proc/self/fd/' + made.fd),
    ])`,
  )
  expect(answers).toEqual(['ENOENT', 'done', 'done', 'done', 'done', 'ENOENT', join(root, 'a/b')])
})

test('D-10 probe tells what the kernel lacks by name, and rejects for none of it', needs, async () => {
  const calls = [FSOPEN, CLOSE_RANGE, OPENAT2, 434, 435, 438, 444]
  const { features, probe } = (await program(
    calls.map(forbid),
    'print({ features: sys.features(), probe: await sys.probe() })',
  )) as { features: unknown; probe: Record<string, { available: boolean; reason: string; hint: string }> }
  for (const name of ['fsopen', 'close_range', 'openat2', 'pidfd_open', 'clone3', 'pidfd_getfd']) {
    expect(probe[name], name).toEqual({
      available: false,
      reason: `ENOSYS: the kernel has no ${name}, or a seccomp filter hides it`,
      hint: expect.stringMatching(/^\w+ came with Linux \d/),
    })
  }
  expect(probe).toMatchObject({ kernel: { available: true }, sealedPrograms: { available: true } })
  // What is compiled in is the same on every host.
  expect(features).toEqual(await program([], 'print(sys.features())'))
})
