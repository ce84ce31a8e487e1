import { ConfigInvalid, O_RDWR, OwnedFd, openFile, pipe } from '@libcontainer/sys'
import type { ProcessSpec, Stdio } from './process-spec.js'

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
export async function prepareStdio({ stdio = 'null', terminal }: ProcessSpec): Promise<PreparedStdio> {
  const wanted: readonly Stdio[] = terminal ? ['null', 'null', 'null'] : isTriple(stdio) ? stdio : [stdio, stdio, stdio]
  if (wanted.length !== 3)
    throw new ConfigInvalid(
      'process.stdio',
      stdio,
      'must be one of pipe, inherit, null or a descriptor, or three of them',
    )
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
          nullDevice = await openFile('/dev/null', O_RDWR)
          opened.push(nullDevice)
        }
        theirs.push(nullDevice.fd)
      } else theirs.push(descriptor(each, `process.stdio[${i}]`))
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

/** A descriptor that a caller gave, by number or owned. */
export function descriptor(value: number | OwnedFd | unknown, field: string): number {
  if (value instanceof OwnedFd) return value.fd
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new ConfigInvalid(field, value, "must be 'pipe', 'inherit', 'null' or a descriptor")
}

const isTriple = (stdio: ProcessSpec['stdio']): stdio is readonly [Stdio, Stdio, Stdio] => Array.isArray(stdio)
