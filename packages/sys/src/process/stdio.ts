import { ConfigInvalid } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { openNull, pipe } from '../files/files.js'

/** A standard stream: a pipe to this process, this process's own, the null device, or any descriptor. */
export type Stdio = 'pipe' | 'inherit' | 'null' | number | OwnedFd

/** One for all three streams, or each of them. */
export type StdioRequest = Stdio | readonly [Stdio, Stdio, Stdio]

/** The descriptors that a process is born with, and this side's ends of its pipes. */
export interface PreparedStdio {
  readonly theirs: readonly [number, number, number]
  /** This side's ends of pipes, by stream. */
  readonly ours: readonly [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined]
  /** Closes what was opened for the process alone. */
  closeTheirs(): void
  /** Closes everything. */
  close(): void
}

/** Opens pipes and the null device as `stdio` says. */
export function prepareStdio(stdio: StdioRequest): PreparedStdio {
  const opened: OwnedFd[] = []
  const ours: [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined] = [undefined, undefined, undefined]
  const theirs: number[] = []
  let nullDevice: OwnedFd | undefined
  try {
    for (const [i, each] of streams(stdio).entries()) {
      if (each === 'inherit') theirs.push(i)
      else if (each === 'pipe') {
        const { read, write } = pipe()
        const [mine, other] = i === 0 ? [write, read] : [read, write]
        ours[i] = mine
        opened.push(other)
        theirs.push(other.fd)
      } else if (each === 'null') {
        if (nullDevice === undefined) {
          nullDevice = openNull()
          opened.push(nullDevice)
        }
        theirs.push(nullDevice.fd)
      } else theirs.push(descriptor(each))
    }
  } catch (error) {
    for (const fd of [...opened, ...ours]) fd?.close()
    throw error
  }
  const closeTheirs = (): void => {
    for (const fd of opened) fd.close()
  }
  return {
    theirs: theirs as [number, number, number],
    ours,
    closeTheirs,
    close: () => {
      closeTheirs()
      for (const fd of ours) fd?.close()
    },
  }
}

const streams = (stdio: StdioRequest): readonly Stdio[] => (isTriple(stdio) ? stdio : [stdio, stdio, stdio])

/** A descriptor that a caller gave, by number or owned. */
export const descriptor = (value: number | OwnedFd): number => (value instanceof OwnedFd ? value.fd : value)

/** Refuses what is no standard stream. @throws {ConfigInvalid} */
export function checkStdio(stdio: StdioRequest | undefined, field: string): void {
  if (stdio === undefined) return
  if (isTriple(stdio) && stdio.length !== 3)
    throw new ConfigInvalid(field, stdio, 'must be one for all streams, or three of them')
  for (const [i, each] of streams(stdio).entries()) {
    if (typeof each === 'string' ? !WORDS.includes(each) : !isDescriptor(each)) {
      throw new ConfigInvalid(
        isTriple(stdio) ? `${field}[${i}]` : field,
        each,
        "must be 'pipe', 'inherit', 'null' or a descriptor",
      )
    }
  }
}

/** Whether a value can be a descriptor: a number of one, or one that is owned. */
export const isDescriptor = (value: unknown): boolean =>
  value instanceof OwnedFd ||
  (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fffffff)

const WORDS: readonly string[] = ['pipe', 'inherit', 'null']

const isTriple = (stdio: StdioRequest): stdio is readonly [Stdio, Stdio, Stdio] => Array.isArray(stdio)
