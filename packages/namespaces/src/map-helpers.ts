import { exists, LibcontainerError, type ProgramResult, runProgram } from '@libcontainer/sys'
import { fittingIdMap, type IdMap, type IdMaps } from './id-map.js'

/** Where the two programs may be, and nowhere else: PATH is whatever somebody set it to. */
const directories = ['/usr/bin', '/bin', '/usr/local/bin', '/run/wrappers/bin']

/** The programs of package uidmap, by which root lends ids to users: newuidmap(1), newgidmap(1). */
export interface MapHelpers {
  readonly newuidmap: string
  readonly newgidmap: string
}

/** Finds both; `undefined` when one is missing. */
export async function findMapHelpers(): Promise<MapHelpers | undefined> {
  const [newuidmap, newgidmap] = await Promise.all([find('newuidmap'), find('newgidmap')])
  return newuidmap === undefined || newgidmap === undefined ? undefined : { newuidmap, newgidmap }
}

async function find(name: string): Promise<string | undefined> {
  for (const directory of directories) if (await exists(`${directory}/${name}`)) return `${directory}/${name}`
  return undefined
}

/** What newuidmap(1) and newgidmap(1) are told. Pure; the maps were checked: numbers alone get here. */
export function mapArguments(pid: number, map: readonly IdMap[]): string[] {
  return [pid, ...fittingIdMap(map).flatMap(({ containerId, hostId, size }) => [containerId, hostId, size])].map(String)
}

/**
 * Has the maps of a process written by the two programs.
 *
 * @throws {LibcontainerError} `EPERM` with what they said, when an id is not the user's to give; `ENOENT` when they are missing
 */
export async function writeMapsByHelpers(pid: number, maps: IdMaps): Promise<void> {
  const helpers = await findMapHelpers()
  if (helpers === undefined) {
    throw new LibcontainerError('ENOENT', `newuidmap and newgidmap are not in ${directories.join(', ')}`, {
      hint: 'install them (package uidmap on Debian, shadow-utils on Fedora), or map only your own ids, one each',
    })
  }
  // Groups first: a process whose uid map stands may be another user's to the second program.
  for (const [program, map, file] of [
    [helpers.newgidmap, maps.gid, '/etc/subgid'],
    [helpers.newuidmap, maps.uid, '/etc/subuid'],
  ] as const) {
    const result = await runProgram(program, mapArguments(pid, map))
    if (result.status.code !== 0) throw refusal(program, result, file)
  }
}

function refusal(program: string, { status, stderr }: ProgramResult, file: string): LibcontainerError {
  const how = status.signal === undefined ? `exit code ${status.code}` : `signal ${status.signal}`
  return new LibcontainerError('EPERM', `${program} failed (${how}): ${stderr.trim() || 'it said nothing'}`, {
    hint: `the ids must be the user's own or lent to it in ${file}, and the program must be set-user-ID root (or have file capabilities) on a file system without nosuid, run without no_new_privs`,
  })
}
