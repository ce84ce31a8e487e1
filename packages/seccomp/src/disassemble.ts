import { verdictOf } from './actions.js'
import { type Arch, archOfAudit, X32_BIT } from './architectures.js'
import { AND, JA, JEQ, JGE, JGT, LD_ABS, RET } from './program.js'
import { type Instruction, instructions, isLittleEndian } from './simulate.js'
import { syscallName } from './syscalls.js'

const JUMPS: Readonly<Record<number, string>> = { [JEQ]: 'jeq', [JGT]: 'jgt', [JGE]: 'jge', 69: 'jset' }

/** What is known where an instruction is reached. */
interface Known {
  /** What the accumulator holds, in words. */
  readonly loaded: string
  readonly arch: Arch | undefined
}

/**
 * A filter as text: a line an instruction, its targets as line numbers, and behind it what it looks at in words.
 *
 *     0003  jge 0x40000000, 4, 6      nr
 *     0004  ret 0x00000000            SCMP_ACT_KILL_THREAD
 */
export function disassemble(filter: Uint8Array): string {
  const program = instructions(filter)
  const littleEndian = isLittleEndian(filter)
  const known: (Known | undefined)[] = [{ loaded: '', arch: undefined }]
  const lines = program.map((instruction, at) => {
    const here = known[at] ?? { loaded: '', arch: undefined }
    const next = instruction.code === LD_ABS ? { ...here, loaded: fieldName(instruction.k, littleEndian) } : here
    for (const [target, state] of successors(instruction, at, next)) known[target] = merged(known[target], state)
    const [text, comment] = describe(instruction, at, next)
    return `${String(at).padStart(4, '0')}  ${text.padEnd(30)}${comment}`.trimEnd()
  })
  return `${lines.join('\n')}\n`
}

function successors({ code, jt, jf, k }: Instruction, at: number, state: Known): [number, Known][] {
  if ((code & 7) === 6) return []
  if (code === JA) return [[at + 1 + k, state]]
  if ((code & 7) !== 5) return [[at + 1, state]]
  const yes = code === JEQ && state.loaded === 'arch' ? { ...state, arch: archOfAudit(k) } : state
  const x32 = code === JGE && state.loaded === 'nr' && k === X32_BIT && state.arch === 'x86_64'
  return [
    [at + 1 + jt, x32 ? { ...state, arch: 'x32' } : yes],
    [at + 1 + jf, state],
  ]
}

/** What holds whichever way an instruction was reached by. */
function merged(one: Known | undefined, other: Known): Known {
  if (one === undefined) return other
  return {
    loaded: one.loaded === other.loaded ? one.loaded : '',
    arch: one.arch === other.arch ? one.arch : undefined,
  }
}

function describe({ code, jt, jf, k }: Instruction, at: number, { loaded, arch }: Known): [string, string] {
  const jump = JUMPS[code]
  if (jump !== undefined) {
    return [`${jump} ${hex(k)}, ${at + 1 + jt}, ${at + 1 + jf}`, operandName(k, loaded, arch)]
  }
  if (code === LD_ABS) return [`ld [${k}]`, loaded]
  if (code === JA) return [`ja ${at + 1 + k}`, '']
  if (code === AND) return [`and ${hex(k)}`, '']
  if (code === RET) {
    const { action, data } = verdictOf(k)
    return [`ret ${hex(k, 8)}`, data === undefined ? action : `${action} ${data}`]
  }
  return [`code ${hex(code, 4)}, ${jt}, ${jf}, ${hex(k)}`, '']
}

function operandName(k: number, loaded: string, arch: Arch | undefined): string {
  if (loaded === 'arch') return archOfAudit(k) ?? loaded
  if (loaded !== 'nr' || arch === undefined) return loaded
  const name = k === X32_BIT && arch === 'x86_64' ? 'x32' : syscallName(arch, k)
  return name === undefined ? `${arch} nr` : `${arch} ${name}`
}

/** The field of `struct seccomp_data` at an offset. */
function fieldName(offset: number, littleEndian: boolean): string {
  if (offset === 0) return 'nr'
  if (offset === 4) return 'arch'
  const half = (offset & 4) === 0 ? littleEndian : !littleEndian
  const name = offset < 16 ? 'instruction_pointer' : `args[${(offset - 16) >> 3}]`
  return `${name} ${half ? 'low' : 'high'}`
}

function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}
