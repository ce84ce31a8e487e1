import type { DevicePolicy } from './policy.js'
import { ALL, accessBits, type DeviceRule } from './rule.js'

/*
 * An eBPF program of the type cgroup-device. Its context is three u32: access bits above the type (1 block, 2 character), major,
 * minor; it answers 1 to allow. Registers: r1 context, r2 type, r3 access, r4 major, r5 minor.
 */
const LOAD_WORD = 0x61
const MOVE = 0xb7
const MOVE_REGISTER = 0xbf
const AND = 0x57
const SHIFT_RIGHT = 0x77
const JUMP = 0x05
const JUMP_UNLESS_EQUAL = 0x56 // of 32 bits: device numbers are unsigned
const JUMP_IF_ANY_BIT = 0x46
const EXIT = 0x95

type Instruction = readonly [code: number, to: number, from: number, offset: number, value: number]

/** The program that decides as the policy does. An instruction takes 8 bytes. */
export function assembleDeviceProgram(policy: DevicePolicy): Uint8Array<ArrayBuffer> {
  const program: Instruction[] = [
    [LOAD_WORD, 2, 1, 0, 0],
    [MOVE_REGISTER, 3, 2, 0, 0],
    [AND, 2, 0, 0, 0xffff],
    [SHIFT_RIGHT, 3, 0, 0, 16],
    [LOAD_WORD, 4, 1, 4, 0],
    [LOAD_WORD, 5, 1, 8, 0],
  ]
  for (const rule of policy.exceptions) program.push(...block(rule))
  program.push(...verdict(policy.allowsByDefault))
  return encode(program)
}

const verdict = (allow: boolean): Instruction[] => [
  [MOVE, 0, 0, 0, allow ? 1 : 0],
  [EXIT, 0, 0, 0, 0],
]

/** Decides for what the exception is about, and lets all else through to the next. */
function block({ allow, type, major, minor, access = '' }: DeviceRule): Instruction[] {
  const bits = accessBits(access)
  const end = verdict(allow)
  // An allowed access must be allowed as a whole; a denied one is denied for any part of it.
  const tests: Instruction[] = []
  if (allow && bits !== ALL) tests.push([JUMP_IF_ANY_BIT, 3, 0, end.length, ALL & ~bits])
  if (!allow && bits !== ALL) tests.push([JUMP_IF_ANY_BIT, 3, 0, 1, bits], [JUMP, 0, 0, end.length, 0])
  const compare: (readonly [register: number, value: number | undefined])[] = [
    [2, type === 'b' ? 1 : 2],
    [4, major],
    [5, minor],
  ]
  for (const [register, value] of compare.toReversed()) {
    if (value !== undefined) tests.unshift([JUMP_UNLESS_EQUAL, register, 0, tests.length + end.length, value])
  }
  return [...tests, ...end]
}

function encode(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach(([code, to, from, offset, value], i) => {
    view.setUint8(i * 8, code)
    view.setUint8(i * 8 + 1, to | (from << 4))
    view.setInt16(i * 8 + 2, offset, true)
    view.setInt32(i * 8 + 4, value | 0, true)
  })
  return bytes
}
