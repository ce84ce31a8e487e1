import * as native from 'lc:host'
import { checked, LibcontainerError, SyscallError } from '../errors/errors.js'
import type { Host } from '../host.js'
import { native as ops } from '../native.js'

/** The static executable's answer to {@link Host}: ops are linked in and run in line, and its loop is one ppoll(2). */

export const loadOps: Host['loadOps'] = name => {
  const ops = native.loadTable(name)
  if (ops === undefined)
    throw new LibcontainerError('ERR_NO_BINDING', `this executable was built without the ops of ${name}`)
  return ops
}

export const loadAsset: Host['loadAsset'] = name => {
  const bytes = native.embedded(name)
  if (bytes === undefined) throw new LibcontainerError('ERR_NO_BINDING', `this executable was built without ${name}`)
  return bytes
}

export const findAsset: Host['findAsset'] = () => undefined

const POLLIN = 0x1
/** poll(2)'s event for a descriptor that is not open. */
const POLLNVAL = 0x20

export const watch: Host['watch'] = (fd, events, weak = false) => {
  let settle: (events: number) => void
  let id: number
  const ready = new Promise<number>((resolve, reject) => {
    settle = resolve
    const onReady = (seen: number): void => {
      if (seen & POLLNVAL) reject(new SyscallError(9, 'ppoll', { path: `descriptor ${fd}` }))
      else resolve(seen)
    }
    id = native.watch(fd, events, onReady, weak)
  })
  const cancel = (): void => {
    if (native.cancel(id)) settle(0)
  }
  return { events: ready, cancel }
}

/** Farther away than any program runs. */
const FAR_MS = 0x7fffffff

export const hold: Host['hold'] = () => {
  const id = native.timer(FAR_MS, () => {})
  return () => void native.cancel(id)
}

export const timer: Host['timer'] = (ms, callback, weak = false) => {
  const id = native.timer(ms, callback, weak)
  return { cancel: () => void native.cancel(id) }
}

// Modules are evaluated when the executable is built: what belongs to one run is filled in when it starts.
const argv: string[] = []
let name = ''
// Without a prototype, where every name is one as any.
const variables: Record<string, string> = Object.create(null)

native.onStart(([first = '', ...rest]) => {
  name = first
  argv.push(...rest)
  native.readEnvironment(variables)
})

/** Of struct signalfd_siginfo, whose first field is the signal. */
const INFO_SIZE = 128

export const onSignals: Host['onSignals'] = (signals, callback) => {
  const { sync } = ops
  const mask = signals.reduce((bits, number) => bits | (1n << BigInt(number - 1)), 0n)
  const fd = checked(sync.signalFd(mask), 'signalfd4')
  const info = new Uint8Array(INFO_SIZE)
  const number = new DataView(info.buffer)
  const take = (): void => {
    while (sync.readFd(fd, info) === INFO_SIZE) callback(number.getUint32(0, true))
    id = native.watch(fd, POLLIN, take, true)
  }
  let id = native.watch(fd, POLLIN, take, true)
  return {
    stop: () => {
      native.cancel(id)
      sync.close(fd)
      sync.unblockSignals(mask)
    },
  }
}

export const becomeProgram: Host['becomeProgram'] = (program, args, keep) => {
  throw new SyscallError(native.becomeProgram(program, args, keep), 'execveat', { path: args[0] })
}

export const args: Host['args'] = argv
export const calledAs: Host['calledAs'] = () => name
export const environment: Host['environment'] = variables

export const encodeUtf8: Host['encodeUtf8'] = native.encodeUtf8
export const decodeUtf8: Host['decodeUtf8'] = native.decodeUtf8

export const exit: Host['exit'] = native.exit

export const raisesFileLimit = false
export const engine: Host['engine'] = `quickjs ${native.version()}`
