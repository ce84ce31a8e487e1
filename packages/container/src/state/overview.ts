import { frozenOf } from '@libcontainer/cgroups'
import { errnoName, type FileHead, ids, listDirectory, readHeads } from '@libcontainer/sys'
import { checkId } from '../config/id.js'
import { ContainerError } from '../errors.js'
import { hasExecuted, statusOfLiving } from './init-process.js'
import { bundleOf } from './oci-state.js'
import { type ContainerState, freezerKeys, loadState, STATE_FILE } from './state.js'
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
  const statuses = await statusesOf(root, known)
  return known.map(({ id, init_process_pid, bundle, created, owner }, i) => {
    const status = statuses[i]!
    return { id, pid: status === 'stopped' ? 0 : init_process_pid, status, bundle, created, owner }
  })
}

/** Of what is saved, that which is in front of all else; longer ones are read once more. */
const HEAD = 640

async function statesOf(root: string, names: readonly string[], warn: OverviewOptions['warn']): Promise<Known[]> {
  const heads = await readHeads(
    names.map(name => `${root}/${name}/${STATE_FILE}`),
    HEAD,
  )
  const { euid } = ids()
  const states: Known[] = []
  for (let i = 0; i < heads.length; i++) {
    const name = names[i]!
    const head = heads[i]!
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
  return parseHead(name, head.text, head.uid)
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

/** Text of JSON as it stands: what is escaped takes a parser. */
const PLAIN = '([^"\\\\]*)'
const path = (key: string): string => `(?:"${key}":"${PLAIN}"(?:,|(?=\\})))?`

/**
 * The beginning of a state, up to the cgroups that a container is stopped by, which are the first ones; it must go on with another one, or with
 * their end, or the text was cut, or written in another order.
 */
const beginning = new RegExp(
  [
    `^\\{"id":"${PLAIN}","init_process_pid":(\\d+),"init_process_start":"${PLAIN}",(?:"created":"${PLAIN}",)?`,
    `(?:"bundle":"${PLAIN}",)?"rootless":(?:true|false),"cgroup_paths":\\{`,
    ...freezerKeys.map(path),
    `(?=(\\})|"(?!freezer")[^"]*":)`,
  ].join(''),
)

/**
 * What the beginning of a state tells; `undefined` for one that somebody else has written, or that says it in another way. Pure.
 *
 * Matched in a fraction of the time that a parser takes: in a list of a thousand most of it would be this.
 */
export function parseHead(name: string, head: string, owner = 0): Known | undefined {
  const match = beginning.exec(head)
  if (match === null || match[1] !== name) return undefined
  const [, , pid, start, created, bundle = '', unified, freezer, none] = match
  if (unified === undefined && freezer === undefined && none === undefined) return undefined
  const cgroup_paths: Record<string, string> = {}
  if (unified !== undefined) cgroup_paths[''] = unified
  if (freezer !== undefined) cgroup_paths.freezer = freezer
  return { id: name, init_process_pid: Number(pid), init_process_start: start!, created, bundle, cgroup_paths, owner }
}

/** As much of /proc/PID/stat as tells who it is: all up to when it began. */
const STAT = 512

/** What each of them does: as `statusOf` finds it out, for all at once as far as that goes. */
async function statusesOf(root: string, states: readonly Known[]): Promise<Status[]> {
  const stats = await readHeads(
    states.map(({ init_process_pid }) => `/proc/${init_process_pid}/stat`),
    STAT,
  )
  const frozen = await frozenOf(states.map(({ cgroup_paths }, i) => freezersOf(cgroup_paths, stats[i]!)))
  const statuses: Status[] = []
  for (let i = 0; i < states.length; i++) {
    const state = states[i]!
    const stat = stats[i]!
    const name = typeof stat === 'number' ? undefined : livingName(stat.text, state.init_process_start)
    if (frozen[i]) statuses.push('paused')
    else if (name === undefined) statuses.push('stopped')
    else statuses.push(hasExecuted(name) ? 'running' : await statusOfLiving(name, state, `${root}/${state.id}`))
  }
  return statuses
}

/** The freezers to be asked. What v1's has stopped sleeps uninterruptibly: of a process that runs or sleeps otherwise it tells nothing. */
function freezersOf(paths: Known['cgroup_paths'], stat: FileHead | number): Readonly<Record<string, string>> {
  const state = typeof stat === 'number' ? '' : stat.text.charAt(stat.text.lastIndexOf(')') + 2)
  const unified = paths['']
  if (state !== 'R' && state !== 'S') return paths
  return unified === undefined ? {} : { '': unified }
}

/** What a process calls itself, by its /proc/PID/stat; `undefined` when it has ended, or is not the one that began then. */
function livingName(line: string, start: string): string | undefined {
  const close = line.lastIndexOf(')')
  // The state, and 18 numbers before the start.
  const fields = line.slice(close + 2).split(' ', 20)
  if (fields[19] !== start || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return line.slice(line.indexOf('(') + 1, close)
}
