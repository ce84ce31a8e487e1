import {
  ids,
  initialFileLimit,
  isErrno,
  LibcontainerError,
  listDirectory,
  nulTerminated,
  type OwnedFd,
  type Step,
  SyscallError,
  searchPaths,
  setResourceLimitOf,
  visibleLine,
} from '@libcontainer/sys'
import { NamespaceIds } from '../namespace/ids.js'
import type { NamespaceTarget } from '../namespace/namespace.js'
import { type NamedNetns, Netns } from '../namespace/netns.js'
import { native } from '../native.js'
import { NetlinkSocket } from '../socket/socket.js'
import { ofNetns } from './help.js'
import type { NetnsRequest } from './options.js'
import { show, write } from './output.js'
import { absent, known } from './place.js'
import type { Column } from './table.js'

/** A name as `list` shows it. */
export interface ListedNetns extends NamedNetns {
  /** Of the namespace that the command is in. */
  readonly id: number | undefined
}

export const netnsColumns: readonly Column<ListedNetns>[] = [
  { heading: 'NAME', of: ({ name }) => name },
  { heading: 'NS', of: ({ inode }) => inode, right: true },
  { heading: 'ID', of: ({ id }) => id, right: true },
]

/** `netns`: the exit code. */
export async function netns(request: NetnsRequest): Promise<number> {
  switch (request.act) {
    case 'help':
      await write(ofNetns)
      return 0
    case 'list':
      await show(await list(), netnsColumns, request.json)
      return 0
    case 'add':
      for (const name of request.names) (await Netns.create({ name })).close()
      return 0
    case 'delete':
      for (const name of request.names) if (!(await Netns.delete(name))) throw await absent(name)
      return 0
    case 'attach': {
      using namespace = await Netns.of(request.pid)
      await namespace.pin(request.name)
      return 0
    }
    case 'id':
      return await showId(request.name, request.id)
    case 'exec':
      return await exec(request.namespace, request.command)
  }
}

async function list(): Promise<ListedNetns[]> {
  const named = await Netns.list()
  if (named.length === 0) return []
  const socket = await NetlinkSocket.open()
  try {
    const numbers = new NamespaceIds(socket)
    const listed: ListedNetns[] = []
    for (const each of named) listed.push({ ...each, id: await idOf(numbers, each) })
    return listed
  } finally {
    socket.close()
  }
}

/** Of one that is deleted meanwhile there is none. */
async function idOf(numbers: NamespaceIds, { path, inode }: NamedNetns): Promise<number | undefined> {
  if (inode === undefined) return undefined
  try {
    return await numbers.get({ path })
  } catch (error) {
    if (error instanceof LibcontainerError) return undefined
    throw error
  }
}

async function showId(name: string, id: number | 'auto' | undefined): Promise<number> {
  const socket = await NetlinkSocket.open()
  try {
    const numbers = new NamespaceIds(socket)
    using namespace = await known(name)
    const found = id === undefined ? await numbers.get(namespace) : await numbers.set(namespace, id)
    await write(`${found ?? '-'}\n`)
    return 0
  } finally {
    socket.close()
  }
}

/** As env(1) and nsenter(1) have them. */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const RLIMIT_NOFILE = 7

/** Becomes the command: it has this process's number, terminal and parent, so that there is nothing to hand on. Answers when it could not be executed. */
async function exec(namespace: NamespaceTarget, command: readonly string[]): Promise<number> {
  const file = command[0]!
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
  const fd = (await known(namespace)).fd
  const pairs = typeof namespace === 'string' && !namespace.startsWith('/') ? await ownFiles(namespace) : []
  // Node.js raises it for itself, and it would be the command's.
  const soft = await initialFileLimit()
  if (soft !== undefined) setResourceLimitOf(ids().pid, RLIMIT_NOFILE, { name: 'RLIMIT_NOFILE', soft })
  try {
    await native.apply([becomeStep(fd, pairs, command, env)])
    return 0
  } catch (error) {
    if (!(error instanceof SyscallError) || error.syscall !== 'execve') throw error
    process.stderr.write(`netlink: ${visibleLine(file)}: ${visibleLine(error.message)}\n`)
    return error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE
  }
}

function becomeStep(fd: OwnedFd, pairs: readonly string[], command: readonly string[], env: readonly string[]): Step {
  const file = command[0]!
  const lists = [pairs, searchPaths(file, env), command, env]
  return {
    op: 'becomeInNetworkNamespace',
    args: [fd.fd, ...lists.map(nulTerminated)],
    about: `run ${file} in the network namespace`,
    path: file,
    hints: {
      EPERM: 'to enter a network namespace needs CAP_SYS_ADMIN, here and in the user namespace that owns it',
      ENOENT: 'there is no such program, or the interpreter that its first line names is not there',
    },
  }
}

/** The files that are for this namespace alone, each before the one whose place it takes: those of /etc/netns/NAME that /etc has, too. */
async function ownFiles(name: string): Promise<string[]> {
  const folder = `/etc/netns/${name}`
  try {
    const [own, usual] = await Promise.all([listDirectory(folder), listDirectory('/etc')])
    const names = new Set(usual.map(each => each.name))
    return own.flatMap(each => (names.has(each.name) ? [`${folder}/${each.name}`, `/etc/${each.name}`] : []))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}
