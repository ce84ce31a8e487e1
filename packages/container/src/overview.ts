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
  const states = await Promise.all(
    heads.map(async (head, i) => {
      try {
        return await stateOf(names[i]!, `${root}/${names[i]}`, head)
      } catch (error) {
        if (!(error instanceof ContainerError)) throw error
        if (error.code !== 'ContainerNotExists') warn?.(error.message)
        return undefined
      }
    }),
  )
  return states.filter(state => state !== undefined)
}

const ENOENT = -2
const ENOTDIR = -20

async function stateOf(name: string, directory: string, head: FileHead | number): Promise<Known | undefined> {
  if (head === ENOENT || head === ENOTDIR) return undefined
  checkId(name)
  const path = `${directory}/${STATE_FILE}`
  if (typeof head === 'number')
    throw new ContainerError('SystemError', `cannot read the state of '${name}': ${errnoName(-head)}, ${path}`)
  if ((head.uid !== ids().euid && head.uid !== 0) || (head.mode & 0o022) !== 0)
    throw new ContainerError(
      'SystemError',
      `${path} could have been written by others: nothing that it says is believed`,
    )
  const quick = parseHead(name, head.text)
  if (quick !== undefined) return { ...quick, owner: head.uid }
  const state = await loadState(name, directory)
  return { ...state, bundle: bundleOf(state.config.labels), owner: head.uid }
}

const field = (name: string, value: string): string => `"${name}":${value},`
const text = '("(?:[^"\\\\]|\\\\.)*")'

/** How this library begins a state. */
const beginning = new RegExp(
  `^\\{${field('id', '"([^"\\\\]*)"')}${field('init_process_pid', '(\\d{1,10})')}${field('init_process_start', '"(\\d{1,20})"')}` +
    `${field('created', '"([^"\\\\]*)"')}(?:${field('bundle', text)})?${field('rootless', '(?:true|false)')}"cgroup_paths":(\\{[^{}]*\\})`,
)

/** What the beginning of a state tells; `undefined` for one that somebody else has written. Pure. */
export function parseHead(name: string, head: string): Omit<Known, 'owner'> | undefined {
  const [found, id, pid, start, created, bundle, paths] = beginning.exec(head) ?? []
  if (found === undefined || id !== name) return undefined
  try {
    return {
      id,
      init_process_pid: Number(pid),
      init_process_start: start!,
      created,
      bundle: bundle === undefined ? '' : (JSON.parse(bundle) as string),
      cgroup_paths: JSON.parse(paths!) as Record<string, string>,
    }
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
  const statuses = states.map((state, i) => {
    if (frozen[i]) return 'paused'
    const stat = stats[i]!
    const first = typeof stat === 'number' ? undefined : parseStat(stat.text)
    if (first?.start !== state.init_process_start || /[ZX]/.test(first.state)) return 'stopped'
    return statusOfLiving(first.name, state)
  })
  return await Promise.all(statuses)
}

/** As `parseProcessStat`, in less time. */
function parseStat(line: string): { name: string; state: string; start: string | undefined } {
  const close = line.lastIndexOf(')')
  const [state = '', ...fields] = line.slice(close + 2, STAT).split(' ', 20)
  return { name: line.slice(line.indexOf('(') + 1, close), state, start: fields[18] }
}
