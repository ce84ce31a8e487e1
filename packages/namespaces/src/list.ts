import { checked, isErrno, parsePins, readHeads, readText } from '@libcontainer/sys'
import { inspectNamespace, type NamespaceInfo, namespaceInfo, openAny } from './inspect.js'
import { type NamespaceKind, namespaceKinds } from './kinds.js'
import { native } from './native.js'

/** A namespace of the host, and who is in it. */
export interface HostNamespace extends NamespaceInfo {
  /** How many processes are in it, of those that this one may look at. */
  readonly processes: number
  /** The lowest number among them, mostly that of the one for which it was made; `undefined` where a mount alone keeps it. */
  readonly pid: number | undefined
  /** Whose that process is. */
  readonly uid: number | undefined
  /** What that process was called with; without a command line its name, in brackets. */
  readonly command: string | undefined
  /** Where it is pinned, as far as this mount namespace shows. */
  readonly paths: readonly string[]
}

/**
 * All namespaces that processes of this host are in or mounts keep, like lsns(8), by kind and inode. One native call looks at all processes.
 *
 * @param kinds - only these. Default: all
 */
export async function listNamespaces(kinds: readonly NamespaceKind[] = namespaceKinds): Promise<HostNamespace[]> {
  const [all, mountinfo] = await Promise.all([scan(), readText('/proc/self/mountinfo')])
  const found = all.filter(({ kind }) => kinds.includes(kind))
  const pins = parsePins(mountinfo)
  const commands = await readCommands(new Set(found.map(({ pid }) => pid)))
  const listed: HostNamespace[] = found.map(each => {
    const name = `${each.kind}:[${each.inode}]`
    const paths = pins.get(name) ?? []
    pins.delete(name)
    return { ...each, command: commands.get(each.pid), paths }
  })
  for (const paths of pins.values()) {
    const info = await lookAt(paths[0]!)
    const nobody = { processes: 0, pid: undefined, uid: undefined, command: undefined }
    if (info !== undefined && kinds.includes(info.kind)) listed.push({ ...info, ...nobody, paths })
  }
  const place = (kind: NamespaceKind): number => namespaceKinds.indexOf(kind)
  return listed.sort((a, b) => place(a.kind) - place(b.kind) || (a.inode < b.inode ? -1 : 1))
}

type Scanned = NamespaceInfo & { readonly processes: number; readonly pid: number; readonly uid: number }

/** A place in the table of native/scan.c: pid and uid, processes, and what `inspectNamespace` tells. */
const WORDS = 8
const BYTES = WORDS * 8
const ERANGE = -34

async function scan(): Promise<Scanned[]> {
  for (let places = 4096; ; places *= 8) {
    const bytes = new Uint8Array(places * BYTES)
    const count = await native.async.scanNamespaces(bytes)
    if (count === ERANGE) continue
    checked(count, 'scanNamespaces', '/proc')
    return readTable(bytes)
  }
}

function readTable(bytes: Uint8Array<ArrayBuffer>): Scanned[] {
  const words = new BigInt64Array(bytes.buffer)
  const view = new DataView(bytes.buffer)
  const scanned: Scanned[] = []
  for (let at = 0; at < words.length; at += WORDS) {
    const processes = Number(words[at + 1])
    const info = processes === 0 ? undefined : namespaceInfo(words.subarray(at + 2, at + WORDS))
    if (info === undefined) continue
    scanned.push({ ...info, processes, pid: view.getInt32(at * 8, true), uid: view.getUint32(at * 8 + 4, true) })
  }
  return scanned
}

async function lookAt(path: string): Promise<NamespaceInfo | undefined> {
  try {
    const fd = await openAny(path)
    try {
      return await inspectNamespace(fd, path)
    } finally {
      fd.close()
    }
  } catch (error) {
    // Gone meanwhile, mounted over, or in a directory that is not shown to us.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'EACCES')) return undefined
    throw error
  }
}

/** In bytes: as much as a line shows. */
const MAX_COMMAND = 256

/** What processes are called, by their numbers. */
async function readCommands(pids: ReadonlySet<number>): Promise<Map<number, string>> {
  const all = [...pids]
  const read = (file: string) =>
    readHeads(
      all.map(pid => `/proc/${pid}/${file}`),
      MAX_COMMAND,
    )
  const [lines, names] = await Promise.all([read('cmdline'), read('comm')])
  const commands = new Map<number, string>()
  for (const [i, pid] of all.entries()) {
    const [line, name] = [lines[i]!, names[i]!]
    if (typeof line === 'object' && line.text !== '')
      commands.set(pid, line.text.replace(/\0+$/, '').replaceAll('\0', ' '))
    else if (typeof name === 'object') commands.set(pid, `[${name.text.trimEnd()}]`)
  }
  return commands
}
