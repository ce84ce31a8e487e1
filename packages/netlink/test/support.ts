import { spawnSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { Netns } from '@libcontainer/netlink'
import { onTestFinished } from 'vitest'

/** A network namespace of the test's own, without a name, which ends with it. */
export async function ownNetns(): Promise<Netns> {
  const netns = await Netns.create()
  onTestFinished(() => netns.close())
  return netns
}

/** Whether this is Linux of a version, or of a later one. */
export function isKernel(major: number, minor: number): boolean {
  const [here = 0, point = 0] = release().split('.').map(Number)
  return here > major || (here === major && point >= minor)
}

/** A program in a namespace: what it prints. @param input - for its standard input */
export function inNetns(netns: Netns, program: string, words: string, input?: string): string {
  const { stdout, stderr, status } = spawnSync(
    'nsenter',
    [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, program, ...words.split(' ')],
    { encoding: 'utf8', input },
  )
  if (status !== 0) throw new Error(`${program} ${words}: ${stderr}`)
  return stdout
}

/** ip(8) in a namespace. @param input - for `-batch -` */
export const ip = (netns: Netns, words: string, input?: string): string => inNetns(netns, 'ip', words, input)

/** The same with `-j`, which is the oracle of what we read and write. */
export const ipJson = <T>(netns: Netns, words: string): T => JSON.parse(ip(netns, `-j ${words}`) || '[]') as T

/** Likewise of tc(8) and bridge(8). */
export const toolJson = <T>(netns: Netns, program: 'tc' | 'bridge', words: string): T =>
  JSON.parse(inNetns(netns, program, `-j ${words}`) || '[]') as T

/** What sockets and namespaces this process has open. */
export const openDescriptors = (): string[] =>
  readdirSync('/proc/self/fd')
    .flatMap(fd => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
    .filter(target => /^(socket|net):|ns\/net/.test(target))
    .sort()

/** In which network namespaces the threads of this process are: one, always. */
export const namespacesOfThreads = (): string[] => [
  ...new Set(
    readdirSync('/proc/self/task').flatMap(task => {
      try {
        return [readlinkSync(`/proc/self/task/${task}/ns/net`)]
      } catch {
        // It has ended meanwhile.
        return []
      }
    }),
  ),
]
