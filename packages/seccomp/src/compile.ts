import { ConfigInvalid } from '@libcontainer/sys'
import { ACTIONS } from './actions.js'
import { type Arch, architectureOf, X32_BIT } from './architectures.js'
import { type Decision, decide, type Test } from './decisions.js'
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
  const program = new Program()
  writeArchitectures(program, parsed, [...new Set([arch, ...parsed.architectures])])
  if (program.length > MAX_INSTRUCTIONS) {
    const problem = `compiles to more than the ${MAX_INSTRUCTIONS} instructions that the kernel takes; use fewer conditions or architectures`
    throw new ConfigInvalid(`${options.field ?? 'seccomp'}.syscalls`, program.length, problem)
  }
  return { filter: program.encode(littleEndian), flags: parsed.flags, notify: parsed.notify }
}

/** The sections of all architectures, and in front of them the choice. The first one is asked for first. */
function writeArchitectures(program: Program, profile: ParsedProfile, archs: readonly Arch[]): void {
  const killed = ACTIONS.SCMP_ACT_KILL_THREAD
  const audits = [...new Set(archs.map(arch => architectureOf(arch).audit))]
  const sections = audits.reverse().map(audit => {
    const members = archs.filter(arch => architectureOf(arch).audit === audit)
    return { audit, label: writeSection(program, profile, members) }
  })
  let next = program.ret(killed)
  for (const { audit, label } of sections) next = program.jump(JEQ, audit, label, next)
  program.load(ARCH)
}

/** The calls of one audit architecture: one table, or the two of x86_64 and x32, which a bit of the number tells apart. */
function writeSection(program: Program, profile: ParsedProfile, archs: readonly Arch[]): number {
  if (archs.includes('x32') || archs.includes('x86_64')) {
    // A number of -1 is what a tracer makes of a call that it cancels, and no call of x32's.
    const foreign = (): number =>
      program.jump(
        JEQ,
        0xffffffff,
        program.ret(archs.includes('x86_64') ? profile.defaultValue : ACTIONS.SCMP_ACT_KILL_THREAD),
        program.ret(ACTIONS.SCMP_ACT_KILL_THREAD),
      )
    const high = archs.includes('x32') ? writeTable(program, profile, 'x32') : foreign()
    const low = archs.includes('x86_64')
      ? writeTable(program, profile, 'x86_64')
      : program.ret(ACTIONS.SCMP_ACT_KILL_THREAD)
    program.jump(JGE, X32_BIT, high, low)
  } else {
    program.before(writeTable(program, profile, archs[0]!))
  }
  return program.load(NR)
}

/** A binary search for the call's number, which is in the accumulator. */
function writeTable(program: Program, profile: ParsedProfile, arch: Arch): number {
  const { starts, outcomes } = outcomesOf(profile, arch)
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
      label = writeChain(program, profile, arch, outcome)
      written.set(outcome, label)
    }
    return label
  }
  return search(0, starts.length)
}

/** The tests of a system call's arguments, which begin with a load of their own. */
function writeChain(program: Program, { defaultValue }: ParsedProfile, arch: Arch, { rules }: Chain): number {
  const { wide, littleEndian } = architectureOf(arch)
  const root = decide(rules, defaultValue, wide)
  if (typeof root === 'number') return program.ret(root)
  const loads = loadedTests(root)
  const written = new Map<Test, { label: number; loaded: number }>()

  const write = (decision: Decision, from: Test | undefined): number => {
    if (typeof decision === 'number') return program.ret(decision)
    let entry = written.get(decision)
    if (entry === undefined) {
      const { word, mask, code, k, yes, no } = decision
      const whenFalse = write(no, decision)
      let loaded = program.jump(code, k, write(yes, decision), whenFalse)
      if (mask !== 0xffffffff) loaded = program.and(mask)
      // The upper half of an argument is the second word of its eight bytes, or the first.
      const second = (word & 1) === (littleEndian ? 1 : 0)
      const label = loads.has(decision) ? program.load(ARGS + (word >> 1) * 8 + (second ? 4 : 0)) : loaded
      entry = { label, loaded }
      written.set(decision, entry)
    }
    return from !== undefined && leavesWord(from, decision.word) ? entry.loaded : entry.label
  }
  return write(root, undefined)
}

/** The tests that some way reaches without their word in the accumulator. */
function loadedTests(root: Test): Set<Test> {
  const loads = new Set([root])
  const seen = new Set<Test>()
  const visit = (test: Test): void => {
    if (seen.has(test)) return
    seen.add(test)
    for (const next of [test.yes, test.no]) {
      if (typeof next === 'number') continue
      if (!leavesWord(test, next.word)) loads.add(next)
      visit(next)
    }
  }
  visit(root)
  return loads
}

/** Whether a test leaves `word` in the accumulator as it was. */
function leavesWord(test: Test, word: number): boolean {
  return test.word === word && test.mask === 0xffffffff
}
