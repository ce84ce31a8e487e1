import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  connectAgent,
  type Decide,
  type Notification,
  NotifyAgent,
  NotifyListener,
  nativeArch,
  type Profile,
  receiveListener,
  seccompSteps,
  sendListener,
  syscallNumber,
} from '@libcontainer/seccomp'
import { OwnedFd, POLLIN, poll, receiveMessage, type Step, sendMessage, socketPair } from '@libcontainer/sys'
import { afterAll, describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'

const needs = requires('root', 'program:gcc')
const driver = new Driver(['seccomp'])
const directory = temporaryDirectory('libcontainer-notify-')

afterAll(() => {
  driver.close()
  directory[Symbol.dispose]()
})

let built: string | undefined
function caller(): string {
  if (built === undefined) {
    built = join(directory.path, 'caller')
    execFileSync('gcc', ['-O1', '-static', '-o', built, join(import.meta.dirname, 'caller.c')])
  }
  return built
}

const NOTIFIED = ['getppid', 'getpgrp', 'getsid', 'getpriority']
const profile: Profile = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: NOTIFIED, action: 'SCMP_ACT_NOTIFY' }],
}

const number = (name: string): number => syscallNumber(nativeArch(), name)!

interface Caller {
  readonly file: OwnedFd
  /** The same, and its owner from now on. */
  readonly listener: NotifyListener
  readonly pid: number
  /** What its calls have answered, when it has ended. */
  readonly ended: Promise<{ results: number[]; end: string }>
  /** Lets it begin. An argument that is a path is its address. A name of `32` or `64` is an entry of caller.c, and then the first number that of the call. */
  call(...calls: readonly (readonly [name: string, ...args: (number | bigint | string)[]])[]): void
  kill(signal: NodeJS.Signals): void
}

/** A process with the filter, whose listener is here. */
async function start(filter = profile): Promise<Caller> {
  const [ours, theirs] = socketPair()
  const send: Step = { op: 'driverSend', args: [3, { slot: 'listener' }], about: 'send the listener' }
  const child = driver.start([...seccompSteps(filter, { listener: 'listener' }), send], {
    argv: [caller()],
    stdio: ['pipe', 'pipe', 'inherit', theirs.fd],
  })
  theirs.close()
  const ended = (async () => {
    const out = text(child.stdout!)
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return { results: (await out).split('\n').filter(Boolean).map(Number), end: signal ?? `${code}` }
  })()
  await poll(ours.fd, POLLIN)
  const file = receiveMessage(ours)!.fds[0]!
  ours.close()
  return {
    file,
    listener: new NotifyListener(file),
    pid: child.pid!,
    ended,
    call: (...calls) => {
      const line = ([name, ...args]: readonly [string, ...(number | bigint | string)[]]): string =>
        `${/^\d/.test(name) ? name : `64 ${number(name)}`} ${Array.from({ length: /^\d/.test(name) ? 7 : 6 }, (_, i) => args[i] ?? 0).join(' ')}\n`
      child.stdin!.end(calls.map(line).join(''))
    },
    kill: signal => process.kill(child.pid!, signal),
  }
}

describe('user notification', needs, () => {
  test('SC-13 a call is received whole, and answered by an errno, a value, or the kernel', async () => {
    const { listener, call, ended, pid } = await start()
    const seen: Notification[] = []
    const decisions: Record<string, ReturnType<Decide>> = {
      getppid: { value: 4_000_000_000_000n },
      getpgrp: { errno: 'EXDEV' },
      getsid: 'allow',
      getpriority: Promise.resolve({ errno: 4095 }),
    }
    const large = 0xffff_ffff_ffff_fffen
    call(['getppid', 1, 2n, large, 4, 5, 6], ['getpgrp'], ['getsid', 0], ['getpriority'], ['getppid'])
    try {
      await listener.serve(notification => {
        seen.push(notification)
        expect(notification.isValid()).toBe(true)
        return decisions[notification.syscall!]!
      })
    } finally {
      listener.close()
    }
    const { results, end } = await ended
    expect(results.slice(0, 2)).toEqual([4_000_000_000_000, -18])
    expect(results[2]).toBeGreaterThanOrEqual(0)
    expect(results.slice(3)).toEqual([-4095, 4_000_000_000_000])
    expect(end).toBe('0')
    expect(seen.map(({ syscall }) => syscall)).toEqual(['getppid', 'getpgrp', 'getsid', 'getpriority', 'getppid'])
    const [first] = seen
    expect(first).toMatchObject({ pid, arch: nativeArch(), nr: number('getppid'), args: [1n, 2n, large, 4n, 5n, 6n] })
    expect(first!.instructionPointer).toBeGreaterThan(0n)
    expect(new Set(seen.map(({ id }) => id)).size).toBe(5)
  })

  test('SC-07 SC-13 a call of another architecture is told of as that', async context => {
    context.skip(nativeArch() !== 'x86_64', `${nativeArch()} runs no programs of others here`)
    const { listener, call, ended } = await start({ ...profile, architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] })
    call(['getppid'], ['32', 64, 1, 0xffff_ffff], ['64', 0x40000000 + 110])
    const seen: unknown[] = []
    await listener.serve(({ arch, syscall, nr, args }) => {
      seen.push([arch, syscall, nr, args[1]])
      return { errno: 7 }
    })
    listener.close()
    expect((await ended).results).toEqual([-7, -7, -7])
    expect(seen).toEqual([
      ['x86_64', 'getppid', 110, 0n],
      ['x86', 'getppid', 64, 0xffff_ffffn],
      ['x32', 'getppid', 0x40000000 + 110, 0n],
    ])
  })

  test('SC-13 descriptors are put into the caller: at a number, and as the answer in one act', async () => {
    const { listener, call, ended, pid } = await start()
    const path = join(directory.path, 'given')
    writeFileSync(path, 'given')
    call(['getppid'], ['getsid'])
    const links: string[] = []
    await listener.serve(async notification => {
      using file = new OwnedFd(openSync(path, 'r'))
      if (notification.syscall === 'getsid') return { fd: new OwnedFd(file.release()), closeOnExec: true }
      expect(await notification.addFd(file, { at: 77 })).toBe(77)
      const free = await notification.addFd(file.fd)
      expect(free).not.toBe(77)
      for (const fd of [77, free]) links.push(readFileSync(`/proc/${pid}/fd/${fd}`, 'utf8'))
      return { value: free }
    })
    listener.close()
    const { results } = await ended
    expect(links).toEqual(['given', 'given'])
    // The next one is the lowest that is free then.
    expect(results).toEqual([results[0], results[0]! + 1])
  })

  test('SC-13 a caller that is killed needs no answer, and the end of the last one is told', async () => {
    const { listener, call, kill, ended } = await start()
    call(['getppid'])
    const notification = await listener.receive()
    kill('SIGKILL')
    expect((await ended).end).toBe('SIGKILL')
    expect(notification!.isValid()).toBe(false)
    expect(() => notification!.answer(1)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    await expect(notification!.addFd(0)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await listener.receive()).toBeUndefined()
    for await (const _ of listener) throw new Error('nobody is left')
    await listener.serve(() => 'allow')
    listener.close()
  })

  test('SC-13 waiting can be given up, by a signal that was aborted before or is later; two receivers take turns', async () => {
    const { listener, call, ended } = await start()
    await expect(listener.receive({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    const controller = new AbortController()
    const waiting = listener.receive({ signal: controller.signal })
    controller.abort(new Error('later'))
    await expect(waiting).rejects.toThrow('later')
    const both = [listener.receive(), listener.receive()]
    const third = new AbortController()
    const unwanted = listener.receive({ signal: third.signal })
    third.abort(new Error('not its turn yet'))
    await expect(unwanted).rejects.toThrow('not its turn yet')
    call(['getppid'], ['getpgrp'])
    ;(await both[0])!.refuse(11)
    ;(await both[1])!.refuse('EAGAIN')
    expect((await ended).results).toEqual([-11, -11])
    listener.close()
  })

  test('SC-13 a decision that throws refuses its call and ends the service; a wrong errno is none', async () => {
    const { listener, call, ended } = await start()
    call(['getppid'], ['getpgrp'])
    const failing = listener.serve(() => {
      throw new Error('undecided')
    })
    await expect(failing).rejects.toThrow('undecided')
    const next = await listener.receive()
    for (const errno of ['ENOSUCH', 0, -1, 4096, 1.5]) expect(() => next!.refuse(errno)).toThrow('no errno')
    listener.close()
    // Nobody listens any more.
    expect((await ended).results).toEqual([-1, -38])
  })

  test('SC-13 what an argument points to is read, as long as the call waits', async () => {
    const filter: Profile = { ...profile, syscalls: [{ names: ['chdir'], action: 'SCMP_ACT_NOTIFY' }] }
    const directories = ['/a', `/${'é'.repeat(1500)}`, `/${'b'.repeat(4094)}`, `/${'c'.repeat(5000)}`]
    const { listener, call, ended } = await start(filter)
    call(...directories.map(path => ['chdir', path] as const))
    const seen: unknown[] = []
    let last: Notification | undefined
    await listener.serve(async notification => {
      last = notification
      const [path] = notification.args as [bigint]
      seen.push(await notification.readString(path).catch(({ code }) => code))
      if (seen.length === 1) {
        expect(Buffer.from(await notification.readMemory(path, 3)).toString()).toBe('/a\0')
        await expect(notification.readMemory(1n, 8)).rejects.toMatchObject({ code: 'EFAULT' })
      }
      return { errno: 100 + seen.length }
    })
    await expect(last!.readString(last!.args[0]!)).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOENT|ESRCH)$/),
    })
    listener.close()
    expect(seen).toEqual([...directories.slice(0, 3), 'ENAMETOOLONG'])
    expect((await ended).results).toEqual([-101, -102, -103, -104])
  })

  test('SC-12 an agent is handed the listener and what it is of; what is none is told and dropped', async () => {
    // No address of a socket holds such a path.
    const folder = join(directory.path, 'x'.repeat(100))
    mkdirSync(folder)
    const path = join(folder, 'agent')
    const warnings: string[] = []
    await using agent = await NotifyAgent.listen(path, { warn: message => warnings.push(message) })
    const { listener, call, ended } = await start()
    listener.close()
    call()
    await ended

    const other = await start()
    const state = {
      ociVersion: '1.0.2',
      id: 'x',
      status: 'creating',
      bundle: '/b',
      annotations: { a: 'é'.repeat(200_000) },
    }
    const received = agent.accept()
    // Nonsense, silence and a state without a listener come first.
    for (const bytes of ['nonsense', '', '{"ociVersion":"1","fds":["other"],"pid":1,"state":{}}']) {
      using connection = await connectAgent(path)
      if (bytes !== '') sendMessage(connection, Buffer.from(bytes), [0])
    }
    using connection = await connectAgent(path)
    await sendListener(connection, other.file, { ociVersion: '1.0.2', pid: 12, metadata: 'who', state })
    other.file.close()
    const { listener: handed, ...rest } = await received
    expect(rest).toEqual({ ociVersion: '1.0.2', pid: 12, metadata: 'who', state })
    expect(warnings).toEqual([
      'the peer sent no container process state',
      'the peer sent no container process state',
      'a container process state has seccompFd, a pid and a state',
    ])
    other.call(['getppid'])
    await handed.serve(() => ({ value: 5 }))
    handed.close()
    expect((await other.ended).results).toEqual([5])
    using quiet = await connectAgent(path)
    await expect(receiveListener(quiet, { signal: AbortSignal.timeout(1) })).rejects.toThrow()
  })
})
