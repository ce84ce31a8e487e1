import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import {
  acceptUnix,
  connectUnix,
  errnoName,
  errnoNumber,
  exists,
  isErrno,
  later,
  listDirectory,
  listenUnix,
  lockFile,
  makeDirectory,
  OwnedFd,
  openDirectory,
  openFile,
  POLLIN,
  pipe,
  poll,
  readBytes,
  readLink,
  readProc,
  readText,
  readTextIfPresent,
  receiveMessage,
  removeFile,
  removeTree,
  replaceFile,
  SyscallError,
  sendMessage,
  signalName,
  signalNumber,
  sleep,
  socketPair,
  stat,
  uname,
  writeFd,
  writeText,
} from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

test('files: written, replaced, read, listed, removed', async () => {
  using directory = temporaryDirectory('sys-')
  const path = (name: string): string => `${directory.path}/${name}`
  await writeText(path('a'), 'one', { mode: 0o600 })
  expect(statSync(path('a')).mode & 0o777).toBe(0o600)
  await replaceFile(path('a'), 'two')
  expect(await readText(path('a'))).toBe('two')
  expect(await readTextIfPresent(path('absent'))).toBeUndefined()
  await makeDirectory(path('d/e/f'), { parents: true })
  await makeDirectory(path('d/e/f'), { parents: true })
  await expect(makeDirectory(path('d'))).rejects.toMatchObject({ code: 'EEXIST', syscall: 'mkdirat' })
  symlinkSync('/etc', path('d/e/link'))
  expect((await listDirectory(path('d/e'))).map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
    'f directory',
    'link link',
  ])
  expect(await readLink(path('d/e/link'))).toBe('/etc')
  expect((await stat(path('a'))).size).toBe(3)
  expect((await stat(path('d/e/link'), { follow: false })).type).toBe('link')
  const at = await openDirectory(directory.path, { handle: true })
  expect(await readText('a', { at })).toBe('two')
  at.close()
  await removeFile(path('a'))
  await removeFile(path('a'))
  expect(await exists(path('a'))).toBe(false)
  await removeTree(path('d'))
  expect(readdirSync(directory.path)).toEqual([])
  expect(readdirSync('/etc').length).toBeGreaterThan(10)
})

test('a large directory and a large file come whole', async () => {
  using directory = temporaryDirectory('sys-')
  const names = Array.from({ length: 700 }, (_, i) => `${'name'.repeat(20)}-${i}`)
  for (const name of names) writeFileSync(`${directory.path}/${name}`, '')
  expect((await listDirectory(directory.path)).map(({ name }) => name).sort()).toEqual(names.sort())
  const bytes = new Uint8Array(300_000).map((_, i) => i % 251)
  await writeText(`${directory.path}/large`, bytes)
  expect(await readBytes(`${directory.path}/large`)).toEqual(bytes)
})

test('removeTree follows no link and leaves nothing, however deep and wide', async () => {
  using directory = temporaryDirectory('sys-')
  mkdirSync(`${directory.path}/outside`)
  writeFileSync(`${directory.path}/outside/kept`, 'kept')
  mkdirSync(`${directory.path}/tree/${'d/'.repeat(40)}`, { recursive: true })
  for (let i = 0; i < 300; i++) writeFileSync(`${directory.path}/tree/d/file-${i}`, '')
  symlinkSync(`${directory.path}/outside`, `${directory.path}/tree/d/link`)
  await removeTree(`${directory.path}/tree`)
  expect(readdirSync(directory.path)).toEqual(['outside'])
  expect(readFileSync(`${directory.path}/outside/kept`, 'utf8')).toBe('kept')
})

test('EV-200 strings that would not reach the kernel as they stand are refused', async () => {
  await expect(readText('/etc/pass\0wd')).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(readText('/etc/\ud800')).rejects.toMatchObject({ code: 'ConfigInvalid' })
})

test('ER-10 an error reads as Node.js’ own and carries its fields', async () => {
  const error = await readText('/absent').catch((error: unknown) => error)
  expect(error).toBeInstanceOf(SyscallError)
  expect(error).toMatchObject({ code: 'ENOENT', errno: -2, path: '/absent', name: 'SyscallError' })
  expect((error as Error).message).toMatch(/^ENOENT: no such file or directory, \w+ '\/absent'$/)
  expect(isErrno(error, 'EPERM', 'ENOENT')).toBe(true)
  expect(errnoName(-11)).toBe('EAGAIN')
  expect(errnoNumber('EPERM')).toBe(1)
  expect(errnoNumber('ENONSENSE')).toBeUndefined()
  expect(errnoName(9999)).toBe('E9999')
})

test('a lock is held by one, waited for by others, and ends with its descriptor', async () => {
  using directory = temporaryDirectory('sys-')
  const path = `${directory.path}/lock`
  const first = await lockFile(path)
  await expect(lockFile(path, { now: true })).rejects.toMatchObject({ code: 'EAGAIN' })
  let second: OwnedFd | undefined
  const waiting = lockFile(path).then(lock => {
    second = lock
  })
  await sleep(30)
  expect(second).toBeUndefined()
  first.close()
  await waiting
  second!.close()
})

test('S25 any number of waits that block hold up neither files nor timers', async () => {
  using directory = temporaryDirectory('sys-')
  const path = `${directory.path}/lock`
  const held = await lockFile(path)
  const waiting = Array.from({ length: 40 }, () => lockFile(path).then(lock => lock.close()))
  expect((await readText('/proc/self/comm')).length).toBeGreaterThan(1)
  await import('node:fs/promises').then(fs => fs.readFile('/proc/self/comm'))
  held.close()
  await Promise.all(waiting)
})

test('waiting: ready, aborted, aborted before, and twice for one descriptor', async () => {
  const { read, write } = pipe()
  const abort = new AbortController()
  const aborted = poll(read.fd, POLLIN, { signal: abort.signal })
  const ready = poll(read.fd, POLLIN)
  abort.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  await expect(poll(read.fd, POLLIN, { signal: abort.signal })).rejects.toThrow('enough')
  await writeFd(write.fd, new Uint8Array([1]))
  expect(await ready).toBe(POLLIN)
  await expect(sleep(10_000, { signal: AbortSignal.timeout(10) })).rejects.toMatchObject({ name: 'TimeoutError' })
  using directory = temporaryDirectory('sys-')
  const file = await openFile(`${directory.path}/file`, 0o102)
  await expect(poll(file.fd, POLLIN)).rejects.toMatchObject({ code: 'EPERM', name: 'SyscallError' })
  for (const fd of [read, write, file]) fd.close()
})

test('later: once, unless it is taken back; a weak one lets the program end', async () => {
  const called: string[] = []
  const forget = later(1, () => called.push('forgotten'))
  forget()
  await new Promise<void>(resolve => {
    later(5, () => {
      called.push('later')
      resolve()
    })
  })
  forget()
  expect(called).toEqual(['later'])
  const program = `
    import { later } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    later(60_000, () => {}, { weak: true })
    later(1, () => console.log('ends'))`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect({ stdout, status }).toEqual({ stdout: 'ends\n', status: 0 })
})

test('UT-08 descriptors travel with messages, close-on-exec, and the end of a connection is told', async () => {
  const [a, b] = socketPair()
  const { read, write } = pipe()
  sendMessage(a, new TextEncoder().encode('take'), [read.fd])
  await poll(b.fd, POLLIN)
  const message = receiveMessage(b)!
  expect(new TextDecoder().decode(message.bytes)).toBe('take')
  expect(readFileSync(`/proc/self/fdinfo/${message.fds[0]!.fd}`, 'utf8')).toMatch(/flags:\s+02000000/)
  expect(() => receiveMessage(b)).toThrow(expect.objectContaining({ code: 'EAGAIN' }))
  a.close()
  expect(receiveMessage(b)).toBeUndefined()
  for (const fd of [b, read, write, ...message.fds]) fd.close()
})

test('LR-16 sockets in directories with long names, and who connects', async () => {
  using directory = temporaryDirectory('sys-')
  const deep = `${directory.path}/${'long-directory-name/'.repeat(8)}`
  mkdirSync(deep, { recursive: true })
  const at = await openDirectory(deep, { handle: true })
  const listener = listenUnix('socket', undefined, { directory: at, mode: 0o600 })
  expect(statSync(`${deep}/socket`).mode & 0o777).toBe(0o600)
  const connecting = connectUnix('socket', undefined, { directory: at })
  await poll(listener.fd, POLLIN)
  const { connection, pid } = acceptUnix(listener)
  expect(pid).toBe(process.pid)
  const client = await connecting
  for (const fd of [connection, client, listener]) fd.close()
  await expect(connectUnix('socket', undefined, { directory: at })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(connectUnix(`${deep}socket`)).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  at.close()
})

test('a descriptor is closed once, and its number is not handed out afterwards', () => {
  const { read, write } = pipe()
  read.close()
  read.close()
  expect(() => read.fd).toThrow(/closed/)
  const number = write.release()
  expect(write.closed).toBe(true)
  new OwnedFd(number)[Symbol.dispose]()
})

test('EV-196 signals by name and number', () => {
  expect(['SIGKILL', 'kill', '9', 9].map(signal => signalNumber(signal))).toEqual([9, 9, 9, 9])
  expect(signalNumber('SIGRTMIN+3')).toBe(37)
  expect(signalNumber('RTMAX-1')).toBe(63)
  expect(signalName(15)).toBe('SIGTERM')
  expect(signalName(36)).toBe('SIGRTMIN+2')
  for (const bad of ['SIGNOPE', '', 0, 65, -1, 1.5, 'SIGRTMIN+99'])
    expect(() => signalNumber(bad), String(bad)).toThrow(/signal/)
})

test('uname tells the machine', () => {
  expect(uname()).toMatchObject({ sysname: 'Linux', machine: process.arch === 'x64' ? 'x86_64' : 'aarch64' })
})

test('a file of /proc is read at once; of a process that is not there it is undefined', () => {
  expect(readProc('/proc/self/comm')).toBe(readFileSync('/proc/self/comm', 'utf8'))
  expect(readProc('/proc/0/cgroup')).toBeUndefined()
  expect(() => readProc('/proc/self/\0')).toThrow(/NUL/)
})
