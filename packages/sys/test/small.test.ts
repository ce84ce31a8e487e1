import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  attributesEnabled,
  clockTicks,
  createInRoot,
  exitStatus,
  filesystems,
  generateRandomName,
  getAttribute,
  getProcessStartTime,
  inspectInode,
  kernelAtLeast,
  listAttributes,
  MAX_FD_NAME,
  openDirectory,
  openFile,
  ParentDeathSignal,
  parseKernelVersion,
  parseProcessStat,
  pipe,
  processStat,
  receiveFd,
  removeAttribute,
  sendFd,
  sendMessage,
  setAttribute,
  socketPair,
  splitAnnotations,
  uname,
  verifyInode,
  XATTR_CREATE,
} from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { alive, requires, temporaryDirectory } from '../../../test/support/index.js'

const url = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)
const code = (name: string) => expect.objectContaining({ code: name })

test('UT-01 generateRandomName: a prefix and at most 64 random hexadecimal digits', () => {
  expect(generateRandomName('veth', 7)).toMatch(/^veth[0-9a-f]{7}$/)
  expect(generateRandomName('', 100)).toMatch(/^[0-9a-f]{64}$/)
  expect(generateRandomName('x')).toMatch(/^x[0-9a-f]{64}$/)
  expect(generateRandomName('x', 0)).toBe('x')
  expect(new Set(Array.from({ length: 200 }, () => generateRandomName('', 16))).size).toBe(200)
})

test('UT-04 PR-18 exitStatus: the exit code, or 128 and the signal', () => {
  expect(exitStatus(0)).toBe(0)
  expect(exitStatus(3 << 8)).toBe(3)
  expect(exitStatus(255 << 8)).toBe(255)
  expect(exitStatus(9)).toBe(137)
  expect(exitStatus(11 | 0x80 /* dumped */)).toBe(139)
})

test('UT-07 verifyInode: what a descriptor is, by the kernel; and an error of its own where it is another', async () => {
  const proc = await openDirectory('/proc', { handle: true })
  const plain = await openFile('/dev/null')
  try {
    const inode = await verifyInode(proc, ({ filesystem, stat }) =>
      filesystem === filesystems.proc && stat.inode === 1n ? undefined : 'not the root of a procfs',
    )
    expect(inode.stat.type).toBe('directory')
    await expect(
      verifyInode(plain, ({ stat }) => (stat.type === 'file' ? undefined : `a ${stat.type} device`)),
    ).rejects.toEqual(
      expect.objectContaining({ code: 'UnexpectedInode', message: expect.stringContaining('character device') }),
    )
    expect((await inspectInode(plain)).stat.rdev).toEqual({ major: 1, minor: 3 })
  } finally {
    proc.close()
    plain.close()
  }
})

test('UT-08 sendFd and receiveFd: one descriptor and its name, close-on-exec', async () => {
  const [ours, theirs] = socketPair()
  const { read, write } = pipe()
  try {
    sendFd(ours, read, 'seccomp-notify')
    const { file, name } = await receiveFd(theirs)
    expect(name).toBe('seccomp-notify')
    expect(file.fd).not.toBe(read.fd)
    expect(readlinkSync(`/proc/self/fd/${file.fd}`)).toBe(readlinkSync(`/proc/self/fd/${read.fd}`))
    expect(cloexec(file.fd)).toBe(true)
    file.close()
    sendFd(ours, write, 'n'.repeat(MAX_FD_NAME))
    const long = await receiveFd(theirs)
    expect(long.name).toHaveLength(MAX_FD_NAME)
    long.file.close()
    for (const name of ['', 'n'.repeat(MAX_FD_NAME + 1), 'ü'.repeat(MAX_FD_NAME), 'a\0b']) {
      expect(() => sendFd(ours, read, name)).toThrow(code('ConfigInvalid'))
    }
  } finally {
    for (const fd of [ours, theirs, read, write]) fd.close()
  }
})

test('UT-08 several descriptors, none, a longer name, a hang-up: refused, and nothing stays open', async () => {
  const [ours, theirs] = socketPair()
  const { read, write } = pipe()
  const bytes = new TextEncoder().encode('name')
  // After the first message, which opens what waiting needs.
  sendFd(ours, read, 'x')
  ;(await receiveFd(theirs)).file.close()
  const before = readdirSync('/proc/self/fd').length
  sendMessage(ours, bytes, [read.fd, write.fd])
  await expect(receiveFd(theirs)).rejects.toEqual(
    expect.objectContaining({ code: 'ERR_FD_MESSAGE', message: expect.stringContaining('2 descriptors') }),
  )
  sendMessage(ours, bytes)
  await expect(receiveFd(theirs)).rejects.toEqual(code('ERR_FD_MESSAGE'))
  sendMessage(ours, new Uint8Array(MAX_FD_NAME + 1), [read.fd])
  await expect(receiveFd(theirs)).rejects.toEqual(code('EMSGSIZE'))
  expect(readdirSync('/proc/self/fd').length).toBe(before)
  ours.close()
  await expect(receiveFd(theirs)).rejects.toEqual(
    expect.objectContaining({ message: expect.stringContaining('hung up') }),
  )
  for (const fd of [theirs, read, write]) fd.close()
})

test('UT-09 a stat line whose name has spaces, parentheses and digits; the start time as text', async () => {
  const line = `42 (a) R 7 (b c)) S 7 ${Array.from({ length: 17 }, (_, i) => i).join(' ')} 18446744073709551615 0 0`
  expect(parseProcessStat(line)).toMatchObject({ pid: 42, comm: 'a) R 7 (b c)', state: 'S', parent: 7 })
  expect(parseProcessStat(line).startTime).toBe(18446744073709551615n)
  expect(await getProcessStartTime(process.pid)).toBe(String((await processStat(process.pid))?.startTime))
  expect(await getProcessStartTime(process.pid)).toMatch(/^\d+$/)
  expect(await getProcessStartTime(4_000_001)).toBeUndefined()
})

test(
  'UT-10 extended attributes: set, get, list, remove, of a file, of a link itself and of an open file',
  requires('root'),
  async () => {
    using place = temporaryDirectory('xattr-')
    const file = join(place.path, 'file')
    const link = join(place.path, 'link')
    writeFileSync(file, '')
    symlinkSync('file', link)
    expect(await getAttribute(file, 'trusted.none')).toBeUndefined()
    await setAttribute(file, 'trusted.one', 'value')
    await setAttribute(file, 'trusted.empty', '')
    await setAttribute(file, 'trusted.large', new Uint8Array(1500).fill(7))
    expect(new TextDecoder().decode(await getAttribute(link, 'trusted.one'))).toBe('value')
    expect(await getAttribute(file, 'trusted.empty')).toEqual(new Uint8Array(0))
    expect(await getAttribute(file, 'trusted.large')).toEqual(new Uint8Array(1500).fill(7))
    expect((await listAttributes(link)).filter(name => name.startsWith('trusted.')).sort()).toEqual([
      'trusted.empty',
      'trusted.large',
      'trusted.one',
    ])
    await setAttribute(link, 'trusted.of-link', 'l', { follow: false })
    expect((await listAttributes(link, { follow: false })).filter(name => name.startsWith('trusted.'))).toEqual([
      'trusted.of-link',
    ])
    expect(await getAttribute(link, 'trusted.one', { follow: false })).toBeUndefined()
    await expect(setAttribute(file, 'trusted.one', 'x', { flags: XATTR_CREATE })).rejects.toEqual(code('EEXIST'))
    await removeAttribute(file, 'trusted.one')
    await expect(removeAttribute(file, 'trusted.one')).rejects.toEqual(
      expect.objectContaining({ code: 'ENODATA', path: file }),
    )
    await removeAttribute(link, 'trusted.of-link', { follow: false })
    expect(await listAttributes(link, { follow: false })).not.toContain('trusted.of-link')
    const open = await openFile(file)
    try {
      await setAttribute(open, 'trusted.open', 'o')
      expect(await getAttribute(file, 'trusted.open')).toEqual(await getAttribute(open, 'trusted.open'))
      expect(await listAttributes(open)).toEqual(await listAttributes(file))
      await removeAttribute(open, 'trusted.open')
      await expect(removeAttribute(open, 'trusted.open')).rejects.toEqual(code('ENODATA'))
    } finally {
      open.close()
    }
    await expect(getAttribute('', 'trusted.one')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'path' })
  },
)

test('UT-10 whether a file system keeps extended attributes', async () => {
  using place = temporaryDirectory('xattr-')
  expect(await attributesEnabled(place.path, 'trusted.libcontainer')).toBe(true)
  expect(await attributesEnabled('/proc/self')).toBe(false)
  await expect(attributesEnabled(join(place.path, 'none'))).rejects.toEqual(code('ENOENT'))
})

test('UT-11 the parent-death signal: read, set, restored where it was lost', () => {
  const before = ParentDeathSignal.get()
  const wanted = new ParentDeathSignal('SIGTERM')
  try {
    expect(wanted).toMatchObject({ number: 15, name: 'SIGTERM' })
    wanted.set()
    expect(ParentDeathSignal.get().number).toBe(15)
    expect(wanted.restore()).toBe(false)
    new ParentDeathSignal(0).set()
    expect(ParentDeathSignal.get().name).toBe('none')
    expect(wanted.restore()).toBe(true)
    expect(ParentDeathSignal.get().number).toBe(15)
    expect(() => new ParentDeathSignal('SIGNONE')).toThrow(code('ConfigInvalid'))
  } finally {
    before.set()
  }
})

test('UT-11 it is sent when the parent ends', () => {
  const child = `const { ParentDeathSignal } = await import(${url}); new ParentDeathSignal('TERM').set(); console.log('ready'); setTimeout(() => {}, 20000)`
  const parent = `
    const { spawn } = await import('node:child_process')
    const one = spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    one.stdout.once('data', () => { console.log(one.pid); process.exit(0) })`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', parent], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  const pid = Number(stdout)
  expect(pid).toBeGreaterThan(1)
  for (let i = 0; i < 200 && alive(pid); i++) spawnSync('sleep', ['0.02'])
  expect(alive(pid)).toBe(false)
})

test('UT-12 subreaper: on, off, and an orphan comes to it', () => {
  // The shell ends at once; whoever it left behind tells its parent.
  const orphan = JSON.stringify('(sleep 0.2; exec cut -d" " -f4 /proc/self/stat) &')
  const script = `
    import { execFileSync } from 'node:child_process'
    import { getSubreaper, setSubreaper } from ${url}
    const states = [getSubreaper()]
    setSubreaper(true)
    states.push(getSubreaper())
    const parent = Number(execFileSync('/bin/sh', ['-c', ${orphan}], { encoding: 'utf8' }))
    setSubreaper(false)
    states.push(getSubreaper())
    console.log(JSON.stringify({ states, adopted: parent === process.pid }))`
  expect(program(script)).toEqual({ states: [false, true, false], adopted: true })
})

test('UT-12 clock ticks are getconf(1)’s', requires('program:getconf'), () => {
  expect(clockTicks()).toBe(Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout))
})

test('UT-12 kernel versions compare by their numbers', () => {
  expect(parseKernelVersion('5.10.0-28-amd64')).toEqual({ major: 5, minor: 10, patch: 0 })
  expect(parseKernelVersion('6.12')).toEqual({ major: 6, minor: 12, patch: 0 })
  expect(kernelAtLeast('5.9', '5.10.0')).toBe(true)
  expect(kernelAtLeast('5.10.1', '5.10.0-rc1')).toBe(false)
  expect(kernelAtLeast('5.10', '5.10.0')).toBe(true)
  expect(kernelAtLeast('5.10', '4.19.300')).toBe(false)
  expect(kernelAtLeast('3.10')).toBe(true)
  expect(kernelAtLeast('99.0')).toBe(false)
  expect(uname().release).toContain(`${parseKernelVersion(uname().release).major}.`)
  expect(() => parseKernelVersion('Linux')).toThrow(code('ConfigInvalid'))
})

test('UT-12 annotations part from the bundle; `__proto__` is a key as any', () => {
  const { bundle, annotations } = splitAnnotations([
    'bundle=/run/b',
    'a=b=c',
    '__proto__=x',
    'nothing',
    'a=2',
    '=empty key',
  ])
  expect(bundle).toBe('/run/b')
  expect([...annotations]).toEqual([
    ['a', '2'],
    ['__proto__', 'x'],
    ['', 'empty key'],
  ])
  expect(splitAnnotations([]).bundle).toBeUndefined()
})

test('D-08 every descriptor is close-on-exec, and says so once it is closed', async () => {
  using place = temporaryDirectory('d08-')
  mkdirSync(join(place.path, 'x'))
  const [a, b] = socketPair()
  const { read, write } = pipe()
  const fds = [
    a,
    b,
    read,
    write,
    await openFile('/dev/null'),
    await openDirectory('/'),
    await createInRoot(place.path, 'f'),
  ]
  for (const fd of fds) expect(cloexec(fd.fd), readlinkSync(`/proc/self/fd/${fd.fd}`)).toBe(true)
  for (const fd of fds) fd[Symbol.dispose]()
  for (const fd of fds) expect(() => fd.fd).toThrow(TypeError)
})

test('D-09 identities of 64 bits are bigints: inodes, start times, clocks of files', async () => {
  const { stat } = await inspectInode(await openFile('/dev/null'))
  expect(stat.inode).toBeTypeOf('bigint')
  expect(stat.mtimeNs).toBe(statSync('/dev/null', { bigint: true }).mtimeNs)
  expect((await processStat(process.pid))?.startTime).toBeTypeOf('bigint')
})

/** What a program in a process of its own prints. */
function program(script: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

function cloexec(fd: number): boolean {
  const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
  return (Number.parseInt(flags, 8) & 0o2000000) !== 0
}
