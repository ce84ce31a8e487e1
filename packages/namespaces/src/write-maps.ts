import { ConfigInvalid, encodeUtf8, LibcontainerError, readText, type Step, slot } from '@libcontainer/sys'
import { checkIdMap, type IdMap, type IdMaps, idMapText } from './id-map.js'
import { checkPid } from './inspect.js'
import { native } from './native.js'
import { timeOffsetsHints } from './steps.js'
import { checkTimeOffsets, type TimeOffsets, timeOffsetsText } from './time-offsets.js'

/** Who writes the maps: the kernel's rules depend on it. */
export interface MapWriter {
  readonly euid: number
  readonly egid: number
  /** CAP_SETUID and CAP_SETGID in the user namespace around the new one. */
  readonly setuid: boolean
  readonly setgid: boolean
}

/**
 * How the maps can be written: `direct` by a privileged process, any ids; `single` by anyone, its own two ids, and setgroups(2) is lost
 * inside. (A third way, newuidmap and newgidmap, is for the ids that /etc/subuid lends.)
 */
export type MapMode = 'direct' | 'single'

/** Chooses the way, or explains why there is none. Pure. */
export function mapMode(maps: IdMaps, writer: MapWriter): MapMode {
  if (writer.setuid && writer.setgid) return 'direct'
  const foreign = foreignId(maps.uid, writer.euid) ?? foreignId(maps.gid, writer.egid)
  if (foreign === undefined) return 'single'
  throw new LibcontainerError(
    'EPERM',
    `an ordinary user may map only its own ids, ${writer.euid} and ${writer.egid}, one each (asked for ${foreign})`,
    {
      hint:
        `other ids must be lent to the user: a line such as "${writer.euid}:100000:65536" in /etc/subuid and /etc/subgid, ` +
        'and the programs newuidmap and newgidmap (package uidmap); or run as root',
    },
  )
}

function foreignId(map: readonly IdMap[], own: number): string | undefined {
  const [entry] = map
  if (map.length === 1 && entry!.size === 1 && entry!.hostId === own) return undefined
  return (
    map.map(({ hostId, size }) => (size === 1 ? `${hostId}` : `${hostId}-${hostId + size - 1}`)).join(', ') || 'none'
  )
}

/**
 * The writes of the maps, as steps for the host, in the order that the kernel demands: an ordinary user's gid map is EPERM until
 * setgroups is denied.
 */
export function idMapSteps(pid: number, maps: IdMaps, mode: MapMode): Step[] {
  const deny = mode === 'single' ? [writeStep(pid, 'setgroups', 'deny', 'deny setgroups to')] : []
  return [
    openProcess(pid),
    ...deny,
    writeStep(pid, 'gid_map', idMapText(maps.gid), 'write the gid map of'),
    writeStep(pid, 'uid_map', idMapText(maps.uid), 'write the uid map of'),
  ]
}

function openProcess(pid: number): Step {
  return {
    op: 'openProcessDirectory',
    args: [`/proc/${pid}`],
    about: `open the files of process ${pid}`,
    path: `/proc/${pid}`,
    into: 'process',
    hints: { ENOENT: 'the process has exited' },
  }
}

function writeStep(pid: number, file: string, text: string, what: string): Step {
  return {
    op: 'writeProcessFile',
    args: [slot('process'), file, encodeUtf8(text)],
    about: `${what} process ${pid}`,
    path: `/proc/${pid}/${file}`,
    hints: {
      EPERM: 'the map is written already, or an id is not ours to give (id 0 of the host needs CAP_SETFCAP too)',
      EACCES: 'the process is not dumpable: only root may write its files',
      EINVAL: 'a line holds an id that the user namespace around it does not have',
      ENOENT: 'the process has exited',
    },
  }
}

/**
 * Gives a new user namespace its ids: writes the maps of the process `pid`, which was just born in it.
 *
 * @throws {ConfigInvalid} for maps that the kernel would refuse
 * @throws {LibcontainerError} `EPERM` when this process may not map these ids
 * @throws {SyscallError} `ESRCH`, `ENOENT` when the process is gone, `EPERM` when the maps were written before
 */
export async function writeIdMaps(pid: number, maps: IdMaps): Promise<void> {
  checkPid(pid, 'pid')
  checkIdMap(maps.uid, 'uidMappings')
  checkIdMap(maps.gid, 'gidMappings')
  for (const [field, map] of Object.entries({ uidMappings: maps.uid, gidMappings: maps.gid })) {
    if (map.length === 0) throw new ConfigInvalid(field, map, 'must have an entry')
  }
  const mode = mapMode(maps, parseWriter(await readText('/proc/self/status')))
  await native.apply(idMapSteps(pid, maps, mode))
}

/** What /proc/self/status says of a writer of maps. */
export function parseWriter(status: string): MapWriter {
  const field = (name: string): string[] => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? []
  const effective = BigInt(`0x${field('CapEff')[0] ?? 0}`)
  return {
    euid: Number(field('Uid')[1]),
    egid: Number(field('Gid')[1]),
    setgid: ((effective >> 6n) & 1n) === 1n,
    setuid: ((effective >> 7n) & 1n) === 1n,
  }
}

/**
 * Moves the clocks of the time namespace that the process `pid` has unshared and nobody has entered.
 *
 * @throws {SyscallError} `EACCES` when somebody has, `ERANGE` for a clock before 0
 */
export async function writeTimeOffsets(pid: number, offsets: TimeOffsets): Promise<void> {
  checkPid(pid, 'pid')
  checkTimeOffsets(offsets, 'timeOffsets')
  const write = writeStep(pid, 'timens_offsets', timeOffsetsText(offsets), 'set the clocks of')
  await native.apply([openProcess(pid), { ...write, hints: timeOffsetsHints }])
}
