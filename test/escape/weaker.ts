import type { Facts } from './survey.js'

const mask = (value = '0'): bigint => BigInt(`0x${value}`)

/** Whether a filter has answered: with what runtimes let it answer. */
const isRefused = (verdict: string | undefined): boolean => /^(EPERM|ENOSYS|signal \d+)$/.test(verdict ?? '')

const WALLS = ['ro', 'nosuid', 'nodev', 'noexec']

const flags = (mount: string): string[] => {
  const [first = '', second = ''] = mount.split(' ')
  // The part of the file system that is shown comes first, where it is not all.
  return (first.startsWith('/') ? second : first).split(',')
}

/** What one side allows that the other does not, by the kind of a fact; `undefined`: there is no such fact on that side. */
const isWeaker: Readonly<
  Record<string, (key: string, theirs: string | undefined, ours: string | undefined) => boolean>
> = {
  status: (key, theirs, ours) => {
    if (key.startsWith('Cap')) return (mask(ours) & ~mask(theirs)) !== 0n
    if (/^(NoNewPrivs|Seccomp)$/.test(key)) return Number(ours) < Number(theirs)
    return key === 'Umask' ? Number.parseInt(ours ?? '0', 8) < Number.parseInt(theirs ?? '0', 8) : false
  },
  process: (key, theirs, ours) => (key === 'securebits' ? (Number(theirs) & ~Number(ours)) !== 0 : false),
  keyring: (key, theirs, ours) => key === 'keys in it' && Number(ours ?? 0) > Number(theirs ?? 0),
  mounts: (_, theirs, ours) => {
    // The null device over a file hides it, and gives nothing.
    if (ours === undefined || ours.startsWith('/null ')) return false
    const wanted = theirs === undefined ? WALLS : WALLS.filter(flag => flags(theirs).includes(flag))
    return wanted.some(flag => !flags(ours).includes(flag))
  },
  hidden: (_, theirs, ours) => {
    const allows = (value = 'empty, takes nothing'): number =>
      Number(/^tells/.test(value)) + 2 * Number(/takes$/.test(value))
    return (allows(ours) & ~allows(theirs)) !== 0
  },
  devices: (key, theirs, ours) => {
    const opens = (value = ''): boolean => value.endsWith('opens')
    const made = (value = ''): boolean => /^made|^[cb] /.test(value)
    return (
      (opens(ours) && !opens(theirs)) ||
      (made(ours) && !made(theirs)) ||
      (key.startsWith('/') && theirs === undefined && made(ours))
    )
  },
  descriptors: (_, theirs, ours) => theirs === undefined && ours !== undefined,
  seccomp: (_, theirs, ours) => isRefused(theirs) && !isRefused(ours),
}

/** The facts in which `ours` allows more than `theirs`. */
export function weaker(theirs: Facts, ours: Facts): string[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].filter(key => {
    const at = key.indexOf(' ')
    return isWeaker[key.slice(0, at)]?.(key.slice(at + 1), theirs.get(key), ours.get(key)) ?? false
  })
}
