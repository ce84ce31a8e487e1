import { ConfigInvalid } from '@libcontainer/sys'
import { ACTIONS } from './actions.js'
import { type Arch, architectureOf, X32_BIT } from './architectures.js'
import { type Decision, type DecisionGraph, decide, type Test } from './decisions.js'
import type { Profile } from './profile.js'
import { JEQ, JGE, Program } from './program.js'
import { type Chain, type Outcome, outcomesOf } from './rules.js'
import { type ParsedProfile, type ParseOptions, parseProfile } from './validate.js'

/** `BPF_MAXINSNS`: the kernel takes no longer filter. */
export const MAX_INSTRUCTIONS = 4096

/* Offsets in `struct seccomp_data`: linux/seccomp.h. */
const NR = 0
const ARCH = 4
const ARGS = 16

/** What happens to a call of an architecture that the profile does not name. */
const KILLED = ACTIONS.SCMP_ACT_KILL_THREAD

export interface CompileOptions extends ParseOptions {
  /** The architecture of the kernel that will run the filter, whose calls are always looked at. */
  arch: Arch
}

export interface CompiledFilter {
  /** An array of `struct sock_filter`, in the byte order of the architecture that it was compiled for. */
  readonly filter: Uint8Array<ArrayBuffer>
  /** For seccomp(2): what the profile asks for, and a listener where a rule notifies. */
  readonly flags: number
  /** Whether a rule notifies: loading then answers a descriptor. */
  readonly notify: boolean
}

/**
 * Compiles a profile to a filter for the kernel. Pure, and the same bytes for the same profile.
 *
 * @throws {ConfigInvalid} for a profile that is wrong, with the path of the field, or that needs more than
 *   4096 instructions
 * @see seccomp(2)
 */
export function compile(profile: Profile, { arch, ...options }: CompileOptions): CompiledFilter {
  const { littleEndian } = architectureOf(arch)
  const parsed = parseProfile(profile, options)
  const archs = [...new Set([arch, ...parsed.architectures])]
  let program = writeProgram(parsed, archs, false)
  if (program.length > MAX_INSTRUCTIONS) {
    const thrifty = writeProgram(parsed, archs, true)
    if (thrifty.length < program.length) program = thrifty
  }
  if (program.length > MAX_INSTRUCTIONS) {
    const problem = `compiles to more than the ${MAX_INSTRUCTIONS} instructions that the kernel takes; use fewer conditions or architectures`
    throw new ConfigInvalid(`${options.field ?? 'seccomp'}.syscalls`, program.length, problem)
  }
  return { filter: program.encode(littleEndian), flags: parsed.flags, notify: parsed.notify }
}

/** The sections of all architectures, and in front of them the choice. The first one is asked for first. */
function writeProgram(profile: ParsedProfile, archs: readonly Arch[], thrifty: boolean): Program {
  const program = new Program()
  const audits = [...new Set(archs.map(arch => architectureOf(arch).audit))]
  const sections = audits.reverse().map(audit => {
    const members = archs.filter(arch => architectureOf(arch).audit === audit)
    return { audit, label: writeSection(program, profile, members, thrifty) }
  })
  let next = program.ret(KILLED)
  for (const { audit, label } of sections) next = program.jump(JEQ, audit, label, next)
  program.load(ARCH)
  return program
}

/** The calls of one audit architecture: one table, or the two of x86_64 and x32, which a bit of the number tells apart. */
function writeSection(program: Program, profile: ParsedProfile, archs: readonly Arch[], thrifty: boolean): number {
  const table = (arch: Arch): number => writeTable(program, profile, arch, thrifty)
  if (archs.includes('x32')) {
    const high = table('x32')
    program.jump(JGE, X32_BIT, high, archs.includes('x86_64') ? table('x86_64') : program.ret(KILLED))
  } else if (archs.includes('x86_64')) {
    // A number of -1 is what a tracer makes of a call that it cancels, and no call of x32's.
    const high = program.jump(JEQ, 0xffffffff, program.ret(profile.defaultValue), program.ret(KILLED))
    program.jump(JGE, X32_BIT, high, table('x86_64'))
  } else {
    program.before(table(archs[0]!))
  }
  return program.load(NR)
}

/** A binary search for the call's number, which is in the accumulator. */
function writeTable(program: Program, profile: ParsedProfile, arch: Arch, thrifty: boolean): number {
  const { starts, outcomes } = outcomesOf(profile, arch)
  const { wide, littleEndian } = architectureOf(arch)
  const written = new Map<Chain, number>()

  const search = (from: number, to: number): number => {
    if (to - from === 1) return leaf(outcomes[from]!)
    const middle = (from + to) >> 1
    const above = search(middle, to)
    const below = search(from, middle)
    return program.jump(JGE, starts[middle]!, above, below)
  }
  const leaf = (outcome: Outcome): number => {
    if (typeof outcome === 'number') return program.ret(outcome)
    let label = written.get(outcome)
    if (label === undefined) {
      label = writeTests(program, decide(outcome.rules, profile.defaultValue, wide, thrifty), littleEndian)
      written.set(outcome, label)
    }
    return label
  }
  return search(0, starts.length)
}

/** The tests of a system call's arguments, which begin with a load of their own. */
function writeTests(program: Program, { root, tests }: DecisionGraph, littleEndian: boolean): number {
  if (typeof root === 'number') return program.ret(root)
  const { wanted, loads } = reachedTests(root, tests)
  const written = new Map<Test, { label: number; loaded: number }>()
  const target = (decision: Decision, from: Test): number => {
    if (typeof decision === 'number') return program.ret(decision)
    const { label, loaded } = written.get(decision)!
    return leavesWord(from, decision.word) ? loaded : label
  }
  for (const test of tests) {
    if (!wanted.has(test)) continue
    const whenFalse = target(test.no, test)
    let loaded = program.jump(test.code, test.k, target(test.yes, test), whenFalse)
    if (test.mask !== 0xffffffff) loaded = program.and(test.mask)
    // The upper half of an argument is the second word of its eight bytes, or the first.
    const second = (test.word & 1) === (littleEndian ? 1 : 0)
    const offset = ARGS + (test.word >> 1) * 8 + (second ? 4 : 0)
    written.set(test, { label: loads.has(test) ? program.load(offset) : loaded, loaded })
  }
  return written.get(root)!.label
}

/** The tests that some way from the root leads to, and those that one leads to without their word in the accumulator. */
function reachedTests(root: Test, tests: readonly Test[]): { wanted: Set<Test>; loads: Set<Test> } {
  const wanted = new Set([root])
  const loads = new Set([root])
  for (let id = root.id; id >= 0; id--) {
    const test = tests[id]!
    if (!wanted.has(test)) continue
    for (const next of [test.yes, test.no]) {
      if (typeof next === 'number') continue
      wanted.add(next)
      if (!leavesWord(test, next.word)) loads.add(next)
    }
  }
  return { wanted, loads }
}

/** Whether a test leaves `word` in the accumulator as it was. */
function leavesWord(test: Test, word: number): boolean {
  return test.word === word && test.mask === 0xffffffff
}
