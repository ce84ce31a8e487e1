import { decodeUtf8, encodeUtf8, LibcontainerError, type OwnedFd } from '@libcontainer/sys'

/** What init sends up its control socket, one packet each: see native/init.h. */
export type Record_ =
  | {
      readonly kind: 'ask'
      readonly name: string
      readonly fds: readonly OwnedFd[]
      readonly files: readonly AskedFile[]
    }
  | { readonly kind: 'failure'; readonly failure: Uint8Array }
  | { readonly kind: 'executing' }
  | { readonly kind: 'child'; readonly pid: number; readonly pidfd: OwnedFd }
  | { readonly kind: 'created' }
  | { readonly kind: 'times'; readonly ns: readonly number[] }
  | { readonly kind: 'hook'; readonly hook: FailedHook }
  | { readonly kind: 'listener'; readonly listener: OwnedFd }

/** A hook that failed in the container. */
export interface FailedHook {
  readonly name: string
  readonly program: string
  readonly how: (typeof HOW)[number]
  /** The exit code, the signal, the milliseconds, or the errno. */
  readonly value: number
  /** What it wrote; of one that was not executed, the call that failed. */
  readonly output: string
}

/** Of a failure: struct failure. */
const FAILURE = 200

const HOW = ['exited', 'killed', 'late', 'not executed'] as const

/** A file of the container that came with a question: its bytes, a copy in memory (a descriptor) where there are many, `undefined` where it is absent. */
export type AskedFile = Uint8Array | OwnedFd | undefined

/**
 * A record with what came along. What is none is refused, and what came along with it closed.
 *
 * @throws {LibcontainerError} `EPROTO`
 */
export function parseRecord(bytes: Uint8Array, fds: readonly OwnedFd[]): Record_ {
  const record = bytes.length < 8 ? undefined : recordOf(bytes, fds)
  if (record !== undefined) return record
  for (const fd of fds) fd.close()
  throw new LibcontainerError('EPROTO', `init sent a record that nobody knows (${bytes.length} bytes)`)
}

function recordOf(bytes: Uint8Array, fds: readonly OwnedFd[]): Record_ | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = bytes.subarray(8)
  switch (view.getUint32(0, true)) {
    case 1:
      return askOf(data, fds)
    case 2:
      return data.length < FAILURE ? undefined : { kind: 'failure', failure: data }
    case 3:
      return { kind: 'executing' }
    case 4:
      return data.length < 4 || fds[0] === undefined
        ? undefined
        : { kind: 'child', pid: view.getInt32(8, true), pidfd: fds[0] }
    case 5:
      return { kind: 'created' }
    case 6: {
      const ns: number[] = []
      for (let i = 8; i + 8 <= bytes.length; i += 8) ns.push(Number(view.getBigInt64(i, true)))
      return { kind: 'times', ns }
    }
    case 7:
      return hookOf(data)
    case 8:
      return fds[0] && { kind: 'listener', listener: fds[0] }
  }
  return undefined
}

function hookOf(data: Uint8Array): Record_ | undefined {
  const program = data.indexOf(0, 8) + 1
  const output = data.indexOf(0, program) + 1
  if (program === 0 || output === 0) return undefined
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const how = HOW[view.getUint32(0, true)]
  return (
    how && {
      kind: 'hook',
      hook: {
        name: decodeUtf8(data.subarray(8, program - 1)),
        program: decodeUtf8(data.subarray(program, output - 1)),
        how,
        value: view.getInt32(4, true),
        output: decodeUtf8(data.subarray(output)),
      },
    }
  )
}

/** The name; where files come along, a NUL, four digits, a NUL, and the small files: see native/rendezvous.c. */
function askOf(data: Uint8Array, fds: readonly OwnedFd[]): Record_ | undefined {
  const end = data.indexOf(0)
  if (end < 0) return { kind: 'ask', name: decodeUtf8(data), fds, files: [] }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const large = [...fds]
  const files: AskedFile[] = []
  let at = end + 6
  for (const digit of decodeUtf8(data.subarray(end + 1, end + 5)).replaceAll('\0', '')) {
    if (digit === '2') {
      const size = at + 4 <= data.length ? view.getUint32(at, true) : data.length
      at += 4 + size
      if (at > data.length) return undefined
      files.push(data.subarray(at - size, at))
    } else files.push(digit === '1' ? large.shift() : undefined)
  }
  return { kind: 'ask', name: decodeUtf8(data.subarray(0, end)), fds: [], files }
}

/** What the answer to a rendezvous fills: slots of the plan, by name. */
export interface Answer {
  readonly integers?: Readonly<Record<string, number | bigint>>
  readonly bytes?: Readonly<Record<string, Uint8Array | string>>
  /** Descriptors for init: they stay the caller's here, and are closed by it. */
  readonly fds?: Readonly<Record<string, number>>
}

/** An answer as native/rendezvous.c takes it: entries of { u32 slot, kind, size, 0 } and data, padded to 8. */
export function encodeAnswer(answer: Answer, slots: ReadonlyMap<string, number>): { bytes: Uint8Array; fds: number[] } {
  const entries: { slot: number; kind: number; data: Uint8Array }[] = []
  const slotOf = (name: string): number => {
    const slot = slots.get(name)
    if (slot === undefined) throw new TypeError(`the plan has no slot '${name}'`)
    return slot
  }
  for (const [name, value] of Object.entries(answer.integers ?? {})) {
    const data = new Uint8Array(8)
    new DataView(data.buffer).setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true)
    entries.push({ slot: slotOf(name), kind: 1, data })
  }
  for (const [name, value] of Object.entries(answer.bytes ?? {})) {
    entries.push({ slot: slotOf(name), kind: 2, data: typeof value === 'string' ? encodeUtf8(value) : value })
  }
  const fds = Object.entries(answer.fds ?? {}).map(([name, fd]) => {
    entries.push({ slot: slotOf(name), kind: 3, data: new Uint8Array(0) })
    return fd
  })
  // A packet of no bytes would look like the end of the connection.
  if (entries.length === 0) return { bytes: new Uint8Array(8), fds }

  // One more byte of zero after strings: a slot of bytes serves as a string too.
  const room = (data: Uint8Array): number => 16 + ((data.length + 8) & ~7)
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + room(entry.data), 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { slot, kind, data } of entries) {
    view.setUint32(at, slot, true)
    view.setUint32(at + 4, kind, true)
    view.setUint32(at + 8, data.length, true)
    bytes.set(data, at + 16)
    at += kind === 2 ? room(data) : 16 + ((data.length + 7) & ~7)
  }
  return { bytes: bytes.subarray(0, at), fds }
}
