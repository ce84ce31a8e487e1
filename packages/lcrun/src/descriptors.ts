import type { Invocation } from '@libcontainer/cli'
import { becomeProgram, ConfigInvalid, descriptorFlags, environment, ids, readLink } from '@libcontainer/sys'

/** What is passed on to a program beside its standard streams. */
export interface PassedDescriptors {
  /** They become 3, 4, …, as they are here. */
  readonly extraFds: readonly number[]
  /** Variables that tell the program of them. */
  readonly env: readonly string[]
}

const FIRST = 3
/** The same on x86-64 and arm64. */
const O_CLOEXEC = 0o2000000
/** What a program can be given, with room for what starts it. */
const MOST = 1000

/**
 * The descriptors that this process was given for the program: those that systemd has opened for it first (sd_listen_fds(3)), then `--preserve-fds`.
 *
 * @throws {ConfigInvalid} for one that is not open
 */
export async function passedDescriptors({ flags }: Pick<Invocation, 'flags'>): Promise<PassedDescriptors> {
  const listening = listenFds()
  const preserved = count('--preserve-fds', flags.get('preserve-fds') ?? '0')
  const extraFds = Array.from({ length: listening + preserved }, (_, i) => FIRST + i)
  for (const [i, fd] of extraFds.entries()) {
    if (await isGiven(fd)) continue
    const [field, value] = i < listening ? ['LISTEN_FDS', listening] : ['--preserve-fds', preserved]
    throw new ConfigInvalid(field, value, `counts descriptor ${fd}, which is not open`)
  }
  return { extraFds, env: listening === 0 ? [] : [`LISTEN_FDS=${listening}`, 'LISTEN_PID=1'] }
}

/**
 * Whether a descriptor is open and its caller's, as all before it are. Our own are close-on-exec, and none that was given can be. Node.js makes
 * all of them so before it runs anything; but the first that it opens for itself, by the lowest number that is free, is an epoll.
 */
async function isGiven(fd: number): Promise<boolean> {
  const given = await descriptorFlags(fd)
  if (given === undefined) return false
  if (becomeProgram === undefined) return (await readLink(`/proc/self/fd/${fd}`)) !== 'anon_inode:[eventpoll]'
  return (given & O_CLOEXEC) === 0
}

/** Meant for this process alone: who has it from a parent that forgot to take it out of the environment has no such descriptors. */
function listenFds(): number {
  const { LISTEN_FDS, LISTEN_PID } = environment
  if (!LISTEN_FDS || (LISTEN_PID !== undefined && LISTEN_PID !== String(ids().pid))) return 0
  return count('LISTEN_FDS', LISTEN_FDS)
}

function count(field: string, text: string): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : MOST + 1
  if (number > MOST) throw new ConfigInvalid(field, text, `must be a number of descriptors, ${MOST} at most`)
  return number
}
