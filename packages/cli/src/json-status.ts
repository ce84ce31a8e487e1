import type { Process } from '@libcontainer/container'
import {
  ConfigInvalid,
  descriptorFlags,
  encodeUtf8,
  isErrno,
  readLink,
  SyscallError,
  stringifyJson,
  writeFd,
} from '@libcontainer/sys'
import type { Invocation } from './command-line.js'
import { warn } from './log.js'

/** Tells a program that has called a command line of what it runs: documents of JSON, a line each, as bwrap(1) writes them. */
export interface JsonStatus {
  /** `{"child-pid":7,"pid-namespace":4026532299,…}`: its number on the host, and its namespaces by their inodes. */
  started(process: Process): Promise<void>
  /** `{"exit-code":137,"signal":"SIGKILL","oom":true}`: as a shell reports it, with the signal and the want of memory where they ended it. */
  ended(process: Process, status: number): Promise<void>
}

const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts']
const O_ACCMODE = 3

/**
 * What `--json-status-fd` asks for. Nobody who has stopped reading holds a container up.
 *
 * @throws {ConfigInvalid} for what is no descriptor that can be written to
 */
export async function jsonStatus({ flags }: Pick<Invocation, 'flags'>): Promise<JsonStatus> {
  const text = flags.get('json-status-fd') ?? ''
  const fd = /^\d{1,7}$/.test(text) ? Number(text) : -1
  const given = fd < 0 ? undefined : await descriptorFlags(fd)
  // Node.js opens some of its own by the lowest numbers that are free.
  if (given === undefined || (await readLink(`/proc/self/fd/${fd}`)).startsWith('anon_inode:'))
    throw new ConfigInvalid('--json-status-fd', text, 'must be the number of an open descriptor')
  if ((given & O_ACCMODE) === 0)
    throw new ConfigInvalid('--json-status-fd', text, 'must be a descriptor that can be written to')
  const tell = async (value: object): Promise<void> => {
    try {
      await writeFd(fd, encodeUtf8(`${stringifyJson(value)}\n`))
    } catch (error) {
      if (isErrno(error, 'EPIPE')) return
      if (!(error instanceof SyscallError)) throw error
      warn(`--json-status-fd ${fd}: ${error.message}`)
    }
  }
  return {
    started: async ({ pid }) => await tell({ 'child-pid': pid, ...(await namespacesOf(pid)) }),
    ended: async (process, status) => {
      const { signal, oom } = await process.wait()
      await tell({ 'exit-code': status, ...(signal === undefined ? {} : { signal }), ...(oom ? { oom } : {}) })
    },
  }
}

/** Those that this process may look at; one that has ended has none. */
async function namespacesOf(pid: number): Promise<Record<string, number>> {
  const links = await Promise.all(
    NAMESPACES.map(async kind => [kind, await readLink(`/proc/${pid}/ns/${kind}`).catch(() => '')] as const),
  )
  return Object.fromEntries(
    links.flatMap(([kind, link]) => {
      const inode = /\[(\d+)\]$/.exec(link)?.[1]
      return inode === undefined ? [] : [[`${kind}-namespace`, Number(inode)]]
    }),
  )
}
