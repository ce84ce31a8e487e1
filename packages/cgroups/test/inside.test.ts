import * as childProcess from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { InsideHandle, startInside } from '../dist/node/inside.js'
import type { Entrance } from '../dist/processes/start.js'

/** Into no cgroup at all: what is left is what child_process does, by our hand. */
const nowhere: Entrance = { directory: undefined, procs: undefined, tasks: [], close: () => undefined }

const spawn = ((...args: Parameters<typeof childProcess.spawn>) =>
  startInside(nowhere, () => childProcess.spawn(...args))[0]) as typeof childProcess.spawn

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

async function ended(child: childProcess.ChildProcess): Promise<Ended> {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
  ])
  return { code, signal, stdout, stderr }
}

/** Both of Node.js' own start and of ours: they must be alike. */
const both = [
  ['child_process', childProcess.spawn],
  ['ours', spawn],
] as const

describe.each(both)('as child_process.spawn does: %s', (_, start) => {
  test('streams, exit code, the words and the environment', async () => {
    const script = 'read line; echo "$0 $1 $line $A"; echo wrong >&2; exit 3'
    const child = start('sh', ['-c', script, 'name', 'two words'], { env: { PATH: process.env.PATH, A: 'b=c' } })
    expect(child.pid).toBeGreaterThan(1)
    expect(child.spawnargs).toEqual(['sh', '-c', script, 'name', 'two words'])
    child.stdin.end('hello\n')
    expect(await ended(child)).toEqual({
      code: 3,
      signal: null,
      stdout: 'name two words hello b=c\n',
      stderr: 'wrong\n',
    })
    expect([child.exitCode, child.signalCode, child.killed, child.connected]).toEqual([3, null, false, false])
  })

  test('kill() and the signal that ended it; later there is nothing to kill', async () => {
    const child = start('sleep', ['60'], { stdio: 'ignore' })
    expect(child.kill(0)).toBe(true)
    expect(child.kill('SIGTERM')).toBe(true)
    expect(await ended(child)).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(child.signalCode).toBe('SIGTERM')
    expect(child.kill()).toBe(false)
  })

  test('signals that Node.js ignores or handles are as they were at first', async () => {
    const { stdout } = await ended(start('cat', ['/proc/self/status']))
    expect(/^SigIgn:\t(\w+)/m.exec(stdout)?.[1]).toMatch(/^0+$/)
    expect(/^SigBlk:\t(\w+)/m.exec(stdout)?.[1]).toMatch(/^0+$/)
  })

  test('no descriptor but its own comes along', async () => {
    const held = openSync('/dev/null', 'r')
    expect(held).toBeGreaterThan(2)
    const { stdout } = await ended(start('ls', ['/proc/self/fd']))
    const names = stdout.trim().split('\n')
    expect(names).toEqual(expect.arrayContaining(['0', '1', '2']))
    expect(names).not.toContain(String(held))
    closeSync(held)
  })

  test('stdio: ignore, a descriptor, more than three, and those of others', async () => {
    using dir = temporaryDirectory('inside-')
    const file = join(dir.path, 'out')
    const out = openSync(file, 'w')
    const child = start('sh', ['-c', 'cat; echo five >&5; [ -e /proc/self/fd/3 ] || echo no 3; echo six <&6'], {
      stdio: ['ignore', out, 'pipe', 'ignore', 'ignore', 'pipe', 0],
    })
    expect(child.stdio.map(stream => stream !== null)).toEqual([false, false, true, false, false, true, false])
    const five = text((child.stdio as unknown as NodeJS.ReadableStream[])[5]!)
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' })
    expect(await five).toBe('five\n')
    expect(readFileSync(file, 'utf8')).toBe('no 3\nsix\n')
  })

  test('cwd, argv0, shell, and a PATH of its own', async () => {
    using dir = temporaryDirectory('inside-')
    writeFileSync(join(dir.path, 'tool'), '#!/bin/sh\necho tool in $(pwd)\n', { mode: 0o755 })
    writeFileSync(join(dir.path, 'plain'), 'echo plain $1\n', { mode: 0o755 })
    const env = { PATH: `/nowhere:${dir.path}:/usr/bin:/bin` }
    expect((await ended(start('tool', [], { env, cwd: '/' }))).stdout).toBe('tool in /\n')
    expect((await ended(start('plain', ['text'], { env }))).stdout).toBe('plain text\n')
    expect((await ended(start('./tool', { cwd: dir.path }))).stdout).toBe(`tool in ${dir.path}\n`)
    expect((await ended(start('sh', ['-c', 'echo $0'], { argv0: 'renamed' }))).stdout).toBe('renamed\n')
    expect((await ended(start('echo $((1 + 2)) | cat', { shell: true }))).stdout).toBe('3\n')
  })

  test('detached begins a session', async () => {
    const child = start('sh', ['-c', 'cut -d" " -f6 /proc/$$/stat'], { detached: true })
    expect((await ended(child)).stdout).toBe(`${child.pid}\n`)
  })

  test('time-out and abort', async () => {
    const late = start('sleep', ['60'], { timeout: 50, killSignal: 'SIGINT', stdio: 'ignore' })
    expect(await ended(late)).toMatchObject({ signal: 'SIGINT' })
    const control = new AbortController()
    const child = start('sleep', ['60'], { signal: control.signal, stdio: 'ignore' })
    const error = once(child, 'error') as Promise<[Error]>
    control.abort()
    expect((await error)[0].name).toBe('AbortError')
  })

  test('a megabyte each way', async () => {
    const bytes = Buffer.alloc(1 << 20, 'x')
    const child = start('cat')
    child.stdin.end(bytes)
    expect((await ended(child)).stdout).toBe(bytes.toString())
  })
})

const spawnFork: typeof childProcess.fork = ((...args: Parameters<typeof childProcess.fork>) =>
  startInside(nowhere, () => childProcess.fork(...args))[0]) as typeof childProcess.fork

describe.each([
  ['child_process', childProcess.fork],
  ['ours', spawnFork],
] as const)('as child_process.fork does: %s', (_, fork) => {
  test.each(['json', 'advanced'] as const)(
    'messages as %s, a server that is handed over, and disconnect',
    async serialization => {
      using dir = temporaryDirectory('inside-')
      const module = join(dir.path, 'child.cjs')
      writeFileSync(
        module,
        `process.on('message', (message, server) => {
        if (message === 'end') return process.disconnect()
        process.send({ got: message, port: server && server.address().port })
        if (server) server.close()
      })`,
      )
      const child = fork(module, [], { serialization })
      expect(child.connected).toBe(true)
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      child.send({ a: [1, 'ä'] })
      expect((await once(child, 'message'))[0]).toEqual({ got: { a: [1, 'ä'] } })
      child.send('server', server)
      expect((await once(child, 'message'))[0]).toEqual({ got: 'server', port })
      server.close()
      child.send('end')
      expect(await ended(child)).toMatchObject({ code: 0 })
      expect(child.connected).toBe(false)
    },
  )
})

describe('what cannot be started is thrown, with the errno and the file', () => {
  test.each([
    ['/nowhere/program', {}, 'ENOENT', 'execve', '/nowhere/program'],
    ['no-such-program', {}, 'ENOENT', 'execve', 'no-such-program'],
    ['/etc/passwd', {}, 'EACCES', 'execve', '/etc/passwd'],
    ['sh', { cwd: '/nowhere' }, 'ENOENT', 'chdir', '/nowhere'],
  ])('%s %j', (file, options, code, syscall, path) => {
    const start = () => spawn(file, [], options)
    expect(start).toThrow(expect.objectContaining({ code, syscall, path }))
  })

  test('a wrong option is an error of Node.js, and nothing is left that would take the next child', async () => {
    expect(() => spawn('sh', [], { stdio: 'nothing' as 'pipe' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    expect(await ended(childProcess.spawn('true'))).toMatchObject({ code: 0 })
  })
})

test('16 another child of this process is not reaped by us', async () => {
  const theirs = childProcess.spawn('sh', ['-c', 'exit 4'])
  const ours = spawn('sh', ['-c', 'exit 5'])
  expect(await Promise.all([ended(theirs), ended(ours)])).toMatchObject([{ code: 4 }, { code: 5 }])
})

test('unref() lets the program end before the child does', () => {
  const module = new URL('../dist/node/inside.js', import.meta.url).href
  const program = `
    import { spawn } from 'node:child_process'
    import { startInside } from ${JSON.stringify(module)}
    const nowhere = { directory: undefined, procs: undefined, tasks: [], close() {} }
    const [child] = startInside(nowhere, () => spawn('sleep', ['60'], { stdio: 'ignore' }))
    child.unref()
    process.on('exit', () => child.kill('SIGKILL'))
    console.log('done')`
  const { stdout, status } = childProcess.spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ stdout, status }).toEqual({ stdout: 'done\n', status: 0 })
})

test('a stream that cannot be made of its descriptor is an error, and leaves none', () => {
  const fds = (): number => readdirSync('/proc/self/fd').length
  const replaced = { onexit: () => undefined, spawn: () => -22, close: () => undefined }
  const handle = new InsideHandle(nowhere, replaced)
  handle.start = { file: 'true', stdio: [{ type: 'pipe', handle: { fd: -1, open: () => -24 } }] }
  const before = fds()
  expect(handle.spawn(handle.start)).toBe(-24)
  expect(handle.failure).toMatchObject({ code: 'EMFILE' })
  expect(fds()).toBe(before)
})

test('nothing is left of a hundred: no descriptor, no handle', async () => {
  const fds = (): number => readdirSync('/proc/self/fd').length
  const handles = (): number => process.getActiveResourcesInfo().filter(name => name !== 'Immediate').length
  const before = [fds(), handles()] as const
  for (let i = 0; i < 100; i++) await ended(spawn('true', [], { stdio: 'ignore' }))
  expect(fds()).toBeLessThanOrEqual(before[0] + 2)
  expect(handles()).toBeLessThanOrEqual(before[1] + 2)
})
