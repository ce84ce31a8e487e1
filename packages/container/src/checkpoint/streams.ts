import { mkdev } from '@libcontainer/devices'
import { parseJson, readLink, readTextIfPresent, type Stat, stat, stringifyJson, writeText } from '@libcontainer/sys'

/* The standard streams of a container's first process: what of them is the host's is no part of an image, and is given anew. */

/** What the streams were, in the order of their numbers: links of /proc/<pid>/fd. As runc has it. */
const DESCRIPTORS_FILE = 'descriptors.json'
/** By which keys CRIU asks for them. Ours. */
const STREAMS_FILE = 'streams.json'

export interface Stream {
  readonly link: string
  readonly file: Pick<Stat, 'type' | 'device' | 'inode' | 'rdev' | 'mountId'>
}

/** What the streams of a process are. */
export async function streamsOf(pid: number): Promise<(Stream | undefined)[]> {
  return await Promise.all(
    [0, 1, 2].map(async fd => {
      try {
        const path = `/proc/${pid}/fd/${fd}`
        const [link, file] = await Promise.all([readLink(path), stat(path)])
        return { link, file }
      } catch {
        // Closed.
        return undefined
      }
    }),
  )
}

const hex = (number: bigint): string => number.toString(16)
const number = ({ major, minor }: Stat['device']): string => hex(mkdev(major, minor))

/** The major numbers of terminals: consoles, serial lines, ptys. */
const isTerminal = ({ major }: Stat['rdev']): boolean => major === 4 || major === 5 || (major >= 136 && major < 144)

/**
 * By which key CRIU knows a stream that is the host's; `undefined` for one of the container's own. Pure.
 *
 * @param mounts - the ids of the container's mounts
 */
export function keyOf(stream: Stream | undefined, mounts: ReadonlySet<number>): string | undefined {
  if (stream === undefined) return undefined
  const { link, file } = stream
  if (/^(?:pipe|socket):\[\d+\]$/.test(link)) return link
  if (mounts.has(Number(file.mountId))) return undefined
  if (file.type === 'character' && isTerminal(file.rdev)) return `tty[${number(file.rdev)}:${number(file.device)}]`
  return `file[${hex(file.mountId)}:${hex(file.inode)}]`
}

/** Those that CRIU has to be told of before a dump: pipes and sockets it knows by themselves. */
export const toldAtDump = (keys: readonly (string | undefined)[]): string[] => [
  ...new Set(keys.filter(key => key !== undefined).filter(key => /^(?:file|tty)\[/.test(key))),
]

export async function saveStreams(
  directory: string,
  links: readonly string[],
  keys: readonly (string | undefined)[],
): Promise<void> {
  await writeText(`${directory}/${DESCRIPTORS_FILE}`, stringifyJson(links), { mode: 0o600 })
  await writeText(`${directory}/${STREAMS_FILE}`, stringifyJson(keys.map(key => key ?? '')), { mode: 0o600 })
}

const KEY = /^(?:(?:pipe|socket):\[\d+\]|(?:file|tty)\[[0-9a-f]+:[0-9a-f]+\])$/

/** The keys of an image's streams; none where it does not tell. What is no key is passed over. */
export async function loadStreams(directory: string): Promise<(string | undefined)[]> {
  const text =
    (await readTextIfPresent(`${directory}/${STREAMS_FILE}`)) ??
    (await readTextIfPresent(`${directory}/${DESCRIPTORS_FILE}`))
  return parseStreams(text ?? '[]')
}

/** Pure. */
export function parseStreams(text: string): (string | undefined)[] {
  let keys: unknown
  try {
    keys = parseJson(text)
  } catch {
    return []
  }
  if (!Array.isArray(keys)) return []
  return keys.slice(0, 3).map(key => (typeof key === 'string' && KEY.test(key) ? key : undefined))
}
