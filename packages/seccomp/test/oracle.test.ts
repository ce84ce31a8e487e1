import {
  type Arch,
  architectures,
  compile,
  defaultProfile,
  evaluate,
  nsinitProfile,
  type Profile,
  simulate,
  syscallNumber,
  verdictOf,
} from '@libcontainer/seccomp'
import { afterAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { ACTIONS } from '../src/actions.js'
import { architectureOf } from '../src/architectures.js'
import { Meaning } from '../src/evaluate.js'
import { dataWords, type Instruction, instructions, run } from '../src/simulate.js'
import { syscallTable } from '../src/syscalls.js'
import { parseProfile } from '../src/validate.js'
import { highestNamed, Oracle } from './oracle.js'
import { generatedProfile, Random, sampledArguments } from './profiles.js'

const needs = requires('program:gcc', 'header:seccomp.h')

/** What libseccomp 2.5 knows. Its other half, LOONGARCH64, M68K and SH, came with 2.6. */
const KNOWN: readonly Arch[] = architectures.filter(arch => !['loongarch64', 'm68k', 'sh', 'sheb'].includes(arch))

/** Architectures whose programs one kernel runs: what profiles name together. libseccomp mixes no byte orders. */
const FAMILIES: readonly (readonly Arch[])[] = [
  ['x86_64', 'x86', 'x32'],
  ['x86_64'],
  ['x86_64', 'x86'],
  ['aarch64', 'arm'],
  ['s390x', 's390'],
  ['mips64', 'mips', 'mips64n32'],
  ['mipsel64', 'mipsel', 'mipsel64n32'],
  ['ppc64le'],
  ['ppc64', 'ppc'],
  ['riscv64'],
  ['parisc64', 'parisc'],
]

describe('libseccomp as the oracle', needs, () => {
  let opened: Oracle | undefined
  const oracle = (): Oracle => {
    opened ??= new Oracle()
    return opened
  }
  afterAll(() => opened?.close())

  test('SC-16 every system call has the number that libseccomp gives it', () => {
    const names = [...new Set(architectures.flatMap(arch => syscallTable(arch).names))]
    let compared = 0
    for (const arch of KNOWN) {
      const theirs = oracle().resolve(arch, names)
      names.forEach((name, i) => {
        // Below zero: a call that it does not know, or one that it writes as part of socketcall or ipc.
        if (theirs[i]! < 0) return
        expect(syscallNumber(arch, name), `${arch} ${name}`).toBe(theirs[i])
        compared++
      })
    }
    expect(compared).toBeGreaterThan(6000)
  })

  /** The calls that libseccomp knows on each architecture that has them. */
  function knownEverywhere(): Set<string> {
    const names = [...new Set(KNOWN.flatMap(arch => syscallTable(arch).names))]
    const known = new Set(names)
    for (const arch of KNOWN) {
      const theirs = oracle().resolve(arch, names)
      // Its own numbers for socketcall's and ipc's calls are above -1000; a call of other architectures is below.
      names.forEach((name, i) => {
        if (syscallNumber(arch, name) !== undefined && (theirs[i] === -1 || theirs[i]! < -1000)) known.delete(name)
      })
    }
    return known
  }

  /** Compares the two filters and the reference for every number, and for calls with conditions with many arguments. */
  function compare(
    profile: Profile,
    archs: readonly Arch[],
    theirProgram: readonly Instruction[],
    random: Random,
  ): number {
    const native = archs[0]!
    const parsed = parseProfile(profile)
    const meaning = new Meaning(parsed, native)
    const ourProgram = instructions(compile(profile, { arch: native }).filter)
    const { littleEndian } = architectureOf(native)
    const conditional = new Set((profile.syscalls ?? []).filter(rule => rule.args?.length).flatMap(rule => rule.names))
    conditional.add('socketcall').add('ipc')
    const answer = (program: readonly Instruction[], arch: Arch, nr: number, args: bigint[]): number =>
      run(program, dataWords({ arch, nr, args }, littleEndian)) >>> 0
    let compared = 0
    for (const arch of archs) {
      const { base, split = Number.POSITIVE_INFINITY } = architectureOf(arch)
      const { names, numbers } = syscallTable(arch)
      const byNumber = new Map(numbers.map((number, i) => [number, names[i]!]))
      const family = (number: number): [number, number] =>
        number < split ? [base, split] : [split, Number.POSITIVE_INFINITY]
      const last = numbers[numbers.length - 1]!
      const asked = [...numbers, last + 1, last + 100]
      for (let number = base; number < base + 520; number++) asked.push(number)
      for (const nr of new Set([...asked, 0xffffffff])) {
        const name = byNumber.get(nr)
        const samples =
          name !== undefined && conditional.has(name)
            ? [...sampledArguments(random, profile, 30), ...Array.from({ length: 26 }, (_, call) => [BigInt(call)])]
            : [[]]
        for (const args of samples) {
          const ours = answer(ourProgram, arch, nr, args)
          const libseccomp = answer(theirProgram, arch, nr, args)
          // The reference is slow, being simple: it is asked where the filters differ, and now and then.
          const asked = ours !== libseccomp || compared % 5 === 0
          const reference = asked ? meaning.of(arch, nr, args) >>> 0 : ours
          compared++
          if (ours === reference && ours === libseccomp) continue
          const context = `${arch} ${name ?? nr}(${args})`
          expect(verdictOf(ours), `${context}: the filter and its meaning`).toEqual(verdictOf(reference))
          // The ENOSYS tail, which libseccomp does not have: only above all that the profile names, or for s390's 0.
          const newer = nr > highestNamed(profile, arch, ...family(nr)) || (nr === 0 && /^s390/.test(arch))
          expect({ newer, ours, libseccomp }, context).toEqual({
            newer: true,
            ours: ACTIONS.SCMP_ACT_ERRNO + 38,
            libseccomp: parsed.defaultValue,
          })
        }
      }
    }
    return compared
  }

  test('SC-03 to SC-07, SC-14: 90 generated profiles have the verdicts that libseccomp gives', {
    timeout: 120_000,
  }, () => {
    const known = knownEverywhere()
    const profiles = Array.from({ length: 90 }, (_, seed) => {
      const archs = FAMILIES[seed % FAMILIES.length]!
      return { archs, profile: generatedProfile(seed + 1, archs, known), seed }
    })
    const answers = oracle().compile(profiles)
    let accepted = 0
    let compared = 0
    profiles.forEach(({ profile, archs, seed }, i) => {
      const { program, accepted: whole } = answers[i]!
      // It refuses rules that differ in nothing but the action; the rest of such a profile is not what we compile.
      if (!whole) return
      accepted++
      compared += compare(profile, archs, program, new Random(seed))
    })
    expect(accepted).toBeGreaterThanOrEqual(60)
    expect(compared).toBeGreaterThan(100_000)
  })

  test.each(['x86_64', 'aarch64', 's390x', 'mips64', 'riscv64', 'ppc64le'] as const)(
    'SC-17 the default profile for %s has the verdicts that libseccomp gives',
    { timeout: 60_000 },
    arch => {
      const bare = defaultProfile({ arch })
      const admin = defaultProfile({ arch, capabilities: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME', 'CAP_SYS_PTRACE'] })
      for (const profile of [bare, admin, nsinitProfile('high', arch), nsinitProfile('low', arch)]) {
        const { architectures: archs } = parseProfile(profile)
        const known = withoutNewer(profile)
        const [answer] = oracle().compile([{ profile: known, archs }])
        expect(answer!.accepted).toBe(true)
        expect(compare(known, archs, answer!.program, new Random(1))).toBeGreaterThan(500)
      }
    },
  )

  /** A profile without the calls that this libseccomp is too old for. */
  function withoutNewer(profile: Profile): Profile {
    const all = [...new Set((profile.syscalls ?? []).flatMap(rule => rule.names))]
    const numbers = oracle().resolve('x86_64', all)
    const known = new Set(all.filter((_, i) => numbers[i] !== -1))
    const syscalls = profile.syscalls!.map(rule => ({ ...rule, names: rule.names.filter(name => known.has(name)) }))
    return { ...profile, syscalls: syscalls.filter(rule => rule.names.length > 0) }
  }

  test('SC-05 where libseccomp contradicts its own rules we follow the rules', () => {
    // Neither rule matches 0xffffffff: it is more than 5, and not more than 0x200000001.
    const profile: Profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        { names: ['kill'], action: 'SCMP_ACT_ERRNO', args: [{ index: 2, op: 'SCMP_CMP_LE', value: 5 }] },
        { names: ['kill'], action: 'SCMP_ACT_ERRNO', args: [{ index: 2, op: 'SCMP_CMP_GT', value: 0x2_0000_0001 }] },
      ],
    }
    const args = [0, 0, 0xffffffff]
    const { filter } = compile(profile, { arch: 'x86_64' })
    expect(simulate(filter, { arch: 'x86_64', nr: 62, args })).toEqual({ action: 'SCMP_ACT_ALLOW' })
    expect(evaluate(profile, 'x86_64', 'kill', args)).toEqual({ action: 'SCMP_ACT_ALLOW' })
    for (const [arg, action] of [
      [5, 'SCMP_ACT_ERRNO'],
      [6, 'SCMP_ACT_ALLOW'],
      [0x2_0000_0001, 'SCMP_ACT_ALLOW'],
      [0x2_0000_0002, 'SCMP_ACT_ERRNO'],
    ] as const) {
      expect(simulate(filter, { arch: 'x86_64', nr: 62, args: [0, 0, arg] })).toMatchObject({ action })
    }
  })
})
