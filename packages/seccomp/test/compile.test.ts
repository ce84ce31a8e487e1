import {
  type Arch,
  architectures,
  compile,
  disassemble,
  features,
  type Profile,
  type SyscallRule,
  seccompSteps,
  simulate,
  syscallName,
  syscallNumber,
  verdictOf,
} from '@libcontainer/seccomp'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { architectureOf } from '../src/architectures.js'
import { Meaning } from '../src/evaluate.js'
import { dataWords, type Instruction, instructions, run } from '../src/simulate.js'
import { syscallTable } from '../src/syscalls.js'
import { parseProfile } from '../src/validate.js'
import { VALUES } from './profiles.js'

const allow = { action: 'SCMP_ACT_ALLOW' } as const
const errno = (data: number) => ({ action: 'SCMP_ACT_ERRNO', data }) as const

const prepared = new WeakMap<Profile, Map<Arch, { program: Instruction[]; meaning: Meaning; littleEndian: boolean }>>()

/** The verdict of the compiled filter, which must be the one that the profile means. */
function verdict(profile: Profile, arch: Arch, call: string | number, args: (number | bigint)[] = [], native = arch) {
  const byArch = prepared.get(profile) ?? new Map()
  prepared.set(profile, byArch)
  if (!byArch.has(native)) {
    const { filter } = compile(profile, { arch: native })
    const { littleEndian } = architectureOf(native)
    byArch.set(native, {
      program: instructions(filter),
      meaning: new Meaning(parseProfile(profile), native),
      littleEndian,
    })
  }
  const { program, meaning, littleEndian } = byArch.get(native)
  const nr = typeof call === 'number' ? call : syscallNumber(arch, call)!
  const found = run(program, dataWords({ arch, nr, args }, littleEndian))
  const meant = meaning.of(arch, nr, args.map(BigInt))
  if (found !== meant) expect(verdictOf(found), `${arch} ${call}(${args})`).toEqual(verdictOf(meant))
  return verdictOf(found)
}

function count(filter: Uint8Array): number {
  return filter.length / 8
}

test('SC-14 the same profile is the same bytes', () => {
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names: ['read', 'write', 'exit'], ...allow },
      { names: ['clone'], ...allow, args: [{ index: 0, value: 5n, op: 'SCMP_CMP_GT' }] },
    ],
  }
  const { filter } = compile(profile, { arch: 'x86_64' })
  expect(compile(structuredClone(profile), { arch: 'x86_64' }).filter).toEqual(filter)
  const reordered = { ...profile, syscalls: [...profile.syscalls!].reverse() }
  expect(compile(reordered, { arch: 'x86_64' }).filter).toEqual(filter)
})

describe('SC-05 operators on 64-bit arguments', () => {
  const operators = {
    SCMP_CMP_NE: (a: bigint, b: bigint) => a !== b,
    SCMP_CMP_LT: (a: bigint, b: bigint) => a < b,
    SCMP_CMP_LE: (a: bigint, b: bigint) => a <= b,
    SCMP_CMP_EQ: (a: bigint, b: bigint) => a === b,
    SCMP_CMP_GE: (a: bigint, b: bigint) => a >= b,
    SCMP_CMP_GT: (a: bigint, b: bigint) => a > b,
  } as const
  test.each(Object.entries(operators))('%s', (op, holds) => {
    for (const arch of ['x86_64', 's390x'] as const) {
      for (const value of VALUES) {
        const args = [{ index: 3, value, op: op as keyof typeof operators }]
        const profile: Profile = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', args }],
        }
        for (const argument of VALUES) {
          const expected = holds(argument, value) ? errno(1) : allow
          expect(verdict(profile, arch, 'kill', [0, 0, 0, argument]), `${argument} ${op} ${value}`).toEqual(expected)
        }
      }
    }
  })

  test('MASKED_EQ masks both, whatever bits the second value has', () => {
    for (const mask of VALUES) {
      for (const second of VALUES) {
        const args = [{ index: 5, value: mask, valueTwo: second, op: 'SCMP_CMP_MASKED_EQ' as const }]
        const profile: Profile = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', args }],
        }
        for (const argument of VALUES) {
          const expected = (argument & mask) === (second & mask) ? errno(1) : allow
          expect(verdict(profile, 'x86_64', 'kill', [0, 0, 0, 0, 0, argument])).toEqual(expected)
        }
      }
    }
  })

  test('a 32-bit architecture has 32-bit arguments, whose upper halves do not count', () => {
    const args = [{ index: 0, value: 0xffff_ffff_ffff_ffffn, op: 'SCMP_CMP_EQ' as const }]
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['personality'], action: 'SCMP_ACT_ERRNO', args }],
    }
    expect(verdict(profile, 'x86', 'personality', [0xffffffff])).toEqual(errno(1))
    expect(verdict(profile, 'x86', 'personality', [0xfffffffe])).toEqual(allow)
    expect(verdict(profile, 'x86_64', 'personality', [0xffffffff])).toEqual(allow)
  })
})

describe('SC-06 rules', () => {
  const rule = (args: SyscallRule['args'], data = 1): SyscallRule => {
    return { names: ['kill'], action: 'SCMP_ACT_ERRNO', errnoRet: data, args }
  }
  const of = (...syscalls: SyscallRule[]): Profile => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls })

  test('conditions on different arguments must all hold', () => {
    const profile = of(
      rule([
        { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
        { index: 1, value: 2, op: 'SCMP_CMP_NE' },
      ]),
    )
    expect(verdict(profile, 'x86_64', 'kill', [1, 3])).toEqual(errno(1))
    expect(verdict(profile, 'x86_64', 'kill', [1, 2])).toEqual(allow)
    expect(verdict(profile, 'x86_64', 'kill', [0, 3])).toEqual(allow)
  })

  test('with one argument twice each condition is a rule of its own', () => {
    const profile = of(
      rule([
        { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
        { index: 0, value: 9, op: 'SCMP_CMP_EQ' },
        { index: 1, value: 7, op: 'SCMP_CMP_EQ' },
      ]),
    )
    for (const args of [
      [1, 0],
      [9, 0],
      [5, 7],
    ])
      expect(verdict(profile, 'x86_64', 'kill', args)).toEqual(errno(1))
    expect(verdict(profile, 'x86_64', 'kill', [5, 6])).toEqual(allow)
  })

  test('a rule without conditions wins, and of two the first', () => {
    const conditional = rule([{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }], 2)
    expect(verdict(of(conditional, rule([], 3)), 'x86_64', 'kill', [1])).toEqual(errno(3))
    expect(verdict(of(rule(undefined, 3), conditional), 'x86_64', 'kill', [1])).toEqual(errno(3))
    expect(verdict(of(rule([], 3), rule([], 4)), 'x86_64', 'kill')).toEqual(errno(3))
    const always = rule([{ index: 0, value: 0, valueTwo: 5, op: 'SCMP_CMP_MASKED_EQ' }], 6)
    expect(verdict(of(conditional, always), 'x86_64', 'kill', [1])).toEqual(errno(6))
  })

  test('SC-09 a rule that says what the default says is no rule', () => {
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['kill'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
        { names: ['kill'], ...allow, args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
      ],
    }
    expect(verdict(profile, 'x86_64', 'kill', [1])).toEqual(allow)
    expect(verdict(profile, 'x86_64', 'kill', [2])).toEqual(errno(1))
  })

  test('where rules with conditions overlap, the order of the profile does not matter', () => {
    const one = rule([{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }], 11)
    const two = rule([{ index: 0, value: 3, op: 'SCMP_CMP_GT' }], 12)
    const three = rule([{ index: 1, value: 1, op: 'SCMP_CMP_GE' }], 13)
    for (const order of [
      [one, two, three],
      [three, two, one],
      [two, one, three],
    ]) {
      expect(verdict(of(...order), 'x86_64', 'kill', [5, 0])).toEqual(errno(11))
      expect(verdict(of(...order), 'x86_64', 'kill', [6, 0])).toEqual(errno(12))
      expect(verdict(of(...order), 'x86_64', 'kill', [5, 1])).toEqual(errno(13))
    }
  })

  test('property: any rules, compiled, mean what the profile means', () => {
    const value = fc.constantFrom(...VALUES)
    const arg = fc.record({
      index: fc.nat(2),
      value,
      valueTwo: value,
      op: fc.constantFrom(...features().operators),
    })
    const rules = fc.array(fc.record({ args: fc.array(arg, { minLength: 1, maxLength: 3 }), data: fc.nat(3) }), {
      minLength: 1,
      maxLength: 6,
    })
    const samples = fc.array(fc.tuple(value, value, value), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(
        rules,
        samples,
        fc.constantFrom('x86_64' as const, 'x86' as const, 'ppc64' as const),
        (list, calls, arch) => {
          const profile = of(...list.map(({ args, data }) => rule(args, data)))
          for (const args of calls) verdict(profile, arch, 'kill', args)
        },
      ),
      { numRuns: 400, seed: 7 },
    )
  })
})

describe('SC-07 architectures', () => {
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64', 'SCMP_ARCH_LOONGARCH64', 'SCMP_ARCH_SH'],
    syscalls: [{ names: ['getpid', 'renameat'], ...allow }],
  }

  test('a name is looked up in each, and what one has not is left out there', () => {
    for (const arch of ['x86_64', 'x86', 'x32', 'aarch64', 'loongarch64', 'sh'] as const) {
      expect(verdict(profile, arch, 'getpid', [], 'x86_64')).toEqual(allow)
    }
    expect(syscallNumber('loongarch64', 'renameat')).toBeUndefined()
    expect(verdict(profile, 'aarch64', 'renameat', [], 'x86_64')).toEqual(allow)
  })

  test('the native one is always looked at, and a call of any other kills', () => {
    expect(verdict(profile, 'arm', 'getpid', [], 'arm')).toEqual(allow)
    expect(verdict(profile, 'arm', 'getpid', [], 'x86_64')).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
    const { filter } = compile(profile, { arch: 'x86_64' })
    expect(simulate(filter, { arch: 0x1234, nr: 39 })).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
  })

  test('a call of x32 is no call of x86_64', () => {
    const only: Profile = { ...profile, architectures: [] }
    expect(verdict(only, 'x86_64', 39)).toEqual(allow)
    expect(verdict(only, 'x86_64', 0x40000000 + 39)).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
    // A tracer that cancels a call makes its number -1.
    expect(verdict(only, 'x86_64', 0xffffffff)).toEqual(errno(1))
    expect(verdict(profile, 'x86_64', 0x40000000 + 39)).toEqual(allow)
    expect(verdict({ ...profile, architectures: [] }, 'x32', 39, [], 'x32')).toEqual({ action: 'SCMP_ACT_KILL_THREAD' })
  })

  test('a call’s second name is a name of it', () => {
    const of = (...names: string[]): Profile => ({
      ...profile,
      architectures: [],
      syscalls: names.map(name => ({ names: [name], ...allow })),
    })
    for (const name of ['sync_file_range2', 'arm_sync_file_range']) {
      expect(verdict(of('getpid', name), 'arm', 341)).toEqual(allow)
    }
    expect(verdict(of('getpid', 'sync_file_range2', 'arm_sync_file_range'), 'arm', 341)).toEqual(allow)
    expect(verdict(of('getpid', 'tee'), 'arm', 341)).toEqual({ action: 'SCMP_ACT_ERRNO', data: 1 })
  })

  test('socketcall and ipc follow the calls that they carry', () => {
    const sockets: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        { names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 40, op: 'SCMP_CMP_EQ' }] },
        { names: ['shmget'], action: 'SCMP_ACT_ERRNO', errnoRet: 2 },
      ],
    }
    for (const arch of ['x86', 's390x', 'ppc64le', 'mips'] as const) {
      expect(verdict(sockets, arch, 'socketcall', [1])).toEqual(errno(1))
      expect(verdict(sockets, arch, 'socketcall', [2])).toEqual(allow)
      expect(verdict(sockets, arch, 'ipc', [23])).toEqual(errno(2))
      expect(verdict(sockets, arch, 'ipc', [24])).toEqual(allow)
    }
    // accept has no number of its own on x86: only what carries it.
    const accept: Profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['accept'], ...allow }] }
    expect(verdict(accept, 'x86', 'socketcall', [5])).toEqual(allow)
    expect(verdict(accept, 'x86', 'socketcall', [6])).toEqual(errno(1))
    expect(verdict(accept, 'x86', 103)).toEqual(errno(38))
    const both: Profile = {
      ...accept,
      syscalls: [...accept.syscalls!, { names: ['socketcall'], action: 'SCMP_ACT_LOG' }],
    }
    expect(verdict(both, 'x86', 'socketcall', [5])).toEqual({ action: 'SCMP_ACT_LOG' })
  })

  test('every architecture compiles, in its own byte order', () => {
    for (const arch of architectures) {
      const { filter } = compile(profile, { arch })
      expect(filter[architectureOf(arch).littleEndian ? 0 : 1]).toBe(0x20)
      expect(verdict({ ...profile, architectures: [] }, arch, 'getpid')).toEqual(allow)
    }
  })

  test('SC-16 the tables ascend, and name what the kernel names', () => {
    for (const arch of architectures) {
      const { numbers, names } = syscallTable(arch)
      expect(numbers.length).toBe(names.length)
      numbers.forEach((number, i) => {
        if (i > 0) expect(number, `${arch} ${names[i]}`).toBeGreaterThan(numbers[i - 1]!)
        expect(syscallNumber(arch, names[i]!)).toBe(number)
      })
      expect(syscallName(arch, syscallNumber(arch, 'execve')!)).toBe('execve')
    }
    expect(['read', 'clone3', 'listns'].map(name => syscallNumber('x86_64', name))).toEqual([0, 435, 470])
    expect(syscallNumber('x32', 'ioctl')).toBe(0x40000000 + 514)
    expect(syscallNumber('arm', 'set_tls')).toBe(0xf0005)
    expect(syscallNumber('arm', 'sync_file_range2')).toBe(syscallNumber('arm', 'arm_sync_file_range'))
    expect(syscallNumber('arm', 'memfd_secret')).toBeUndefined()
    expect(syscallNumber('arm', 'process_mrelease')).toBe(448)
    expect(syscallNumber('mips', 'read')).toBe(4003)
    expect(syscallName('x86_64', 400)).toBeUndefined()
  })
})

describe('SC-10 calls that are newer than the profile', () => {
  const of = (defaultAction: Profile['defaultAction'], ...names: string[]): Profile => {
    return { defaultAction, syscalls: [{ names, ...allow }] }
  }

  test('answer ENOSYS, and those that it could have named the default', () => {
    const profile = of('SCMP_ACT_ERRNO', 'read', 'openat2')
    expect(verdict(profile, 'x86_64', 438)).toEqual(errno(38))
    expect(verdict(profile, 'x86_64', 10_000)).toEqual(errno(38))
    expect(verdict(profile, 'x86_64', 436)).toEqual(errno(1))
    expect(verdict(of('SCMP_ACT_KILL_PROCESS', 'openat2'), 'x86_64', 438)).toEqual(errno(38))
  })

  test('a call named with the default’s own action counts as named', () => {
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['read'], ...allow },
        { names: ['openat2'], action: 'SCMP_ACT_ERRNO' },
      ],
    }
    expect(verdict(profile, 'x86_64', 437)).toEqual(errno(1))
    expect(verdict(profile, 'x86_64', 438)).toEqual(errno(38))
  })

  test('not where the default lets calls through, nor where nothing is named', () => {
    for (const action of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'] as const) {
      expect(verdict(of(action, 'read'), 'x86_64', 500)).toMatchObject({ action })
    }
    expect(verdict({ defaultAction: 'SCMP_ACT_ERRNO' }, 'x86_64', 500)).toEqual(errno(1))
    expect(verdict(of('SCMP_ACT_ERRNO', 'arm_fadvise64_64'), 'x86_64', 500)).toEqual(errno(1))
  })

  test('each family of numbers has an end of its own', () => {
    const x32 = of('SCMP_ACT_ERRNO', 'read', 'execveat')
    expect(verdict(x32, 'x32', 0x40000000 + 545)).toEqual(allow)
    expect(verdict(x32, 'x32', 0x40000000 + 546)).toEqual(errno(38))
    expect(verdict(x32, 'x32', 0x40000000 + 1)).toEqual(errno(38))
    const arm = of('SCMP_ACT_ERRNO', 'read', 'set_tls')
    expect(verdict(arm, 'arm', 0xf0005)).toEqual(allow)
    expect(verdict(arm, 'arm', 0xf0006)).toEqual(errno(38))
    expect(verdict(arm, 'arm', 480)).toEqual(errno(38))
    expect(verdict(arm, 'arm', 0xf0001)).toEqual(errno(1))
  })

  test('on s390 the number 0 stands for one that the kernel does not know', () => {
    expect(verdict(of('SCMP_ACT_ERRNO', 'read'), 's390x', 0)).toEqual(errno(38))
    expect(verdict(of('SCMP_ACT_ALLOW', 'read'), 's390x', 0)).toEqual(allow)
  })
})

describe('SC-08 flags', () => {
  const flags = (profile: Partial<Profile>) =>
    compile({ defaultAction: 'SCMP_ACT_ALLOW', ...profile }, { arch: 'x86_64' }).flags

  test('are those of seccomp(2); TSYNC is implied', () => {
    expect(flags({})).toBe(0)
    expect(flags({ flags: ['SECCOMP_FILTER_FLAG_TSYNC'] })).toBe(0)
    expect(flags({ flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'] })).toBe(6)
  })

  test('a rule that notifies asks for a listener, and only beside one is a wait killable', () => {
    const killable = ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] as const
    expect(flags({ flags: killable })).toBe(0)
    expect(flags({ flags: killable, syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] })).toBe(40)
    expect(flags({ syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] })).toBe(8)
  })
})

describe('SC-18 size', () => {
  test('jumps farther than 255 instructions are made in steps', () => {
    const { names } = syscallTable('x86_64')
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: names.slice(0, 300).map((name, i) => ({
        names: [name],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: i,
        args: [{ index: 0, value: BigInt(i) << 20n, op: 'SCMP_CMP_GT' }],
      })),
    }
    expect(count(compile(profile, { arch: 'x86_64' }).filter)).toBeGreaterThan(1500)
    names.slice(0, 300).forEach((name, i) => {
      expect(verdict(profile, 'x86_64', name, [(BigInt(i) << 20n) + 1n])).toEqual(errno(i))
      expect(verdict(profile, 'x86_64', name, [BigInt(i) << 20n])).toEqual(allow)
    })
    expect(verdict(profile, 'x86_64', names[310]!)).toEqual(allow)
  })

  test('more than 4096 instructions are refused with a number', () => {
    const names = syscallTable('x86_64').names
    const syscalls = names.flatMap((name, i): SyscallRule[] =>
      [1, 2, 3].map(index => ({
        names: [name],
        action: 'SCMP_ACT_ERRNO',
        args: [{ index, value: BigInt(i + 1) << 33n, op: 'SCMP_CMP_GT' }],
      })),
    )
    const profile: Profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls }
    const act = () => compile(profile, { arch: 'x86_64' })
    expect(act).toThrow(ConfigInvalid)
    expect(act).toThrow(/^seccomp\.syscalls: compiles to more than the 4096 instructions .*\(got \d+\)$/)
  })

  test('a long list of values for one argument stays one load and one test each', () => {
    const values = Array.from({ length: 200 }, (_, i) => ({ index: 1, value: 3 * i, op: 'SCMP_CMP_EQ' as const }))
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['ioctl'], ...allow, args: values }],
    }
    expect(count(compile(profile, { arch: 'x86_64' }).filter)).toBeLessThan(230)
    expect(verdict(profile, 'x86_64', 'ioctl', [0, 597])).toEqual(allow)
    expect(verdict(profile, 'x86_64', 'ioctl', [0, 598])).toEqual(errno(1))
    expect(verdict(profile, 'x86_64', 'ioctl', [0, 3n + (1n << 32n)])).toEqual(errno(1))
  })

  test('rules that share nothing grow in line with their number', () => {
    const rules = (length: number): Profile => ({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: Array.from({ length }, (_, i) => ({
        names: ['ioctl'],
        action: 'SCMP_ACT_ERRNO' as const,
        args: [0, 1, 2, 3].map(index => ({ index, value: BigInt(i * 7 + index) << 30n, op: 'SCMP_CMP_GE' as const })),
      })),
    })
    const size = (length: number) => count(compile(rules(length), { arch: 'x86_64' }).filter)
    expect(size(40)).toBeLessThan(size(20) * 2.5)
    expect(size(80)).toBeLessThan(4096)
  })
})

test('SC-14 the disassembly names what it looks at', () => {
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X32'],
    syscalls: [{ names: ['read'], ...allow, args: [{ index: 2, value: 7, op: 'SCMP_CMP_LE' }] }],
  }
  const text = disassemble(compile(profile, { arch: 'x86_64' }).filter)
  expect(text).toMatch(/^0000 {2}ld \[4\] +arch\n0001 {2}jeq 0xc000003e, \d+, \d+ +x86_64\n/)
  expect(text).toMatch(/ld \[0\] +nr\n\d{4} {2}jge 0x40000000, \d+, \d+ +x86_64 x32\n/)
  expect(text).toMatch(/jge 0x1, \d+, \d+ +x86_64 write/)
  expect(text).toMatch(/jge 0x40000001, \d+, \d+ +x32 write/)
  expect(text).toMatch(/jgt 0x7, \d+, \d+ +args\[2\] low/)
  expect(text).toMatch(/ld \[36\] +args\[2\] high/)
  expect(text).toMatch(/ret 0x00050026 +SCMP_ACT_ERRNO 38/)
  const big = disassemble(compile(profile, { arch: 's390x' }).filter)
  expect(big).toMatch(/ld \[32\] +args\[2\] high/)
})

test('SC-15 a filter of another compiler is simulated too, and a broken one refused', () => {
  const code = (...lines: [number, number, number, number][]): Uint8Array => {
    const bytes = new Uint8Array(lines.length * 8)
    const view = new DataView(bytes.buffer)
    lines.forEach(([op, jt, jf, k], i) => {
      view.setUint16(i * 8, op, true)
      bytes.set([jt, jf], i * 8 + 2)
      view.setUint32(i * 8 + 4, k, true)
    })
    return bytes
  }
  // nr shifted, added to itself through X and the scratch memory, and returned.
  const filter = code(
    [0x20, 0, 0, 0],
    [0x64, 0, 0, 4],
    [0x02, 0, 0, 3],
    [0x61, 0, 0, 3],
    [0x0c, 0, 0, 0],
    [0x44, 0, 0, 0x50000],
    [0x16, 0, 0, 0],
  )
  expect(simulate(filter, { arch: 'x86_64', nr: 3 })).toEqual(errno(96))
  const data = { arch: 'x86_64', nr: 3 } as const
  expect(() => simulate(code([0x20, 0, 0, 0]), data)).toThrow('must end with a return')
  expect(() => simulate(code([0x20, 0, 0, 2], [6, 0, 0, 0]), data)).toThrow('must load a word')
  expect(() => simulate(code([0x28, 0, 0, 0], [6, 0, 0, 0]), data)).toThrow('no instruction that seccomp allows')
  expect(() => simulate(new Uint8Array(7), data)).toThrow('must be 1 to 4096 instructions')
  expect(() => simulate(new Uint8Array(0), data)).toThrow(ConfigInvalid)
  expect(disassemble(filter)).toMatch(/code 0x0064/)
})

test('the steps of a profile are one, with a hint for each refusal', () => {
  const profile: Profile = { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG'] }
  const { filter } = compile(profile, { arch: 'aarch64' })
  expect(seccompSteps(profile, { arch: 'aarch64' })).toEqual([
    {
      op: 'setSeccompFilter',
      args: [2, filter],
      about: `load the seccomp filter of ${filter.length / 8} instructions`,
      into: undefined,
      hints: expect.objectContaining({ EACCES: expect.stringContaining('no_new_privs') }),
    },
  ])
})
