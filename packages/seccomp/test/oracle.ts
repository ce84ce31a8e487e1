import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Arch, Profile } from '@libcontainer/seccomp'
import { syscallNumber } from '@libcontainer/seccomp'
import { ACTIONS, type Action, type Operator } from '../src/actions.js'
import { type Instruction, instructions } from '../src/simulate.js'
import { type ParsedRule, parseProfile } from '../src/validate.js'

/** What libseccomp made of a profile. */
export interface Answer {
  program: Instruction[]
  /** Whether it took every rule. */
  accepted: boolean
}

/** test/oracle.c, built against the machine's libseccomp. */
export class Oracle {
  readonly #dir = mkdtempSync(join(tmpdir(), 'libcontainer-seccomp-'))
  readonly #program = join(this.#dir, 'oracle')

  constructor() {
    const source = join(import.meta.dirname, 'oracle.c')
    execFileSync('gcc', ['-Wall', '-Wextra', '-O1', '-o', this.#program, source, '-lseccomp'])
  }

  close(): void {
    rmSync(this.#dir, { recursive: true })
  }

  /** The filters that libseccomp exports; the machine's own architecture is x86_64. */
  compile(profiles: readonly { profile: Profile; archs: readonly Arch[] }[]): Answer[] {
    const lines = this.#run(profiles.map(({ profile, archs }) => describe(profile, archs)).join(''))
    return profiles.map(({ profile }, i) => {
      const codes = lines[i * 2]!.split(' ').slice(1).map(Number)
      const filter = Buffer.from(lines[i * 2 + 1]!.slice('bpf '.length), 'hex')
      return { program: repaired(filter, profile), accepted: codes.every(code => code === 0) }
    })
  }

  /** libseccomp's numbers; negative for what it does not know or has no number of its own. */
  resolve(arch: Arch, names: readonly string[]): number[] {
    return this.#run(names.map(name => `resolve ${arch} ${name}\n`).join('')).map(line => Number(line.split(' ')[1]))
  }

  /** What each of the filters answers for each of the calls: a row of answers a call. */
  run(jobs: readonly Job[]): Uint32Array[] {
    const parts = jobs.flatMap(({ filters, calls }) => [
      new Uint32Array([filters.length, calls.length / WORDS]),
      ...filters.flatMap(filter => [new Uint32Array([filter.length * 8]), encoded(filter)]),
      calls,
    ])
    const file = join(this.#dir, 'jobs')
    writeFileSync(file, Buffer.concat(parts.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength))))
    const result = spawnSync(this.#program, ['run', file], { maxBuffer: 1 << 30, timeout: 60_000 })
    if (result.error) throw result.error
    if (result.status !== 0) throw new Error(`running filters: ${result.stderr}`)
    const answers = new Uint32Array(new Uint8Array(result.stdout).buffer)
    let at = 0
    return jobs.map(({ filters, calls }) => {
      const size = (calls.length / WORDS) * filters.length
      at += size
      return answers.subarray(at - size, at)
    })
  }

  #run(input: string): string[] {
    const result = spawnSync(this.#program, { input, encoding: 'utf8', maxBuffer: 1 << 30, timeout: 60_000 })
    if (result.error) throw result.error
    if (result.status !== 0) throw new Error(`libseccomp: ${result.stderr}`)
    return result.stdout.trimEnd().split('\n')
  }
}

/** The words of `struct seccomp_data`. */
export const WORDS = 16

/** Filters, and calls to ask them about: the words that a filter loads, {@link WORDS} a call. */
export interface Job {
  readonly filters: readonly (readonly Instruction[])[]
  readonly calls: Uint32Array
}

/** For the machine that runs it, whatever kernel the filter is for. */
function encoded(filter: readonly Instruction[]): Uint32Array {
  return new Uint32Array(filter.flatMap(({ code, jt, jf, k }) => [code | (jt << 16) | (jf << 24), k]))
}

/** In a filter for the other byte order libseccomp writes some of what is returned in the byte order of the machine. */
function repaired(filter: Uint8Array, profile: Profile): Instruction[] {
  const { defaultValue, rules } = parseProfile(profile)
  const values = new Set([0, defaultValue, ...rules.map(rule => rule.value)])
  const swapped = Buffer.alloc(4)
  return instructions(filter).map(instruction => {
    if (instruction.code !== 0x06 || values.has(instruction.k)) return instruction
    swapped.writeUInt32BE(instruction.k)
    return { ...instruction, k: swapped.readUInt32LE() }
  })
}

/** A profile in the oracle's lines, with its arguments taken apart into rules as runc does before it asks libseccomp. */
function describe(profile: Profile, archs: readonly Arch[]): string {
  const { defaultValue } = parseProfile(profile)
  let text = `default ${defaultValue}\n${archs.map(arch => `arch ${arch}\n`).join('')}`
  for (const rule of profile.syscalls ?? []) {
    const value = ACTIONS[rule.action as Action] + (/ERRNO|TRACE/.test(rule.action) ? (rule.errnoRet ?? 1) : 0)
    if (value === defaultValue) continue
    const args = rule.args ?? []
    const twice = new Set(args.map(arg => arg.index)).size < args.length
    const rules = args.length === 0 ? [[]] : twice ? args.map(arg => [arg]) : [args]
    // libseccomp knows no name for a call that is younger than it.
    for (const name of rule.names) {
      for (const conditions of rules) {
        const words = conditions.map(({ index, op, value, valueTwo = 0 }) => {
          return `${index}:${op.slice('SCMP_CMP_'.length)}:${value}:${valueTwo}`
        })
        text += `rule ${[value, name, ...words].join(' ')}\n`
      }
    }
  }
  return `${text}end\n`
}

/** The highest number that a profile names below `limit`: above it our ENOSYS and libseccomp's default part. */
export function highestNamed(profile: Profile, arch: Arch, from: number, limit: number): number {
  const named = (rule: Pick<ParsedRule, 'names'>): number[] => rule.names.map(name => syscallNumber(arch, name) ?? -1)
  const numbers = (profile.syscalls ?? []).flatMap(named).filter(number => number >= from && number < limit)
  return Math.max(-1, ...numbers)
}

export type { Operator }
