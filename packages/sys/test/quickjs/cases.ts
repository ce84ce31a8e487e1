import {
  acceptUnix,
  captureStack,
  connectUnix,
  createInRoot,
  detail,
  features,
  generateRandomName,
  getAttribute,
  Logger,
  listDirectory,
  listenUnix,
  lockFile,
  makeDirectory,
  mkdirAllInRoot,
  O_NONBLOCK,
  openInRoot,
  ParentDeathSignal,
  Procfs,
  pipe,
  probe,
  readText,
  receiveFd,
  removeTree,
  reopen,
  SOCK_STREAM,
  SyscallError,
  secureJoin,
  sendFd,
  sleep,
  socketPair,
  symlinkInRoot,
  unlinkInRoot,
  verifyInode,
} from '@libcontainer/sys'
// The ops themselves, as every package's native.ts has them: both hosts resolve this to one instance of the package.
import { native } from '../../dist/native.js'

/** Acts that both hosts must answer alike: each gives something that JSON can carry. */
export const cases: Record<string, () => unknown> = {
  'a 64-bit answer'() {
    const seconds = native.sync.clock(0) / 1e9
    return Math.abs(seconds - Date.now() / 1000) < 5
  },
  'a 64-bit answer beyond 2^53 as the nearest number'() {
    const ns = native.sync.clock(0)
    return [typeof ns, ns > 2 ** 60, Number.isInteger(ns)]
  },
  'numbers beyond 32 bits': () => signalMask(2 ** 40),
  'bigints of 63 bits': () => signalMask((1n << 62n) | (1n << 40n)),
  'fractions are cut off': () => native.sync.close(-1.5),
  'not a number is 0, as in Node': () => native.sync.kill(1, NaN),

  'strings beyond ASCII'() {
    const name = 'é€😀'
    const [fd] = [native.sync.memfd(name, new Uint8Array(0))]
    const buffer = new Uint8Array(64)
    const size = native.sync.readLink(-100, `/proc/self/fd/${fd}`, buffer)
    native.sync.close(fd!)
    return new TextDecoder().decode(buffer.subarray(0, size))
  },
  'the bytes of a string': () =>
    native.sync.readFile(-100, new TextEncoder().encode('/proc/self/comm\0'), new Uint8Array(2)),
  'the bytes of a string without their NUL': () =>
    thrown(() => native.sync.readFile(-100, new Uint8Array([47]), new Uint8Array(2))),
  'the bytes of a string with two': () =>
    thrown(() => native.sync.readFile(-100, new Uint8Array([47, 0, 47, 0]), new Uint8Array(2))),
  'no bytes for a string': () => thrown(() => native.sync.readFile(-100, new Uint8Array(0), new Uint8Array(2))),
  'a string with NUL': () => thrown(() => native.sync.readFile(-100, '/proc/self/comm\0x', new Uint8Array(9))),
  'a number for a string': () => thrown(() => native.sync.readFile(-100, 5 as unknown as string, new Uint8Array(9))),
  'a string for a number': () => thrown(() => native.sync.close('5' as unknown as number)),
  'undefined for a number': () => thrown(() => (native.sync.close as () => number)()),
  'another typed array for bytes': () =>
    thrown(() => native.sync.readFd(0, new Int32Array(2) as unknown as Uint8Array)),
  'an array for bytes': () => thrown(() => native.sync.readFd(0, [1] as unknown as Uint8Array)),
  'the off-thread form throws for these at once': () => thrown(() => void native.async.close('5' as unknown as number)),

  'an errno is negative': () => native.sync.close(-1),
  async 'an errno through a promise'() {
    return await native.async.close(-1)
  },
  async 'a full buffer, a part of one, and none'() {
    const pair = new Int32Array(2)
    native.sync.pipe(0, new Uint8Array(pair.buffer))
    const [read, write] = pair as unknown as [number, number]
    const all = new Uint8Array(8)
    const wrote = native.sync.writeFd(write, Uint8Array.of(1, 2, 3, 4, 5))
    const sync = native.sync.readFd(read, all.subarray(2, 4))
    const async = await native.async.readFd(read, all.subarray(5))
    const none = native.sync.writeFd(write, new Uint8Array(0))
    native.sync.close(read)
    native.sync.close(write)
    return { wrote, sync, async, none, all: [...all] }
  },

  'UT-05 EV-200 files in a root': () =>
    within(async root => {
      ;(await mkdirAllInRoot(root, '../a/b')).close()
      const name = new Uint8Array([0xff, 0x66])
      const made = await createInRoot(root, name)
      const again = await reopen(made, 0)
      await symlinkInRoot(root, '/a', 'b')
      const found = await openInRoot(root, '/b/b', 0)
      for (const fd of [made, again, found]) fd.close()
      const entries = await listDirectory(root)
      const joined = (await secureJoin(root, 'b/../x')).slice(root.length)
      await unlinkInRoot(root, name)
      const left = (await listDirectory(root)).map(each => each.name).sort()
      const failed = await caught(openInRoot(root, 'none'))
      return [entries.map(({ type, bytes }) => [type, bytes && [...bytes]]).sort(), joined, left, failed]
    }),
  async 'UT-06 UT-07 a file of procfs is of procfs'() {
    const procfs = await Procfs.open()
    const file = await procfs.root('sys/kernel/ostype')
    const { filesystem } = await verifyInode(file, ({ stat }) => (stat.type === 'file' ? undefined : stat.type))
    file.close()
    procfs.close()
    return filesystem
  },
  async 'UT-08 a descriptor with its name'() {
    const [a, b] = socketPair()
    const { read, write } = pipe()
    sendFd(a, read, 'näme')
    const { file, name } = await receiveFd(b)
    for (const fd of [a, b, read, write, file]) fd.close()
    return name
  },
  'UT-10 UT-11 UT-12 of a file and of this process': async () => [
    await getAttribute('/', 'trusted.libcontainer-none'),
    ParentDeathSignal.get().name,
    generateRandomName('x', 5).length,
  ],
  'UT-14 a log': () =>
    within(async root => {
      const log = await Logger.open({ to: `${root}/log`, format: 'json', fields: { n: 2n ** 64n - 1n } })
      log.info('é')
      log.merge('{"level":"fatal","msg":"helper"}')
      await log.close()
      return (await readText(`${root}/log`)).replaceAll(/"time":"[^"]*"/g, '"time"')
    }),
  'ER-12 UT-13 an error in detail'() {
    const text = detail(new SyscallError(1, 'mount', { path: '/proc' }))
    const [first] = captureStack()
    return [/\nFrames:\n---\n0: /.test(text), text.split('\n').slice(1, 4), typeof first?.line, (first?.line ?? 0) > 0]
  },
  'a lock that somebody holds leaves timers alone': () =>
    within(async root => {
      const path = `${root}/lock`
      const holder = await lockFile(path)
      void sleep(20).then(() => holder.close())
      const lock = await lockFile(path)
      lock.close()
      return holder.closed
    }),
  'a connection that nobody accepts yet leaves timers alone': () =>
    within(async root => {
      const path = `${root}/socket`
      const listener = listenUnix(path, SOCK_STREAM)
      // listen(2) lets one more wait than it is told.
      const waiting = await Promise.all(Array.from({ length: 17 }, () => connectUnix(path, SOCK_STREAM)))
      void sleep(20).then(() => waiting.push(acceptUnix(listener).connection))
      const last = await connectUnix(path, SOCK_STREAM)
      const accepted = waiting.length === 18
      // As any other: it waits for whoever reads.
      const waits = (native.sync.getFlags(last.fd) & O_NONBLOCK) === 0
      for (const socket of [...waiting, last, listener]) socket.close()
      return [accepted, waits]
    }),
  'D-10 features': () => features(),
  async 'D-10 probe'() {
    return Object.entries(await probe()).map(([name, { available }]) => [name, available])
  },

  async 'a plan that works'() {
    await native.apply([{ op: 'memfd', args: ['x', new Uint8Array(3)], about: 'make', into: 'file' }, closing()])
    return 'done'
  },
  async 'a plan whose second step fails'() {
    const steps = [
      { op: 'memfd', args: ['x', Uint8Array.of(1)], about: 'make', into: 'file' },
      {
        op: 'openAt',
        args: [-100, '/absent/é', 0, 0],
        about: 'open /absent/é',
        path: '/absent/é',
        hints: { ENOENT: 'make it' },
      },
    ]
    try {
      await native.apply(steps)
    } catch (error) {
      const { message, code, errno, syscall, path, step, hint } = error as SyscallError
      return { ours: error instanceof SyscallError, message, code, errno, syscall, path, step, hint }
    }
  },
  async 'a plan with an op that is not there'() {
    try {
      await native.apply([{ op: 'flyToTheMoon', args: [], about: 'fly' }])
    } catch (error) {
      return (error as Error).message
    }
  },
}

const closing = () => ({ op: 'close', args: [{ slot: 'file' }], about: 'close' })

/** Every signal number has a bit: what signalfd(2) was given stands in its fdinfo. */
function signalMask(mask: number | bigint): string | undefined {
  const fd = native.sync.signalFd(mask)
  const buffer = new Uint8Array(4096)
  const size = native.sync.readFile(-100, `/proc/self/fdinfo/${fd}`, buffer)
  native.sync.close(fd)
  return /sigmask:\s*(\w+)/.exec(new TextDecoder().decode(buffer.subarray(0, size)))?.[1]
}

function thrown(act: () => void): string {
  try {
    act()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'nothing was thrown'
}

async function within<T>(work: (root: string) => Promise<T>): Promise<T> {
  const root = generateRandomName('/tmp/libcontainer-cases-', 16)
  await makeDirectory(root)
  try {
    return await work(root)
  } finally {
    await removeTree(root)
  }
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return error instanceof SyscallError ? [error.code, error.syscall, error.path] : String(error)
  }
}
