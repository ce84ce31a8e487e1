import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { Factory } from '@libcontainer/container'
import { InitProgram } from '@libcontainer/init'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, type TemporaryDirectory, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, finished, sleeper } from './support.js'

const busybox = '/bin/busybox'
const needs = requires('root', `file:${busybox}`)

let directory: TemporaryDirectory
beforeAll(() => {
  directory = temporaryDirectory('executor-')
})
afterAll(() => directory[Symbol.dispose]())

describe('PR-19 an executor', () => {
  const program = new InitProgram(() => readFileSync(busybox), [], 'interpreter')
  const asked: unknown[] = []

  const open = async (): Promise<Factory> =>
    await Factory.open(`${directory.path}/state`, {
      executor: ({ args }, { id, config }) => {
        asked.push([id, config.hostname, args[0]])
        return args[0]?.endsWith('.wasm')
          ? { program, args: ['sh', '-c', 'echo "$0 $*"; id -u; cat /proc/self/status', ...args] }
          : undefined
      },
    })

  test('PR-19 what it answers runs in place of the program, as the process would have', needs, async () => {
    const factory = await open()
    const id = `executor-${process.pid}`
    const container = await factory.create(id, { rootfs: busyboxRootfs(), hostname: 'guest', noNewPrivileges: true })
    try {
      const spec = {
        args: ['/no/such/module.wasm', 'one', 'two'],
        user: { uid: 1000, gid: 1000 },
        stdio: ['null', 'pipe', 'pipe'] as const,
      }
      const first = () => container.run(spec)
      const further = async () => {
        await container.run(sleeper)
        return await container.exec(spec)
      }
      for (const start of [first, further]) {
        const { stdout, stderr, code } = await finished(await start())
        expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
        const [words, uid] = stdout.split('\n')
        expect([words, uid]).toEqual(['/no/such/module.wasm one two', '1000'])
        expect(stdout).toMatch(/^Seccomp:\t2$/m)
        expect(stdout).toMatch(/^NoNewPrivs:\t1$/m)
      }
      expect(asked).toContainEqual([id, 'guest', '/no/such/module.wasm'])
      expect(asked).toContainEqual([id, 'guest', '/bin/sleep'])
      expect(await container.status()).toBe('running')
    } finally {
      await container.destroy({ force: true })
    }
  })

  test('PR-19 IN-13 created, started, and never the file of the host', needs, async () => {
    const factory = await Factory.open(`${directory.path}/state`, {
      executor: () => ({ program, args: ['sleep', '1000'] }),
    })
    const container = await factory.create(`executor-created-${process.pid}`, { rootfs: busyboxRootfs() })
    try {
      const child = await container.start({ args: ['module.wasm'] })
      expect(await container.status()).toBe('created')
      await container.exec()
      expect(await container.status()).toBe('running')
      expect(readlinkSync(`/proc/${child.pid}/exe`)).toBe('/memfd:interpreter (deleted)')
      expect(() => readFileSync(`/proc/${child.pid}/fd/3`)).toThrow('ENOENT')
    } finally {
      await container.destroy({ force: true })
    }
  })

  test('PR-19 an answer that is none, a script, and one that throws: before or without a trace', needs, async () => {
    const script = new InitProgram(() => new TextEncoder().encode('#!/bin/sh\necho no\n'))
    for (const [executor, error] of [
      [() => ({ program: 'wasmtime' }), { code: 'ConfigInvalid', field: 'executor' }],
      [() => ({ program, args: [] }), { code: 'ConfigInvalid', field: 'executor.args' }],
      [() => ({ program, args: ['a\0b'] }), { code: 'ConfigInvalid', field: 'executor.args[0]' }],
      [() => ({ program: script }), { code: 'SystemError', syscall: 'execveat', errno: -2, hint: /static/ }],
      [() => Promise.reject(new Error('not today')), { message: 'not today' }],
    ] as const) {
      const factory = await Factory.open(`${directory.path}/state`, { executor: executor as never })
      const container = await factory.create(`executor-bad-${process.pid}`, { rootfs: busyboxRootfs() })
      try {
        const thrown = await container.run({ args: ['x.wasm'] }).then(
          () => undefined,
          (error: unknown) => error,
        )
        const { hint, ...expected }: { hint?: RegExp; [field: string]: unknown } = error
        expect(thrown).toMatchObject(expected)
        if (hint !== undefined) expect((thrown as { hint: string }).hint).toMatch(hint)
      } finally {
        await container.destroy({ force: true })
      }
    }
    await expect(Factory.open(`${directory.path}/state`, { executor: 3 as never })).rejects.toMatchObject({
      field: 'executor',
    })
  })
})

describe('EX self protection', () => {
  /** Of a container that waits to be started: what runs in it is init. */
  async function carrier(selfProtection?: 'copy' | 'overlay'): Promise<{ exe: string; inode: string; write: string }> {
    const factory = await Factory.open(`${directory.path}/state`, { selfProtection })
    const container = await factory.create(`protected-${selfProtection}-${process.pid}`, { rootfs: busyboxRootfs() })
    try {
      const { pid } = await container.start({ args: ['/bin/true'] })
      expect(await container.status()).toBe('created')
      const path = `/proc/${pid}/exe`
      const read = openSync(path, 'r')
      const { dev, ino } = fstatSync(read)
      closeSync(read)
      let write = 'written'
      try {
        closeSync(openSync(path, 'r+'))
      } catch (error) {
        write = (error as { code: string }).code
      }
      return { exe: readlinkSync(path), inode: `${dev}:${ino}`, write }
    } finally {
      await container.destroy({ force: true })
    }
  }

  test('EX-01 EX-04 a copy by default: a sealed memfd, never the host’s file', requires('root'), async () => {
    const file = statSync(new URL(`../../init/prebuilds/linux-${process.arch}/init`, import.meta.url))
    for (const protection of [undefined, 'copy'] as const) {
      const { exe, inode, write } = await carrier(protection)
      expect(exe).toBe('/memfd:init (deleted)')
      expect(inode).not.toBe(`${file.dev}:${file.ino}`)
      // It executes: no one may write to it, and with the seals no one ever may.
      expect(write).toMatch(/^(ETXTBSY|EPERM)$/)
    }
  })

  test('EX-01 EX-04 an overlay of the file: nothing to write to', requires('root'), async () => {
    const { exe, write } = await carrier('overlay')
    expect(exe).toBe('/')
    expect(write).toMatch(/^(EROFS|ETXTBSY)$/)
    // A whole life, and a further process.
    await using bench = await Bench.open('overlay')
    const factory = await Factory.open(`${directory.path}/overlay`, { selfProtection: 'overlay' })
    const container = await factory.create(bench.id(), { rootfs: busyboxRootfs() })
    try {
      await container.run(sleeper)
      expect(await container.status()).toBe('running')
      expect(await (await container.exec({ args: ['/bin/true'] })).wait()).toMatchObject({ code: 0 })
    } finally {
      await container.destroy({ force: true })
    }
  })

  test('EX-04 selfProtection is one of two, and of our own init alone', async () => {
    for (const selfProtection of ['bind', true, null])
      await expect(Factory.open(directory.path, { selfProtection: selfProtection as never })).rejects.toMatchObject({
        field: 'selfProtection',
      })
    await expect(
      Factory.open(directory.path, { selfProtection: 'overlay', init: { path: '/bin/init' } }),
    ).rejects.toMatchObject({ field: 'selfProtection' })
  })
})
