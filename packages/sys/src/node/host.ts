import { constants } from 'node:os'
import type { LoadedOps } from '../binding.js'
import { SyscallError } from '../errors/errors.js'
import type { Host } from '../host.js'
import { signalName } from '../process/signals.js'
import { findAsset, loadAddon, loadAsset } from './load.js'

export { findAsset, loadAsset }

/** What a binding exports: see native/node.h; `threads` and `watch` are of sys' own. */
interface Addon extends LoadedOps {
  readonly abi: string
  attach(threads: unknown): void
  readonly threads: unknown
  watch(fd: number, events: number, weak: boolean): { promise: Promise<number>; id: bigint }
  hold(change: 1 | -1): void
  unwatch(id: bigint): boolean
}

let sys: Addon | undefined

function loadSys(): Addon {
  sys ??= loadAddon('sys', import.meta.url) as Addon
  return sys
}

export const loadOps: Host['loadOps'] = (name, url) => {
  if (name === 'sys') return loadSys()
  const addon = loadAddon(name, url) as Addon
  addon.attach(loadSys().threads)
  return addon
}

export const watch: Host['watch'] = (fd, events, weak = false) => {
  const addon = loadSys()
  const { promise, id } = addon.watch(fd, events, weak)
  if (id < 0n) throw new SyscallError(Number(id), 'epoll_ctl', { path: `descriptor ${fd}` })
  return { events: promise, cancel: () => void addon.unwatch(id) }
}

export const hold: Host['hold'] = () => {
  const addon = loadSys()
  addon.hold(1)
  return () => addon.hold(-1)
}

/** The longest that Node.js waits, in milliseconds: 24 days. What is set to more goes off at once. */
const LONGEST = 0x7fffffff

export const timer: Host['timer'] = (ms, callback, weak = false) => {
  const handle = setTimeout(callback, Math.min(ms, LONGEST))
  if (weak) handle.unref()
  return { cancel: () => clearTimeout(handle) }
}

export const onSignals: Host['onSignals'] = (signals, callback) => {
  const known = signals
    .map(number => ({ number, name: signalName(number) }))
    .filter(({ name }) => name in constants.signals)
  const listeners = known.map(({ number, name }) => ({ name, listener: () => callback(number) }))
  for (const { name, listener } of listeners) process.on(name, listener)
  return {
    stop: () => {
      for (const { name, listener } of listeners) process.off(name, listener)
    },
  }
}

export const becomeProgram: Host['becomeProgram'] = undefined

const encoder = new TextEncoder()
// A byte order mark is bytes like any others: the other host's answer, too.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export const encodeUtf8: Host['encodeUtf8'] = text => {
  // For short ASCII strings, which most are, a loop costs a tenth of TextEncoder's way out of the engine.
  if (text.length < 128) {
    const bytes = new Uint8Array(text.length)
    let i = 0
    for (let code = 0; i < text.length; i++) {
      code = text.charCodeAt(i)
      if (code > 127) break
      bytes[i] = code
    }
    if (i === text.length) return bytes
  }
  return encoder.encode(text) as Uint8Array<ArrayBuffer>
}
export const decodeUtf8: Host['decodeUtf8'] = bytes => decoder.decode(bytes)

export const args: Host['args'] = process.argv.slice(2)
export const calledAs: Host['calledAs'] = () => process.argv[1] ?? process.argv0
export const environment: Host['environment'] = Object.freeze({ ...process.env } as Record<string, string>)
export const exit: Host['exit'] = code => process.exit(code)
export const engine: Host['engine'] = `node ${process.versions.node}`
export const raisesFileLimit: Host['raisesFileLimit'] = true
