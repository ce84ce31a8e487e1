import {
  ids,
  isErrno,
  killPidfd,
  LibcontainerError,
  type OwnedFd,
  openPidfd,
  type ProcessStat,
  type Program,
  readBytes,
  readTextIfPresent,
  SyscallError,
  signalPidfd,
  stat,
  statusField,
  waitExit,
} from '@libcontainer/sys'
import { firstEntry } from './image-file.js'
import { processes } from './processes.js'
import { uint32 } from './protobuf.js'

/** IMG_COMMON_MAGIC and PSTREE_MAGIC of CRIU. */
const PSTREE = [0x54564319, 0x50273030]
const SIGSTOP = 19

/** A restore that came to no good end. */
export interface Attempt {
  readonly criu: Program
  /** When CRIU was started, in clock ticks since boot: what is older is none of its. */
  readonly since: bigint
  /** The first process of the tree, where CRIU has told it. */
  readonly told: number | undefined
}

/**
 * Ends CRIU, and what its restore has made. CRIU does that itself unless it is killed, and then its first process waits for ever; reaped it is by us
 * alone, since it is our child. So are others, which have to be told from it.
 *
 * @param path - of the program
 */
export async function endRestore({ criu, since, told }: Attempt, path: string, images: OwnedFd): Promise<void> {
  // Nothing new comes while it stands still.
  criu.signal('SIGSTOP')
  const own = ids().pid
  const children = [...(await processes()).values()].filter(
    ({ pid, parent, startTime }) => parent === own && pid !== criu.pid && startTime >= since,
  )
  const known = await Promise.all(
    children.map(async ({ pid }) => pid === told || (await ofStatus(pid)).tracer === criu.pid),
  )
  const roots = known.includes(true) ? children.filter((_, i) => known[i]) : await likely(children, path, images)
  await endTrees(
    roots.map(({ pid }) => pid),
    criu,
  )
}

/** Those that nobody traces any more: with the first process's pid, and either in our pid namespace or still a copy of CRIU. */
async function likely(children: readonly ProcessStat[], path: string, images: OwnedFd): Promise<ProcessStat[]> {
  const first = await firstPid(images)
  const program = (await inodeOf(path)) ?? ''
  const found: ProcessStat[] = []
  for (const child of children) {
    const { tracer, inside } = await ofStatus(child.pid)
    if (tracer !== 0 || inside === undefined || inside !== first) continue
    if (inside === child.pid || (await inodeOf(`/proc/${child.pid}/exe`)) === program) found.push(child)
  }
  return found
}

/** Who traces it, and its pid as it sees itself. CRIU traces the first process from its fork on. */
async function ofStatus(pid: number): Promise<{ tracer: number; inside: number | undefined }> {
  const status = (await readTextIfPresent(`/proc/${pid}/status`).catch(() => undefined)) ?? ''
  const inside = statusField(status, 'NSpid')?.split(/\s+/).at(-1)
  return {
    tracer: Number(statusField(status, 'TracerPid') ?? 0),
    inside: inside === undefined ? undefined : Number(inside),
  }
}

async function inodeOf(path: string): Promise<string | undefined> {
  try {
    const { device, inode } = await stat(path)
    return `${device.major}:${device.minor} ${inode}`
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}

/** The pid of the dumped tree's first process, as it saw itself. */
async function firstPid(images: OwnedFd): Promise<number | undefined> {
  try {
    return firstEntry(await readBytes('pstree.img', { at: images }), PSTREE, { pid: uint32(1) }).pid
  } catch (error) {
    if (error instanceof LibcontainerError) return undefined
    throw error
  }
}

/** Stops each before its children are looked for, so that none is born unseen, and then ends all. */
async function endTrees(roots: readonly number[], criu: Program): Promise<void> {
  const held = new Map<number, OwnedFd>()
  try {
    for (let next = roots; next.length > 0; ) {
      for (const pid of next) hold(pid, held)
      next = [...(await processes()).values()]
        .filter(({ pid, parent, state }) => held.has(parent) && !held.has(pid) && state !== 'Z')
        .map(({ pid }) => pid)
    }
    for (const pidfd of held.values()) killPidfd(pidfd)
    // Whoever traces a process keeps it from being reaped.
    criu.signal('SIGKILL')
    await criu.wait()
    // The others are reaped by whoever has them now.
    for (const pid of roots) if (held.has(pid)) await waitExit(held.get(pid)!)
  } finally {
    for (const pidfd of held.values()) pidfd.close()
  }
}

function hold(pid: number, held: Map<number, OwnedFd>): void {
  try {
    const pidfd = openPidfd(pid)
    held.set(pid, pidfd)
    signalPidfd(pidfd, SIGSTOP)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
