import { ConfigInvalid, encodeUtf8, OwnedFd, readText, type Step, slot, statusField } from '@libcontainer/sys'
import { checkIdMap, fittingIdMap, type IdMap, type IdMaps, idMapText } from './id-map.js'
import { checkPid } from './inspect.js'
import { writeMapsByHelpers } from './map-helpers.js'
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

/** This process: its effective capabilities, too, as a mask. */
export interface OwnWriter extends MapWriter {
  readonly effective: bigint
}

/**
 * How the maps can be written: `direct` by a privileged process, any ids; `single` by anyone, its own two ids, and setgroups(2) is lost
 * inside; `helpers` by newuidmap and newgidmap, the ids that /etc/subuid and /etc/subgid lend too.
 */
export type MapMode = 'direct' | 'single' | 'helpers'

/** Chooses the way. Pure. */
export function mapMode(maps: IdMaps, { setuid, setgid, euid, egid }: MapWriter): MapMode {
  if (setuid && setgid) return 'direct'
  return isOwn(maps.uid, euid) && isOwn(maps.gid, egid) ? 'single' : 'helpers'
}

function isOwn(map: readonly IdMap[], own: number): boolean {
  const [entry] = map
  return map.length === 1 && entry!.size === 1 && entry!.hostId === own
}

/**
 * The writes of the maps, as steps for the host, in the order that the kernel demands: an ordinary user's gid map is EPERM until
 * setgroups is denied.
 */
export function idMapSteps(pid: number, maps: IdMaps, mode: Exclude<MapMode, 'helpers'>): Step[] {
  const deny = mode === 'single' ? [writeStep(pid, 'setgroups', 'deny', 'deny setgroups to')] : []
  return [
    openProcess(pid),
    ...deny,
    writeStep(pid, 'gid_map', idMapText(fittingIdMap(maps.gid)), 'write the gid map of'),
    writeStep(pid, 'uid_map', idMapText(fittingIdMap(maps.uid)), 'write the uid map of'),
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
 * @throws {LibcontainerError} `EPERM` with what newuidmap or newgidmap said, when this user may not map these ids
 * @throws {SyscallError} `ESRCH`, `ENOENT` when the process is gone, `EPERM` when the maps were written before
 */
export async function writeIdMaps(pid: number, maps: IdMaps): Promise<void> {
  checkPid(pid, 'pid')
  checkIdMap(maps.uid, 'uidMappings')
  checkIdMap(maps.gid, 'gidMappings')
  for (const [field, map] of Object.entries({ uidMappings: maps.uid, gidMappings: maps.gid })) {
    if (map.length === 0) throw new ConfigInvalid(field, map, 'must have an entry')
  }
  const mode = mapMode(maps, await mapWriter())
  if (mode === 'helpers') await writeMapsByHelpers(pid, maps)
  else await applyToProcess(idMapSteps(pid, maps, mode))
}

/** Applies steps that begin with {@link openProcess}, and closes what that has opened. */
async function applyToProcess(steps: readonly Step[]): Promise<void> {
  const results = new Map<string, number>()
  try {
    await native.apply(steps, { results })
  } finally {
    const fd = results.get('process')
    if (fd !== undefined) new OwnedFd(fd).close()
  }
}

/** This process, as a writer of maps. */
export async function mapWriter(): Promise<OwnWriter> {
  return parseWriter(await readText('/proc/self/status'))
}

/** What /proc/self/status says of a writer of maps. */
export function parseWriter(status: string): OwnWriter {
  const field = (name: string): string[] => statusField(status, name)?.split(/\s+/) ?? []
  const effective = BigInt(`0x${field('CapEff')[0] ?? 0}`)
  return {
    effective,
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
  await applyToProcess([openProcess(pid), { ...write, hints: timeOffsetsHints }])
}
