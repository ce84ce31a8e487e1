import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  compile,
  type EngineProfile,
  type EngineRule,
  evaluate,
  explain,
  explanationText,
  type Profile,
  type ResolveOptions,
  resolveProfile,
  syscallNumber,
} from '@libcontainer/seccomp'
import { expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { syscallTable } from '../src/syscalls.js'

const profile: Profile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86'],
  syscalls: [
    { names: ['read', 'write', 'openat2', 'no_such_call'], action: 'SCMP_ACT_ALLOW' },
    {
      names: ['clone', 'kill'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
        { index: 1, value: 1n << 40n, op: 'SCMP_CMP_LT' },
      ],
    },
    { names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' },
  ],
}

test('SC-14 an explanation tells what becomes of every call, and what it costs', () => {
  const explained = explain(profile, { arch: 'x86_64' })
  const { filter } = compile(profile, { arch: 'x86_64' })
  expect(explained.instructions).toBe(filter.length / 8)
  expect(explained.longestPath).toBeGreaterThan(6)
  expect(explained.longestPath).toBeLessThan(25)
  expect(explained).toMatchObject({
    default: { action: 'SCMP_ACT_ERRNO', data: 1 },
    notify: true,
    unknown: ['no_such_call'],
  })
  expect(explained.architectures.map(({ arch }) => arch)).toEqual(['x86_64', 'x86'])
  for (const { arch, calls, conditional } of explained.architectures) {
    for (const { verdict, names } of calls)
      for (const name of names) expect(evaluate(profile, arch, name, [], { native: 'x86_64' }), name).toEqual(verdict)
    const all = [...calls, ...conditional].flatMap(({ names }) => names)
    expect(all.sort()).toEqual([...syscallTable(arch).names].sort())
  }
  expect(explained.architectures[0]!.conditional).toEqual([
    {
      names: ['clone', 'kill'],
      rules: [
        {
          verdict: { action: 'SCMP_ACT_ALLOW' },
          conditions: ['args[0] & 0x7e020000 == 0x0', 'args[1] < 0x10000000000'],
        },
      ],
    },
  ])
  expect(explained.architectures[1]!.conditional[0]!.rules[0]!.conditions[1]).toBe('args[1] < 0x0')
  const newer = explained.architectures[0]!.calls.find(({ verdict }) => verdict.data === 38)
  expect(newer!.names).toContain('listns')

  const text = explanationText(explained)
  expect(text).toMatch(
    /^\d+ instructions, at most \d+ of them for a call; else SCMP_ACT_ERRNO 1\ncalls wait for an agent\n/,
  )
  expect(text).toContain('\nunknown: no_such_call\n\nSCMP_ARCH_X86_64\n')
  expect(text).toContain('  SCMP_ACT_ALLOW: 3 calls: openat2 read write\n')
  expect(text).toContain('  clone kill:\n    args[0] & 0x7e020000 == 0x0 and args[1] < 0x10000000000: SCMP_ACT_ALLOW\n')
})

const rule = (name: string, change: Partial<EngineRule> = {}): EngineRule => ({
  names: [name],
  action: 'SCMP_ACT_ALLOW',
  ...change,
})
const resolved = (rules: readonly EngineRule[], options: ResolveOptions = {}): string[] =>
  resolveProfile(
    { defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules },
    { arch: 'x86_64', kernel: '5.10.0', ...options },
  ).syscalls!.flatMap(({ names }) => names)

test('SC-17 an engine’s profile: rules that count by capability, architecture and kernel', () => {
  const rules = [
    rule('a', { includes: { caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] } }),
    rule('b', { excludes: { caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] } }),
    rule('c', { includes: { arches: ['amd64', 'x32'] } }),
    rule('d', { excludes: { arches: ['s390', 's390x'] } }),
    rule('e', { includes: { minKernel: '4.8' } }),
    rule('f', { excludes: { minKernel: '5.11' }, includes: null }),
    rule('g', { includes: {}, excludes: { caps: null } }),
  ]
  expect(resolved(rules)).toEqual(['b', 'c', 'd', 'e', 'f', 'g'])
  expect(resolved(rules, { capabilities: ['CAP_BPF'] })).toEqual(['c', 'd', 'e', 'f', 'g'])
  expect(resolved(rules, { capabilities: ['CAP_SYS_ADMIN', 'CAP_BPF'] })).toEqual(['a', 'c', 'd', 'e', 'f', 'g'])
  expect(resolved(rules, { arch: 's390x' })).toEqual(['b', 'e', 'f', 'g'])
  expect(resolved(rules, { kernel: '4.4.0-210-generic' })).toEqual(['b', 'c', 'd', 'f', 'g'])
  expect(resolved(rules, { kernel: '6.1.0-28-amd64' })).toEqual(['b', 'c', 'd', 'e', 'g'])
  expect(resolved([rule('a', { includes: { arches: ['arm64'] } })], { arch: 'aarch64' })).toEqual(['a'])
})

test('SC-17 an engine’s profile: architectures by the native one, and names of two generations', () => {
  const file: EngineProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
    ],
    syscalls: [{ name: 'read', action: 'SCMP_ACT_ALLOW', comment: 'why', args: [] }],
  }
  expect(resolveProfile(file, { arch: 'x86_64' })).toEqual({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [] }],
  })
  expect(resolveProfile(file, { arch: 'riscv64' }).architectures).toEqual(['SCMP_ARCH_RISCV64'])
  expect(resolveProfile(file, { arch: 'aarch64' })).not.toHaveProperty('architectures')
  const named = { ...file, archMap: [], architectures: ['SCMP_ARCH_X86'] } as EngineProfile
  expect(resolveProfile(named, { arch: 'x86_64' }).architectures).toEqual(['SCMP_ARCH_X86'])
  expect(() => resolveProfile({ ...named, archMap: file.archMap }, { arch: 'x86_64' })).toThrow(
    /^seccomp\.archMap: cannot/,
  )
  const both = { ...file, syscalls: [{ name: 'a', names: ['b'], action: 'SCMP_ACT_ALLOW' } as EngineRule] }
  expect(() => resolveProfile(both, { arch: 'x86_64', field: 'file' })).toThrow(/^file\.syscalls\[0\]\.name: cannot/)
  expect(() => resolveProfile(null as never)).toThrow(/^seccomp: must be an object/)
})

test('SC-17 SC-18 what docker hands to a runtime is far below 4,096 instructions, and short for each call', () => {
  const bundle = readFileSync(join(import.meta.dirname, '../../../test/bundles/docker.json'), 'utf8')
  const shipped = JSON.parse(bundle).linux.seccomp as Profile
  const explained = explain(shipped, { arch: 'x86_64' })
  expect(explained.instructions).toBeLessThan(1000)
  expect(explained.longestPath).toBeLessThan(40)
  expect(explained.architectures.map(({ arch }) => arch)).toEqual(['x86_64', 'x86', 'x32'])
  expect(evaluate(shipped, 'x86_64', 'mount')).toEqual({ action: 'SCMP_ACT_ERRNO', data: 1 })
})

const INSTALLED = '/usr/share/containers/seccomp.json'
test(
  'SC-17 the profile file that this machine’s engines have compiles for containers of any capability',
  requires(`file:${INSTALLED}`),
  () => {
    const file = JSON.parse(readFileSync(INSTALLED, 'utf8')) as EngineProfile
    const of = (capabilities: string[]) => resolveProfile(file, { arch: 'x86_64', capabilities })
    expect(explain(of([]), { arch: 'x86_64' }).instructions).toBeLessThan(2000)
    const verdict = (capabilities: string[], name: string): string => evaluate(of(capabilities), 'x86_64', name).action
    expect([verdict([], 'bpf'), verdict(['CAP_SYS_ADMIN', 'CAP_BPF'], 'bpf')]).toEqual([
      'SCMP_ACT_ERRNO',
      'SCMP_ACT_ALLOW',
    ])
    expect(syscallNumber('x86_64', 'bpf')).toBe(321)
  },
)
