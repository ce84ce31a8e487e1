import { ConfigInvalid, OwnedFd, openNull, pipe } from '@libcontainer/sys'
import type { HostTerminal, ProcessSpec, Stdio } from './process-spec.js'

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

/** Opens pipes and the null device as `stdio` says. With a terminal the streams start on the null device and init replaces them. */
export function prepareStdio({ stdio = 'null', terminal }: ProcessSpec): PreparedStdio {
  const wanted = terminal ? NULLS : streams(stdio)
  const opened: OwnedFd[] = []
  const ours: [OwnedFd | undefined, OwnedFd | undefined, OwnedFd | undefined] = [undefined, undefined, undefined]
  const theirs: number[] = []
  let nullDevice: OwnedFd | undefined
  try {
    for (const [i, each] of wanted.entries()) {
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

const NULLS: readonly Stdio[] = ['null', 'null', 'null']

const streams = (stdio: NonNullable<ProcessSpec['stdio']>): readonly Stdio[] =>
  isTriple(stdio) ? stdio : [stdio, stdio, stdio]

/** A descriptor that a caller gave, by number or owned. */
export const descriptor = (value: number | OwnedFd): number => (value instanceof OwnedFd ? value.fd : value)

export const isHostTerminal = (terminal: ProcessSpec['terminal']): terminal is HostTerminal =>
  typeof terminal === 'object' && terminal !== null && 'slave' in terminal

/** Refuses what is no standard stream. */
export function checkStdio(stdio: ProcessSpec['stdio']): void {
  if (stdio === undefined) return
  if (isTriple(stdio) && stdio.length !== 3)
    throw new ConfigInvalid('process.stdio', stdio, 'must be one for all streams, or three of them')
  for (const [i, each] of streams(stdio).entries()) {
    if (typeof each === 'string' ? !WORDS.includes(each) : !isDescriptor(each)) {
      const field = isTriple(stdio) ? `process.stdio[${i}]` : 'process.stdio'
      throw new ConfigInvalid(field, each, "must be 'pipe', 'inherit', 'null' or a descriptor")
    }
  }
}

export const isDescriptor = (value: unknown): boolean =>
  value instanceof OwnedFd ||
  (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0x7fffffff)

const WORDS: readonly string[] = ['pipe', 'inherit', 'null']

const isTriple = (stdio: ProcessSpec['stdio']): stdio is readonly [Stdio, Stdio, Stdio] => Array.isArray(stdio)
