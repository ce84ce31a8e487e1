import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { LoadedOps } from '../binding.js'
import { LibcontainerError, SyscallError } from '../errors.js'
import type { Host } from '../host.js'
import { signalName } from '../signals.js'

/** What a binding exports: see native/node.h; `threads` and `watch` are of sys' own. */
interface Addon extends LoadedOps {
  attach(threads: unknown): void
  readonly threads: unknown
  watch(fd: number, events: number, weak: boolean): { promise: Promise<number>; id: bigint; handle: unknown }
  hold(change: 1 | -1): void
  unwatch(id: bigint, handle: unknown): boolean
}

const require = createRequire(import.meta.url)
let sys: Addon | undefined

function loadSys(): Addon {
  sys ??= loadAddon('sys', import.meta.url)
  return sys
}

export const loadOps: Host['loadOps'] = (name, url) => {
  if (name === 'sys') return loadSys()
  const addon = loadAddon(name, url)
  addon.attach(loadSys().threads)
  return addon
}

function loadAddon(name: string, url: string): Addon {
  if (process.platform !== 'linux') {
    throw new LibcontainerError('ERR_UNSUPPORTED_PLATFORM', `libcontainer runs on Linux, not on ${process.platform}`)
  }
  const root = packageRoot(url)
  // A build from source comes first, so that whoever changes the C sees the change.
  const places = [`${root}build/Release/${name}.node`, `${root}prebuilds/linux-${process.arch}/${name}.${libc()}.node`]
  const found = places.find(place => existsSync(place))
  if (found === undefined) {
    throw new LibcontainerError(
      'ERR_NO_BINDING',
      `no binding for linux-${process.arch} (${libc()}): looked for ${places.join(' and ')}`,
      {
        hint: 'install the package again with its prebuilds, or build it: npm run build',
      },
    )
  }
  try {
    return require(found) as Addon
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') {
      throw new LibcontainerError('ERR_DLOPEN_DISABLED', `Node.js' permission model forbids loading ${found}`, {
        hint: 'start Node.js with --allow-addons',
        cause,
      })
    }
    throw new LibcontainerError('ERR_BINDING_REFUSED', `cannot load ${found}: ${(cause as Error).message}`, { cause })
  }
}

/** From `dist/x.js` or `dist/node/x.js` up to the package. */
function packageRoot(url: string): string {
  const path = fileURLToPath(url)
  return path.slice(0, path.lastIndexOf('/dist/') + 1)
}

/** Which C library this Node.js itself was linked for: its interpreter says so, in the first page of the executable. */
function libc(): 'glibc' | 'musl' {
  const head = Buffer.alloc(4096)
  const fd = openSync(process.execPath, 'r')
  try {
    readSync(fd, head, 0, head.length, 0)
  } finally {
    closeSync(fd)
  }
  return head.includes('ld-musl-') ? 'musl' : 'glibc'
}

export const loadAsset: Host['loadAsset'] = (name, url) => {
  const path = `${packageRoot(url)}prebuilds/linux-${process.arch}/${name}`
  if (!existsSync(path)) {
    throw new LibcontainerError('ERR_NO_BINDING', `the package lacks ${path}`, {
      hint: 'install the package again with its prebuilds, or build it: npm run build',
    })
  }
  return readFileSync(path)
}

export const watch: Host['watch'] = (fd, events, weak = false) => {
  const addon = loadSys()
  const { promise, id, handle } = addon.watch(fd, events, weak)
  if (id < 0n) throw new SyscallError(Number(id), 'epoll_ctl', { path: `descriptor ${fd}` })
  return { events: promise, cancel: () => void addon.unwatch(id, handle) }
}

export const hold: Host['hold'] = () => {
  const addon = loadSys()
  addon.hold(1)
  return () => addon.hold(-1)
}

export const timer: Host['timer'] = (ms, callback) => {
  const handle = setTimeout(callback, ms)
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
export const environment: Host['environment'] = Object.freeze({ ...process.env } as Record<string, string>)
export const exit: Host['exit'] = code => process.exit(code)
export const engine: Host['engine'] = `node ${process.versions.node}`
export const raisesFileLimit: Host['raisesFileLimit'] = true
