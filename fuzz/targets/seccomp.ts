import {
  type Arch,
  compile,
  disassemble,
  evaluate,
  type Profile,
  simulate,
  syscallNumber,
  unknownSyscalls,
} from '@libcontainer/seccomp'
import { parseJson } from '@libcontainer/sys'
import { answer, Choices, hold, same, textOf } from '../support/oracles.js'

const ARCHS: readonly Arch[] = ['x86_64', 'x86', 'x32', 'aarch64', 'arm', 's390x', 'ppc64le', 'riscv64', 'mips']
const NATIVE: readonly Arch[] = ['x86_64', 'aarch64', 's390x', 'riscv64']
const ACTIONS = ['ALLOW', 'ERRNO', 'KILL', 'KILL_PROCESS', 'KILL_THREAD', 'TRAP', 'TRACE', 'LOG', 'NOTIFY', 'ODD']
const OPERATORS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ', 'ODD']
const NAMES = [
  'read',
  'open',
  'clone',
  'socket',
  'socketcall',
  'ipc',
  'shmget',
  'personality',
  'mmap2',
  'futex_waitv',
  'nothing',
  '',
]

type Rule = NonNullable<Profile['syscalls']>[number]

/** A profile that is mostly sound; its numbers are the same few, so that conditions meet. */
function profileOf(choices: Choices): { profile: Profile; values: bigint[] } {
  const values: bigint[] = []
  const value = (): bigint => {
    const number = choices.number(choices.of([0, 1, 1, 4, 5, 8]))
    values.push(number)
    return number
  }
  const action = (): string => `SCMP_ACT_${choices.of(ACTIONS)}`
  const errnoRet = (): number | undefined => choices.of([undefined, undefined, 1, 38, 4095, 4096, -1, 1.5])
  const rule = (): unknown => ({
    names: choices.some(() => choices.of(NAMES)),
    action: action(),
    errnoRet: errnoRet(),
    args: choices.some(() => ({
      index: choices.byte() % 7,
      value: value(),
      valueTwo: value(),
      op: `SCMP_CMP_${choices.of(OPERATORS)}`,
    })),
  })
  const profile = {
    defaultAction: action(),
    defaultErrnoRet: errnoRet(),
    architectures: choices.some(() => `SCMP_ARCH_${choices.of(ARCHS).toUpperCase()}`),
    flags: choices.some(
      () => `SECCOMP_FILTER_FLAG_${choices.of(['LOG', 'TSYNC', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV', 'ODD'])}`,
    ),
    syscalls: choices.some(rule) as Rule[],
  }
  return { profile: profile as Profile, values }
}

/** What the profile means and what its filter does are the same, around every number that the profile names. */
function compare(profile: Profile, arch: Arch, values: readonly bigint[]): void {
  const compiled = answer(() => compile(profile, { arch }))
  if (compiled === undefined) return
  const { filter } = compiled
  hold(filter.length % 8 === 0 && filter.length <= 4096 * 8, 'a filter that the kernel does not take')
  same(compile(profile, { arch }).filter, filter, 'compiled twice')
  hold(disassemble(filter).length > 0, 'a filter without a text')
  answer(() => unknownSyscalls(profile))
  const around = [
    ...new Set(values.flatMap(value => [value - 1n, value, value + 1n]).map(value => BigInt.asUintN(64, value))),
  ]
  const names = [...new Set((profile.syscalls ?? []).flatMap(({ names }) => names))].slice(0, 6)
  const lists = [[], ...around.slice(0, 12).map(value => [value, value, value, value, value, value])]
  for (const name of names) {
    for (const args of lists) {
      const meant = answer(() => evaluate(profile, arch, name, args, { native: arch }))
      if (meant === undefined) break
      same(simulate(filter, { arch, nr: syscallNumber(arch, name)!, args }), meant, `${name}(${args})`)
    }
  }
}

/** What is no profile or no filter is refused by field; what is one means what its filter does. */
export function fuzz(data: Uint8Array): void {
  const [kind = 0] = data
  const rest = data.subarray(1)
  if (kind % 4 === 1) {
    answer(() => simulate(rest, { arch: 'x86_64', nr: 1, args: [1, 2, 3] }))
    answer(() => disassemble(rest))
    return
  }
  const arch = NATIVE[(kind >> 2) % NATIVE.length]!
  if (kind % 4 === 2) {
    const profile = json(textOf(rest))
    if (profile !== undefined) compare(profile as Profile, arch, [])
    return
  }
  const { profile, values } = profileOf(new Choices(rest))
  compare(profile, arch, values)
}

function json(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

export function seeds(): (string | Uint8Array)[] {
  const allow = compile(
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['ptrace'], action: 'SCMP_ACT_ERRNO' }] },
    { arch: 'x86_64' },
  )
  return [
    '\x02{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read","clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2080505856,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]}]}',
    '\x06{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":38,"flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/l","syscalls":[{"names":["socket"],"action":"SCMP_ACT_NOTIFY","errnoRet":1}]}',
    Uint8Array.from([1, ...allow.filter]),
    // ERRNO by default, two architectures, and rules with one and two conditions.
    Uint8Array.from([
      0, 1, 0, 2, 1, 3, 0, 2, 2, 0, 1, 0, 0, 1, 2, 3, 0, 0, 2, 0, 0, 1, 2, 2, 3, 4, 1, 2, 1, 6, 1, 2, 3, 4, 5, 6, 7, 8,
    ]),
    Uint8Array.from([4, 0, 0, 0, 0, 3, 4, 0, 2, 3, 1, 1, 0, 2, 1, 1, 0, 5, 0, 1, 1, 5, 3]),
  ]
}
