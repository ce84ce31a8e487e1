import {
  clockTicks,
  decodeUtf8,
  isErrno,
  type OwnedFd,
  openFile,
  parseProcessStat,
  pipe,
  readBytes,
  readFd,
  readText,
  spawn,
  stat,
  visibleLine,
  waitExit,
} from '@libcontainer/sys'
import type { ProcessRow } from './process-table.js'
import { userNames } from './user-names.js'

/** Where ps(1) is: no PATH of whoever calls us has a say in what root runs. */
const PLACES = ['/bin/ps', '/usr/bin/ps']

/** What ps(1) of the host prints with these options; `undefined` where there is none. Its errors are for our standard error. */
export async function runPs(options: readonly string[]): Promise<{ text: string; code: number } | undefined> {
  const program = await openPs()
  if (program === undefined) return undefined
  const { read, write } = pipe()
  const nothing = await openFile('/dev/null')
  try {
    const { pidfd } = await spawn({ program, args: ['ps', ...options], fds: [nothing.fd, write.fd, 2], own: 3 })
    write.close()
    const text = await readAll(read)
    const { code } = await waitExit(pidfd)
    pidfd.close()
    return { text, code: code ?? 255 }
  } finally {
    for (const each of [program, nothing, read, write]) each.close()
  }
}

async function openPs(): Promise<OwnedFd | undefined> {
  for (const path of PLACES) {
    try {
      return await openFile(path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error
    }
  }
  return undefined
}

async function readAll(stream: OwnedFd): Promise<string> {
  let bytes = new Uint8Array(65536)
  for (let size = 0; ; ) {
    const got = await readFd(stream.fd, bytes.subarray(size))
    if (got === 0) return decodeUtf8(bytes.subarray(0, size))
    size += got
    if (size < bytes.length) continue
    const larger = new Uint8Array(bytes.length * 2)
    larger.set(bytes)
    bytes = larger
  }
}

/** What /proc tells of these processes; those that have ended meanwhile are left out. */
export async function processRows(pids: readonly number[]): Promise<ProcessRow[]> {
  const [boot, names] = await Promise.all([bootTime(), userNames()])
  const rows = await Promise.all(pids.map(pid => processRow(pid, boot, names)))
  return rows.filter(row => row !== undefined)
}

async function processRow(
  pid: number,
  boot: number,
  names: ReadonlyMap<number, string>,
): Promise<ProcessRow | undefined> {
  try {
    const [text, command, { uid }] = await Promise.all([
      readText(`/proc/${pid}/stat`),
      readBytes(`/proc/${pid}/cmdline`),
      stat(`/proc/${pid}`),
    ])
    const { parent, comm, startTime } = parseProcessStat(text)
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = clockTicks()
    const seconds = (Number(fields[11]) + Number(fields[12])) / ticks
    const started = boot + Number(startTime) / ticks
    const age = Math.max(1, Date.now() / 1000 - started)
    return {
      user: names.get(uid) ?? String(uid),
      pid,
      parent,
      percent: Math.min(99, Math.floor((100 * seconds) / age)),
      started,
      terminal: terminalName(Number(fields[4])),
      seconds,
      // A process names itself as it likes: no line of the table is its own to make, nor our reader's terminal to steer.
      command: visibleLine(command.length === 0 ? `[${comm}]` : commandLine(decodeUtf8(command))),
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

const commandLine = (command: string): string => command.replace(/\0+$/, '').replaceAll('\0', ' ')

/** By the numbers of devices.txt: pseudo-terminals, the consoles, serial lines. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
  return '?'
}

/** In seconds since 1970. */
async function bootTime(): Promise<number> {
  return Number(/^btime (\d+)/m.exec(await readText('/proc/stat'))?.[1] ?? 0)
}
