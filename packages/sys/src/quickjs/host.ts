import * as native from 'lc:host'
import { LibcontainerError } from '../errors.js'
import type { Host } from '../host.js'

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

/** poll(2)'s event for a descriptor that is not open. */
const POLLNVAL = 0x20

export const watch: Host['watch'] = (fd, events) => {
  let settle: (events: number) => void
  let id: number
  const ready = new Promise<number>((resolve, reject) => {
    settle = resolve
    id = native.watch(fd, events, seen => {
      if (seen & POLLNVAL) reject(new LibcontainerError('ERR_WATCH', `cannot watch descriptor ${fd}: it is not open`))
      else resolve(seen)
    })
  })
  const cancel = (): void => {
    if (native.cancel(id)) settle(0)
  }
  return { events: ready, cancel }
}

export const timer: Host['timer'] = (ms, callback) => {
  const id = native.timer(ms, callback)
  return { cancel: () => void native.cancel(id) }
}

// Modules are evaluated when the executable is built: what belongs to one run is filled in when it starts.
const argv: string[] = []
const variables: Record<string, string> = {}

native.onStart(([, ...rest], entries) => {
  argv.push(...rest)
  for (const entry of entries) {
    const equals = entry.indexOf('=', 1)
    const name = equals < 0 ? entry : entry.slice(0, equals)
    // Of two entries with one name the first counts, as for getenv(3).
    if (Object.hasOwn(variables, name)) continue
    const value = equals < 0 ? '' : entry.slice(equals + 1)
    Object.defineProperty(variables, name, { value, enumerable: true, configurable: true, writable: true })
  }
})

export const args: Host['args'] = argv
export const environment: Host['environment'] = variables

export const exit: Host['exit'] = native.exit

export const raisesFileLimit = false
export const engine: Host['engine'] = `quickjs ${native.version()}`
