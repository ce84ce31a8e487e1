import type { Arch, Profile, SyscallArg, SyscallRule } from '@libcontainer/seccomp'
import { ociArch } from '@libcontainer/seccomp'
import type { Operator } from '../src/actions.js'
import { syscallTable } from '../src/syscalls.js'

/** A small generator of numbers (mulberry32): the same ones for a seed, on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

export const VALUES: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  5n,
  40n,
  0x20000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x1_0000_0000n,
  0x1_0000_0002n,
  0x2_0000_0001n,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_0000_0000n,
  0xffff_ffff_ffff_ffffn,
]

const EQUALITIES: readonly Operator[] = ['SCMP_CMP_EQ', 'SCMP_CMP_MASKED_EQ']
const OPERATORS: readonly Operator[] = [
  ...EQUALITIES,
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
]
const ACTIONS: readonly Partial<SyscallRule>[] = [
  { action: 'SCMP_ACT_ALLOW' },
  { action: 'SCMP_ACT_ERRNO' },
  { action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
  { action: 'SCMP_ACT_ERRNO', errnoRet: 0 },
  { action: 'SCMP_ACT_LOG' },
  { action: 'SCMP_ACT_TRAP' },
  { action: 'SCMP_ACT_TRACE', errnoRet: 77 },
  { action: 'SCMP_ACT_KILL' },
  { action: 'SCMP_ACT_KILL_PROCESS' },
  { action: 'SCMP_ACT_NOTIFY' },
]

/** Calls of which a profile has several rules with arguments; those that socketcall and ipc carry are among them. */
const OFTEN = [
  'personality',
  'ioctl',
  'fcntl',
  'prctl',
  'socket',
  'accept4',
  'semget',
  'shmat',
  'clone',
  'openat',
  'kill',
]

/**
 * A profile like those that people write, and then some: up to 40 rules over the calls of all `archs`.
 *
 * libseccomp 2.5 contradicts its own rules where one call has several and they use NE, LT, LE, GE or GT (see
 * oracle.test.ts). So a call has several rules with equalities, or one with any operators.
 */
export function generatedProfile(seed: number, archs: readonly Arch[], known: ReadonlySet<string>): Profile {
  const random = new Random(seed)
  const names = [...new Set(archs.flatMap(arch => syscallTable(arch).names))].filter(name => known.has(name))
  const once = new Set(
    names.filter(
      name => !OFTEN.includes(name) && !/sock|send|recv|bind|listen|accept|conn|msg|sem|shm|peer|shut/.test(name),
    ),
  )
  const defaults = ACTIONS.filter(({ action }) => action !== 'SCMP_ACT_NOTIFY')
  const { action, errnoRet } = random.pick(defaults)
  const syscalls = Array.from({ length: 1 + random.below(40) }, (): SyscallRule => {
    const kind = random.below(4)
    const outcome = random.pick(ACTIONS) as Pick<SyscallRule, 'action' | 'errnoRet'>
    if (kind === 0) return { names: [random.pick(OFTEN)], ...outcome, args: conditions(random, EQUALITIES, true) }
    if (kind === 1 && once.size > 0) {
      const name = random.pick([...once])
      once.delete(name)
      return { names: [name], ...outcome, args: conditions(random, OPERATORS, false) }
    }
    const chosen = Array.from({ length: 1 + random.below(30) }, () => random.pick(names))
    return { names: chosen.filter(name => name !== 'write'), ...outcome }
  }).filter(rule => rule.names.length > 0)
  return {
    defaultAction: action!,
    defaultErrnoRet: errnoRet,
    architectures: archs.map(ociArch),
    syscalls,
  }
}

function conditions(random: Random, operators: readonly Operator[], repeat: boolean): SyscallArg[] {
  const indexes = new Set<number>()
  const args: SyscallArg[] = []
  for (let left = 1 + random.below(3); left > 0; left--) {
    const index = random.below(6)
    if (indexes.has(index) && !repeat) continue
    indexes.add(index)
    args.push({ index, op: random.pick(operators), value: random.pick(VALUES), valueTwo: random.pick(VALUES) })
  }
  return args
}

/** Values that come close to what a profile compares with. */
export function nearValues(profile: Profile): bigint[] {
  const args = (profile.syscalls ?? []).flatMap(rule => rule.args ?? [])
  const near = args.flatMap(({ value, valueTwo = 0 }) => {
    const [one, two] = [BigInt(value), BigInt(valueTwo)]
    return [one, one + 1n, one - 1n, one ^ (1n << 32n), two, two & one, two | ~one, one & 0xffffffffn]
  })
  return [...new Set([...near, ...VALUES].map(value => BigInt.asUintN(64, value)))]
}
