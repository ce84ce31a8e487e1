import { ConfigInvalid } from '@libcontainer/sys'
import { type Verdict, verdictOf } from './actions.js'
import { type Arch, architectureOf } from './architectures.js'
import { MAX_INSTRUCTIONS } from './compile.js'
import { toUnsigned64 } from './evaluate.js'
import { INSTRUCTION } from './program.js'

/** One `struct sock_filter`. */
export interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** What the kernel tells a filter about a system call: `struct seccomp_data`. */
export interface SeccompData {
  /** The architecture, or its `AUDIT_ARCH_*`. */
  arch: Arch | number
  /** The number of the call, with x32's bit where it is x32's. */
  nr: number
  args?: readonly (number | bigint)[] | undefined
  instructionPointer?: number | bigint | undefined
}

/** A filter as instructions, of either byte order. */
export function instructions(filter: Uint8Array, field = 'filter'): Instruction[] {
  const count = filter.length / INSTRUCTION
  if (!Number.isInteger(count) || count < 1 || count > MAX_INSTRUCTIONS) {
    throw new ConfigInvalid(field, filter.length, `must be 1 to ${MAX_INSTRUCTIONS} instructions of 8 bytes`)
  }
  const littleEndian = isLittleEndian(filter)
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength)
  return Array.from({ length: count }, (_, i) => {
    const at = i * INSTRUCTION
    return {
      code: view.getUint16(at, littleEndian),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, littleEndian),
    }
  })
}

/** A code is below 256, so the byte that is not 0 is its lower one. */
export function isLittleEndian(filter: Uint8Array): boolean {
  for (let at = 0; at < filter.length; at += INSTRUCTION) {
    if (filter[at] !== filter[at + 1]) return filter[at] !== 0
  }
  return true
}

/**
 * Runs a filter as the kernel would, on one system call.
 *
 * @throws {ConfigInvalid} for a filter that the kernel would not load
 */
export function simulate(filter: Uint8Array, data: SeccompData): Verdict {
  return verdictOf(run(instructions(filter), dataWords(data, isLittleEndian(filter))))
}

/** `struct seccomp_data` as the sixteen words that a filter can load. */
export function dataWords(data: SeccompData, littleEndian: boolean): Uint32Array {
  const words = new Uint32Array(16)
  words[0] = data.nr
  words[1] = typeof data.arch === 'number' ? data.arch : architectureOf(data.arch).audit
  const numbers = [data.instructionPointer ?? 0, ...(data.args ?? []).slice(0, 6)]
  numbers.forEach((number, i) => {
    const value = toUnsigned64(number)
    const low = Number(value & 0xffffffffn)
    const high = Number(value >> 32n)
    words[2 + i * 2] = littleEndian ? low : high
    words[3 + i * 2] = littleEndian ? high : low
  })
  return words
}

/** All of classic BPF that seccomp allows: kernel/seccomp.c, seccomp_check_filter. */
export function run(program: readonly Instruction[], data: Uint32Array): number {
  const memory = new Uint32Array(16)
  let a = 0
  let x = 0
  for (let at = 0; ; at++) {
    const instruction = program[at]
    if (instruction === undefined) throw new ConfigInvalid('filter', at, 'must end with a return')
    const { code, jt, jf, k } = instruction
    const source = code & 0x08 ? x : k
    switch (code & 0x07) {
      case 0x00:
        a = loaded(code, k, data, memory, at)
        break
      case 0x01:
        x = code === 0x81 ? 64 : loaded(code, k, data, memory, at)
        break
      case 0x02:
        memory[k & 15] = a
        break
      case 0x03:
        memory[k & 15] = x
        break
      case 0x04: {
        const result = alu(code, a, source, at)
        // A division by zero ends the filter with 0, which kills the thread.
        if (result === undefined) return 0
        a = result
        break
      }
      case 0x05:
        if (code === 0x05) at += k
        else at += jumps(code, a, source, at) ? jt : jf
        break
      case 0x06:
        return code === 0x16 ? a : k
      default:
        if (code === 0x07) x = a
        else if (code === 0x87) a = x
        else unknown(code, at)
    }
  }
}

function loaded(code: number, k: number, data: Uint32Array, memory: Uint32Array, at: number): number {
  switch (code & 0xf8) {
    case 0x00:
      return k
    case 0x20:
      if (k & 3 || k >= 64) throw new ConfigInvalid(`filter[${at}]`, k, 'must load a word of struct seccomp_data')
      return data[k / 4]!
    case 0x60:
      return memory[k & 15]!
    case 0x80:
      return 64
    default:
      return unknown(code, at)
  }
}

function alu(code: number, a: number, b: number, at: number): number | undefined {
  switch (code & 0xf0) {
    case 0x00:
      return (a + b) >>> 0
    case 0x10:
      return (a - b) >>> 0
    case 0x20:
      return Math.imul(a, b) >>> 0
    case 0x30:
      return b === 0 ? undefined : Math.floor(a / b)
    case 0x40:
      return (a | b) >>> 0
    case 0x50:
      return (a & b) >>> 0
    case 0x60:
      return (a << (b & 31)) >>> 0
    case 0x70:
      return a >>> (b & 31)
    case 0x80:
      return -a >>> 0
    case 0xa0:
      return (a ^ b) >>> 0
    default:
      return unknown(code, at)
  }
}

function jumps(code: number, a: number, b: number, at: number): boolean {
  switch (code & 0xf0) {
    case 0x10:
      return a === b
    case 0x20:
      return a > b
    case 0x30:
      return a >= b
    case 0x40:
      return (a & b) !== 0
    default:
      return unknown(code, at)
  }
}

function unknown(code: number, at: number): never {
  throw new ConfigInvalid(`filter[${at}]`, code, 'is no instruction that seccomp allows')
}
