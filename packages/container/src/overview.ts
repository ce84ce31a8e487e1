import { frozenOf } from '@libcontainer/cgroups'
import { errnoName, type FileHead, ids, listDirectory, readHeads } from '@libcontainer/sys'
import { ContainerError } from './errors.js'
import { checkId } from './id.js'
import { statusOfLiving } from './init-process.js'
import { bundleOf } from './oci-state.js'
import { type ContainerState, loadState, STATE_FILE } from './state.js'
import type { Status } from './status.js'

/** A container among others: what a list of them tells. */
export interface ContainerSummary {
  readonly id: string
  /** Of the first process, as this host sees it; 0 when that has ended. */
  readonly pid: number
  readonly status: Status
  /** The directory that it was made from, where it was told: see `ociState`. */
  readonly bundle: string
  /** RFC 3339, UTC. */
  readonly created: string | undefined
  /** The uid of who made it. */
  readonly owner: number
}

export interface OverviewOptions {
  /** Told of what is no container, or a broken one, and is left out. Default: nobody. */
  readonly warn?: ((message: string) => void) | undefined
}

/** What is asked of a state, and the uid that its file belongs to. */
interface Known extends Pick<ContainerState, 'id' | 'init_process_pid' | 'init_process_start' | 'created'> {
  readonly bundle: string
  readonly cgroup_paths: ContainerState['cgroup_paths']
  readonly owner: number
}

/**
 * All containers below a state root, by their ids: a few reads for each of them, by few calls for all. Those that are just being made or
 * removed are not there.
 *
 * @throws {SyscallError} `ENOENT` for no such directory
 */
export async function overview(root: string, { warn }: OverviewOptions = {}): Promise<ContainerSummary[]> {
  const names = (await listDirectory(root)).filter(({ type }) => type === 'directory' || type === 'unknown')
  const known = await statesOf(root, names.map(({ name }) => name).sort(), warn)
  const statuses = await statusesOf(known)
  return known.map(({ id, init_process_pid, bundle, created, owner }, i) => {
    const status = statuses[i]!
    return { id, pid: status === 'stopped' ? 0 : init_process_pid, status, bundle, created, owner }
  })
}

/** Of what is saved, that which is in front of all else. */
const HEAD = 2048

async function statesOf(root: string, names: readonly string[], warn: OverviewOptions['warn']): Promise<Known[]> {
  const heads = await readHeads(
    names.map(name => `${root}/${name}/${STATE_FILE}`),
    HEAD,
  )
  const { euid } = ids()
  const states: Known[] = []
  for (const [i, head] of heads.entries()) {
    const name = names[i]!
    // Nothing is waited for but what is odd: a thousand promises take longer than a thousand reads.
    const state = quickState(name, head, euid) ?? (await otherState(name, `${root}/${name}`, head, { euid, warn }))
    if (state !== undefined) states.push(state)
  }
  return states
}

const believable = ({ uid, mode }: FileHead, euid: number): boolean =>
  (uid === euid || uid === 0) && (mode & 0o022) === 0

function quickState(name: string, head: FileHead | number, euid: number): Known | undefined {
  if (typeof head === 'number' || !believable(head, euid)) return undefined
  const state = parseHead(name, head.text)
  return state === undefined ? undefined : { ...state, owner: head.uid }
}

const ENOENT = -2
const ENOTDIR = -20

/** One that is not there, cannot be read, is broken, or was written by another version. */
async function otherState(
  name: string,
  directory: string,
  head: FileHead | number,
  { euid, warn }: OverviewOptions & { euid: number },
): Promise<Known | undefined> {
  if (head === ENOENT || head === ENOTDIR) return undefined
  const path = `${directory}/${STATE_FILE}`
  try {
    checkId(name)
    if (typeof head === 'number')
      throw new ContainerError('SystemError', `cannot read the state of '${name}': ${errnoName(-head)}, ${path}`)
    if (!believable(head, euid))
      throw new ContainerError(
        'SystemError',
        `${path} could have been written by others: nothing that it says is believed`,
      )
    const state = await loadState(name, directory)
    return { ...state, bundle: bundleOf(state.config.labels), owner: head.uid }
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error
    if (error.code !== 'ContainerNotExists') warn?.(error.message)
    return undefined
  }
}

/** In a state of this library, what stands behind all that is asked for here. No text of JSON can hold it: its quotes would be escaped. */
const BEHIND = ',"namespace_paths":'

/** What the beginning of a state tells; `undefined` for one that somebody else has written. Pure. */
export function parseHead(name: string, head: string): Omit<Known, 'owner'> | undefined {
  const end = head.indexOf(BEHIND)
  if (end < 0) return undefined
  try {
    const state = JSON.parse(`${head.slice(0, end)}}`) as Omit<Known, 'owner'> & { bundle?: string }
    const { id, init_process_pid, init_process_start, created, bundle = '', cgroup_paths } = state
    const sound =
      id === name &&
      Number.isInteger(init_process_pid) &&
      typeof init_process_start === 'string' &&
      typeof created === 'string' &&
      typeof bundle === 'string' &&
      typeof cgroup_paths === 'object'
    return sound ? { id, init_process_pid, init_process_start, created, bundle, cgroup_paths } : undefined
  } catch {
    return undefined
  }
}

/** As much of /proc/PID/stat as tells who it is: all up to when it began. */
const STAT = 512

/** What each of them does: as `statusOf` finds it out, for all at once as far as that goes. */
async function statusesOf(states: readonly Known[]): Promise<Status[]> {
  const [stats, frozen] = await Promise.all([
    readHeads(
      states.map(({ init_process_pid }) => `/proc/${init_process_pid}/stat`),
      STAT,
    ),
    frozenOf(states.map(({ cgroup_paths }) => cgroup_paths)),
  ])
  const statuses: Status[] = []
  for (const [i, state] of states.entries()) {
    const stat = stats[i]!
    const first = typeof stat === 'number' ? undefined : parseStat(stat.text)
    const living = first?.start === state.init_process_start && first.state !== 'Z' && first.state !== 'X'
    statuses.push(frozen[i] ? 'paused' : living ? await statusOfLiving(first.name, state) : 'stopped')
  }
  return statuses
}

/** As `parseProcessStat`, in less time. */
function parseStat(line: string): { name: string; state: string; start: string | undefined } {
  const close = line.lastIndexOf(')')
  const [state = '', ...fields] = line.slice(close + 2, STAT).split(' ', 20)
  return { name: line.slice(line.indexOf('(') + 1, close), state, start: fields[18] }
}
