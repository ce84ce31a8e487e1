import { ConfigInvalid } from '@libcontainer/sys'
import { type Instruction, instructions } from './simulate.js'

/** All that the kernel lets a seccomp filter have: kernel/seccomp.c, seccomp_check_filter, as the codes before that rewrites them. */
const CODES = new Set([
  0x20, 0x80, 0x81, 0x06, 0x16, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac,
  0x64, 0x6c, 0x74, 0x7c, 0x84, 0x00, 0x01, 0x07, 0x87, 0x60, 0x61, 0x02, 0x03, 0x05, 0x15, 0x1d, 0x35, 0x3d, 0x25,
  0x2d, 0x45, 0x4d,
])

const SHIFTS = [0x64, 0x74]
const MEMORY_LOADS = [0x60, 0x61]
const MEMORY_STORES = [0x02, 0x03]
const DIVIDE = 0x34
const SECCOMP_DATA = 64

/**
 * Refuses a filter that the kernel would refuse, before anybody tries: of an instruction that it does not allow, a jump past the end, a word that
 * is read before it is written.
 *
 * @throws {ConfigInvalid} that names the instruction
 */
export function checkFilter(filter: Uint8Array, field = 'filter'): void {
  const program = instructions(filter, field)
  for (const [at, instruction] of program.entries()) {
    const problem = problemOf(instruction, at, program.length)
    if (problem !== undefined) throw new ConfigInvalid(`${field}[${at}]`, describe(instruction), problem)
  }
  const last = program.length - 1
  if ((program[last]!.code & 7) !== 6)
    throw new ConfigInvalid(`${field}[${last}]`, describe(program[last]!), 'must be a return: it is the last')
  const unset = readsUnset(program)
  if (unset !== undefined)
    throw new ConfigInvalid(
      `${field}[${unset}]`,
      describe(program[unset]!),
      'reads a word that not every way to it has written',
    )
}

function problemOf({ code, jt, jf, k }: Instruction, at: number, length: number): string | undefined {
  if (!CODES.has(code)) return 'is no instruction that seccomp allows'
  if (code === 0x20 && (k % 4 !== 0 || k >= SECCOMP_DATA)) return 'must load a word of struct seccomp_data'
  if ((MEMORY_LOADS.includes(code) || MEMORY_STORES.includes(code)) && k >= 16) return 'must name one of 16 words'
  if (code === DIVIDE && k === 0) return 'divides by zero'
  if (SHIFTS.includes(code) && k >= 32) return 'shifts by more bits than there are'
  if (code === 0x05 ? k >= length - at - 1 : (code & 7) === 5 && at + Math.max(jt, jf) + 1 >= length)
    return 'jumps past the end'
  return undefined
}

/** The first instruction that may read scratch memory which is not written yet: jumps go forward only, so one pass finds it. */
function readsUnset(program: readonly Instruction[]): number | undefined {
  const written = new Uint16Array(program.length + 1).fill(0xffff)
  let here = 0
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    here &= written[at]!
    if (MEMORY_LOADS.includes(code) && (here & (1 << k)) === 0) return at
    if (MEMORY_STORES.includes(code)) here |= 1 << k
    if ((code & 7) === 5) {
      const targets = code === 0x05 ? [k] : [jt, jf]
      for (const target of targets) written[at + 1 + target]! &= here
      here = 0xffff
    }
  }
  return undefined
}

const describe = ({ code, jt, jf, k }: Instruction): string => `{ ${code}, ${jt}, ${jf}, ${k} }`
