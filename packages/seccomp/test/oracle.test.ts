import {
  type Arch,
  architectures,
  compile,
  defaultProfile,
  evaluate,
  nsinitProfile,
  type Profile,
  simulate,
  syscallName,
  syscallNumber,
  verdictOf,
} from '@libcontainer/seccomp'
import { afterAll, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { ACTIONS } from '../src/actions.js'
import { architectureOf } from '../src/architectures.js'
import { Meaning } from '../src/evaluate.js'
import { type Instruction, instructions } from '../src/simulate.js'
import { syscallTable } from '../src/syscalls.js'
import { type ParsedProfile, parseProfile } from '../src/validate.js'
import { highestNamed, type Job, Oracle, WORDS } from './oracle.js'
import { generatedProfile, nearValues, Random } from './profiles.js'

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

interface Asked {
  readonly profile: Profile
  /** The first is the kernel's own. */
  readonly archs: readonly Arch[]
  /** What libseccomp made of it. */
  readonly theirs: readonly Instruction[]
  readonly seed: number
}

/** One call, by the places of its arguments among the values. */
interface Question {
  readonly arch: Arch
  readonly nr: number
  readonly args: readonly number[]
}

/** Whether any single rule says this of a call. */
function saysSomewhere(profile: ParsedProfile, answer: number, { native, arch, nr, args }: Call): boolean {
  return profile.rules.some(
    rule =>
      rule.value === answer && new Meaning({ ...profile, rules: [rule] }, native).of(arch, nr, args) >>> 0 === answer,
  )
}

interface Call {
  readonly native: Arch
  readonly arch: Arch
  readonly nr: number
  readonly args: readonly bigint[]
}

const ENOSYS = ACTIONS.SCMP_ACT_ERRNO + 38

/** What two filters of one profile are asked, as a job for the oracle, and whether they agree. */
class Questions implements Job {
  readonly filters: readonly (readonly Instruction[])[]
  readonly calls: Uint32Array
  readonly #asked: Asked
  readonly #values: readonly bigint[]
  readonly #questions: Question[] = []
  /** Answers of libseccomp's that no rule of the profile gives: where several rules on one call share values, 2.5 goes wrong. */
  contradictions = 0

  constructor(asked: Asked) {
    const { profile, archs, theirs } = asked
    this.#asked = asked
    this.filters = [instructions(compile(profile, { arch: archs[0]! }).filter), theirs]
    this.#values = [0n, ...nearValues(profile), ...Array.from({ length: 26 }, (_, call) => BigInt(call))]
    for (const arch of archs) this.#askAbout(arch)
    this.calls = this.#words()
  }

  #askAbout(arch: Arch): void {
    const { profile, seed } = this.#asked
    const random = new Random(seed)
    const conditional = new Set((profile.syscalls ?? []).filter(rule => rule.args?.length).flatMap(rule => rule.names))
    const { base } = architectureOf(arch)
    const { names, numbers } = syscallTable(arch)
    const byNumber = new Map(numbers.map((number, i) => [number, names[i]!]))
    const last = numbers[numbers.length - 1]!
    const around = Array.from({ length: 520 }, (_, i) => base + i)
    for (const nr of new Set([...numbers, last + 1, last + 100, ...around, 0xffffffff])) {
      const name = byNumber.get(nr) ?? ''
      const carrier = name === 'socketcall' || name === 'ipc'
      if (!carrier && !conditional.has(name)) {
        this.#questions.push({ arch, nr, args: [] })
        continue
      }
      const pick = (): number => random.below(this.#values.length)
      for (let i = 0; i < 30; i++)
        this.#questions.push({ arch, nr, args: [pick(), pick(), pick(), pick(), pick(), pick()] })
      // What they carry: the last of the values.
      for (let i = 26; i > 0; i--) this.#questions.push({ arch, nr, args: [this.#values.length - i] })
    }
  }

  #words(): Uint32Array {
    const { littleEndian } = architectureOf(this.#asked.archs[0]!)
    const low = this.#values.map(value => Number(value & 0xffffffffn))
    const high = this.#values.map(value => Number(value >> 32n))
    const words = new Uint32Array(this.#questions.length * WORDS)
    this.#questions.forEach(({ arch, nr, args }, i) => {
      const at = i * WORDS
      words[at] = nr
      words[at + 1] = architectureOf(arch).audit
      for (let n = 0; n < args.length; n++) {
        words[at + 4 + n * 2] = (littleEndian ? low : high)[args[n]!]!
        words[at + 5 + n * 2] = (littleEndian ? high : low)[args[n]!]!
      }
    })
    return words
  }

  /** How many calls were compared. */
  check(answers: Uint32Array): number {
    const { profile, archs } = this.#asked
    const parsed = parseProfile(profile)
    const { defaultValue } = parsed
    const meaning = new Meaning(parsed, archs[0]!)
    this.#questions.forEach(({ arch, nr, args: places }, i) => {
      const [ours, libseccomp] = [answers[i * 2]!, answers[i * 2 + 1]!]
      // What the profile means is found out simply and slowly: where the filters differ, and now and then.
      if (ours === libseccomp && i % 13 !== 0) return
      const args = places.map(place => this.#values[place]!)
      const reference = meaning.of(arch, nr, args) >>> 0
      if (ours === reference && ours === libseccomp) return
      const context = `${arch} ${syscallName(arch, nr) ?? nr}(${args})`
      expect(verdictOf(ours), `${context}: the filter and its meaning`).toEqual(verdictOf(reference))
      if (libseccomp !== defaultValue && !saysSomewhere(parsed, libseccomp, { native: archs[0]!, arch, nr, args })) {
        this.contradictions++
        return
      }
      // The ENOSYS tail, which libseccomp does not have: only above all that the profile names, or for s390's 0.
      const { base, split = Number.POSITIVE_INFINITY } = architectureOf(arch)
      const family = nr < split ? [base, split] : [split, Number.POSITIVE_INFINITY]
      const newer = nr > highestNamed(profile, arch, family[0]!, family[1]!) || (nr === 0 && /^s390/.test(arch))
      expect({ newer, ours, libseccomp }, context).toEqual({ newer: true, ours: ENOSYS, libseccomp: defaultValue })
    })
    return this.#questions.length
  }
}

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

  /** Compares ours and libseccomp's, for every number, and for calls with conditions with many arguments; and ours with what the profile means. */
  function compare(asked: readonly Asked[]): number {
    const questions = asked.map(one => new Questions(one))
    const answers = oracle().run(questions)
    let compared = 0
    questions.forEach((question, i) => {
      compared += question.check(answers[i]!)
    })
    const contradictions = questions.reduce((sum, question) => sum + question.contradictions, 0)
    expect(contradictions, 'answers of libseccomp’s that contradict its rules').toBeLessThanOrEqual(compared / 2000)
    return compared
  }

  test('SC-03 to SC-07, SC-14: 200 generated profiles have the verdicts that libseccomp gives', {
    timeout: 120_000,
  }, () => {
    const known = knownEverywhere()
    const profiles = Array.from({ length: 320 }, (_, seed) => {
      const archs = FAMILIES[seed % FAMILIES.length]!
      return { archs, profile: generatedProfile(seed + 1, archs, known), seed }
    })
    const answers = oracle().compile(profiles)
    // It refuses rules that differ in nothing but the action; the rest of such a profile is not what we compile.
    const accepted = profiles.flatMap((each, i) =>
      answers[i]!.accepted ? [{ ...each, theirs: answers[i]!.program }] : [],
    )
    expect(accepted.length).toBeGreaterThanOrEqual(200)
    expect(compare(accepted.slice(0, 200))).toBeGreaterThan(200_000)
  })

  test.each(['x86_64', 'aarch64', 's390x', 'mips64', 'riscv64', 'ppc64le'] as const)(
    'SC-17 the default profile for %s has the verdicts that libseccomp gives',
    { timeout: 60_000 },
    arch => {
      const bare = defaultProfile({ arch })
      const admin = defaultProfile({ arch, capabilities: ['CAP_SYS_ADMIN', 'CAP_SYS_TIME', 'CAP_SYS_PTRACE'] })
      const profiles = [bare, admin, nsinitProfile('high', arch), nsinitProfile('low', arch)].map((profile, seed) => {
        return { profile: withoutNewer(profile), archs: parseProfile(profile).architectures, seed }
      })
      const answers = oracle().compile(profiles)
      expect(answers.map(({ accepted }) => accepted)).toEqual(profiles.map(() => true))
      const compared = compare(profiles.map((each, i) => ({ ...each, theirs: answers[i]!.program })))
      expect(compared).toBeGreaterThan(2000)
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
