import { SyscallError } from '@libcontainer/sys'
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
