import type { Access } from './access.js'
import type { Pattern } from './explain.js'

type Danger = readonly [type: 'b' | 'c', major: number | undefined, minor: number | undefined, text: string]

/** Devices of the host that a container should not open, and why. Making a node is no danger as long as it cannot be opened. */
const DANGERS: readonly Danger[] = [
  ['b', undefined, undefined, 'disks of the host: whoever opens one reads and writes all files on it'],
  ['c', 1, 1, '/dev/mem is the memory of the host'],
  ['c', 1, 2, '/dev/kmem is the memory of the kernel'],
  ['c', 1, 4, '/dev/port is every I/O port of the host'],
  ['c', 1, 11, '/dev/kmsg is the log of the kernel, to read and to write'],
  ['c', 4, undefined, 'terminals of the host, in which somebody may type passwords'],
  ['c', 5, 1, 'the console of the host'],
  ['c', 7, undefined, 'what stands on the terminals of the host'],
  ['c', 10, 130, 'a watchdog restarts the host'],
  ['c', 10, 144, 'the settings of the firmware'],
  ['c', 10, 196, 'devices that are passed through to the container write where the host does not see it'],
  ['c', 10, 223, '/dev/uinput types on the keyboard of the host'],
  ['c', 10, 231, '/dev/snapshot is an image of the memory of the host'],
  ['c', 10, 237, '/dev/loop-control makes block devices for the whole host'],
  ['c', 13, undefined, 'what is typed on the keyboard of the host'],
  ['c', 21, undefined, 'raw SCSI commands: disks of the host'],
  ['c', 90, undefined, 'flash memory of the host'],
  ['c', 189, undefined, 'USB devices of the host, its disks among them'],
  ['c', 202, undefined, 'registers of the processors, by which the kernel can be taken over'],
]

/** Why it is dangerous to open some of these devices. @param access - what may be done with devices */
export function dangerOf(pattern: Pattern, access: (devices: Pattern) => Access): string | undefined {
  // What narrower entries open is said of them.
  if (!opens(access(pattern))) return undefined
  const found = DANGERS.filter(([type, major, minor]) => {
    const common = type === pattern.type && overlap(pattern, { type, major, minor })
    return common && opens(access(common))
  }).map(([, , , text]) => text)
  return found.length === 0 ? undefined : found.join('; ')
}

const opens = (access: Access): boolean => access.includes('r') || access.includes('w')

/** The devices that are in both, if any. */
function overlap(a: Pattern, b: Pattern): Pattern | undefined {
  const differ = (one?: number, other?: number): boolean => one !== undefined && other !== undefined && one !== other
  if (differ(a.major, b.major) || differ(a.minor, b.minor)) return undefined
  return { type: a.type, major: a.major ?? b.major, minor: a.minor ?? b.minor }
}
